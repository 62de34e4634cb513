/* Modes, linear addresses and real-mode segments; see x86.h. */
#include "vmm/x86/x86.h"

enum cpu_mode x86_mode(const struct kvm_sregs *s, uint64_t rflags) {
    if (!(s->cr0 & CR0_PE))
        return MODE_REAL;
    if (s->efer & EFER_LMA)
        return s->cs.l ? MODE_LONG : s->cs.db ? MODE_COMPAT32 : MODE_COMPAT16;
    if (rflags & FLAG_VM)
        return MODE_VM86;
    return s->cs.db ? MODE_PROT32 : MODE_PROT16;
}

uint64_t x86_linear(const struct kvm_sregs *s, uint64_t rflags, const struct kvm_segment *seg,
                    uint64_t offset) {
    if (x86_mode(s, rflags) != MODE_LONG)
        return (uint32_t)(seg->base + offset);
    bool based = seg == &s->fs || seg == &s->gs;
    return offset + (based ? seg->base : 0);
}

uint64_t x86_pc(const struct kvm_regs *r, const struct kvm_sregs *s) {
    return x86_linear(s, r->rflags, &s->cs, r->rip);
}

struct kvm_segment x86_real_segment(uint16_t selector, bool code) {
    return (struct kvm_segment){
        .base = selector * 16u,
        .limit = 0xffff,
        .selector = selector,
        .type = code ? 11 : 3, /* accessed; execute/read or read/write */
        .s = 1,
        .present = 1,
    };
}
