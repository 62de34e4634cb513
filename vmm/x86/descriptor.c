/* Descriptors, and where an interrupt or an exception goes; see descriptor.h. */
#include "vmm/x86/descriptor.h"

#include "vmm/x86/page_walk.h"

struct kvm_segment x86_descriptor(uint16_t selector, uint64_t raw) {
    uint32_t limit = x86_bits(raw, 0, 16) | x86_bits(raw, 48, 4) << 16;
    bool pages = x86_bits(raw, 55, 1);
    return (struct kvm_segment){
        .base = x86_bits(raw, 16, 24) | (uint64_t)x86_bits(raw, 56, 8) << 24,
        .limit = pages ? limit << 12 | 0xfff : limit,
        .selector = selector,
        .type = x86_bits(raw, 40, 4),
        .s = x86_bits(raw, 44, 1),
        .dpl = x86_bits(raw, 45, 2),
        .present = x86_bits(raw, 47, 1),
        .avl = x86_bits(raw, 52, 1),
        .l = x86_bits(raw, 53, 1),
        .db = x86_bits(raw, 54, 1),
        .g = pages,
        .unusable = !x86_bits(raw, 47, 1),
    };
}

static bool real_handler(const struct memory *m, const struct kvm_sregs *s, unsigned vector,
                         uint64_t *linear) {
    uint16_t far[2]; /* offset, segment (20.1.4) */
    if (x86_read(m, s, s->idt.base + vector * 4, far, 4) != 4)
        return false;
    *linear = far[1] * 16u + far[0];
    return true;
}

static uint64_t code_base(const struct memory *m, const struct kvm_sregs *s, uint16_t selector) {
    uint64_t raw = 0;
    uint64_t table = selector & 4 ? s->ldt.base : s->gdt.base;
    x86_read(m, s, table + (selector & ~7u), &raw, 8);
    return x86_descriptor(selector, raw).base;
}

/* A gate (6.11, 6.14.1): offset 15:0, selector, attributes, offset 31:16, and in
 * long mode offset 63:32. */
bool x86_handler(const struct memory *m, const struct kvm_sregs *s, unsigned vector,
                 uint64_t *linear) {
    if (!(s->cr0 & CR0_PE))
        return real_handler(m, s, vector, linear);
    bool wide = s->efer & EFER_LMA;
    unsigned size = wide ? 16 : 8;
    uint64_t gate[2] = {0, 0};
    if (vector * size + size - 1 > s->idt.limit ||
        x86_read(m, s, s->idt.base + vector * size, gate, size) != size)
        return false;
    unsigned type = x86_bits(gate[0], 40, 5);
    bool big = type == 14 || type == 15, small = !wide && (type == 6 || type == 7);
    if (!x86_bits(gate[0], 47, 1) || !(big || small))
        return false;
    uint64_t offset = x86_bits(gate[0], 0, 16) | (big ? (uint64_t)x86_bits(gate[0], 48, 16) << 16 : 0);
    *linear = wide ? offset | gate[1] << 32
                   : (uint32_t)(code_base(m, s, x86_bits(gate[0], 16, 16)) + offset);
    return true;
}
