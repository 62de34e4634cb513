/* Execution that has lost its way; see runaway.h. */
#include "vmm/machine/runaway.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "vmm/machine/recorder.h"
#include "vmm/x86/mode.h"
#include "vmm/x86/page_walk.h"
#include "vmm/x86/x86.h"

/* So many zeros are no padding; so many opcodes of them (00 00, ADD to memory) no accident. */
enum { SUSPECT = 16, CERTAIN = 512 };
enum { VECTORS_END = 0x400 };

/* --- what is there ------------------------------------------------------------------- */

enum ground { GROUND_CODE, GROUND_ZEROS, GROUND_DESERT, GROUND_NOTHING };

static bool all_zero(struct machine *m, const struct kvm_sregs *s, uint64_t linear, size_t length) {
    static const uint8_t zeros[CERTAIN];
    uint8_t bytes[CERTAIN];
    return x86_read(&m->memory, s, linear, bytes, length) == length &&
           !memcmp(bytes, zeros, length);
}

static bool is_real(const struct kvm_sregs *s) { return !(s->cr0 & CR0_PE); }

static bool in_vectors(const struct kvm_sregs *s, uint64_t linear) {
    return is_real(s) && linear - s->idt.base < VECTORS_END && s->idt.limit >= linear - s->idt.base;
}

static enum ground ground_at(struct machine *m, const struct kvm_sregs *s, uint64_t linear) {
    struct page_walk w;
    if (!x86_walk(&m->memory, s, linear, &w))
        return GROUND_CODE; /* it will fault, and the guest may know what to do */
    if (!memory_at(&m->memory, w.phys, 1, false))
        return GROUND_NOTHING;
    if (!all_zero(m, s, linear, SUSPECT))
        return GROUND_CODE;
    return in_vectors(s, linear) || all_zero(m, s, linear, CERTAIN) ? GROUND_DESERT : GROUND_ZEROS;
}

static const char *const ground_names[] = {
    [GROUND_ZEROS] = "there are only zeros",
    [GROUND_DESERT] = "there are only zeros",
    [GROUND_NOTHING] = "no memory is",
};

/* --- is it certain? ------------------------------------------------------------------ */

static bool is_trusted(const struct cpu_state *s) {
    return is_real(&s->sregs) || (!(s->regs.rflags & FLAG_VM) && x86_cpl(&s->sregs) == 0);
}

/* ADD %al,(%bx,%si), ADD %al,(%eax): as long as it does not fault it goes on. */
static bool zeros_can_run(struct machine *m, const struct cpu_state *s) {
    const struct kvm_segment *ds = &s->sregs.ds;
    uint64_t offset = s->sregs.cs.l ? s->regs.rax
                      : s->sregs.cs.db ? (uint32_t)s->regs.rax
                                       : (uint16_t)(s->regs.rbx + s->regs.rsi);
    struct page_walk w;
    if (is_real(&s->sregs))
        return offset <= ds->limit;
    bool segment = s->sregs.cs.l || (!ds->unusable && (ds->type & 0xe) == 2 && offset <= ds->limit);
    return segment && x86_walk(&m->memory, &s->sregs, x86_linear(&s->sregs, s->regs.rflags, ds, offset), &w) &&
           (w.writable || !(s->sregs.cr0 & CR0_WP));
}

/* The image itself may be where the vectors are (--load=0). */
static bool image_at_zero(const struct machine *m) {
    return m->image.bytes && !m->image.is_elf && m->image.load < VECTORS_END;
}

static bool is_certain(struct machine *m, const struct cpu_state *s, enum ground ground,
                       const char *came) {
    if (!is_trusted(s))
        return false;
    if (came)
        return !image_at_zero(m);
    return ground == GROUND_NOTHING || (ground == GROUND_DESERT && zeros_can_run(m, s));
}

/* --- each place once ------------------------------------------------------------------ */

static bool is_new_runaway(struct runaways *r, uint64_t page) {
    for (unsigned i = 0; i < r->count; i++)
        if (r->told[i] == page)
            return false;
    if (r->count == sizeof r->told / sizeof *r->told)
        return false;
    r->told[r->count++] = page;
    return true;
}

/* Each call of an unset vector stops; zeros stop once a page, for they go on for all of it. */
static bool may_stop(struct runaways *r, uint64_t page, const char *came) {
    bool again = r->stopped == page + 1;
    r->stopped = page + 1;
    return came || !again;
}

void runaway_resume(struct machine *m, uint64_t pc) {
    if (m->runaways.stopped != pc / PAGE_SIZE + 1)
        m->runaways.stopped = 0;
}

/* --- words ---------------------------------------------------------------------------- */

/* Where a near CALL or a far one would have left its return address. */
static void print_stack(struct machine *m, const struct cpu_state *s, char *out, size_t size) {
    unsigned slot = s->sregs.cs.l ? 8 : s->sregs.cs.db ? 4 : 2;
    uint64_t sp = s->sregs.cs.l ? s->regs.rsp : s->sregs.ss.db ? (uint32_t)s->regs.rsp
                                                               : (uint16_t)s->regs.rsp;
    uint64_t top = 0;
    out[0] = '\0';
    if (x86_read(&m->memory, &s->sregs, x86_linear(&s->sregs, s->regs.rflags, &s->sregs.ss, sp), &top, slot) ==
        slot)
        snprintf(out, size, "; on top of the stack is 0x%" PRIx64, top);
}

static void describe_runaway(struct machine *m, const struct cpu_state *s, const char *came,
                     enum ground ground, char *text, size_t size) {
    uint64_t pc = x86_pc(&s->regs, &s->sregs);
    char stack[64];
    if (came) {
        snprintf(text, size, "%s goes to 0000:0000: no handler was set for that vector%s", came,
                 m->memory.rom ? "" : ", and there is no BIOS");
        return;
    }
    print_stack(m, s, stack, sizeof stack);
    snprintf(text, size, "execution has come to %04x:%08llx, linear 0x%08" PRIx64 ", where %s%s%s",
             s->sregs.cs.selector, (unsigned long long)s->regs.rip, pc, ground_names[ground],
             in_vectors(&s->sregs, pc) ? " (the interrupt vectors)" : "", stack);
}

bool runaway_check(void *vcpu, const char *came, bool stepping, char *text, size_t size) {
    struct vcpu *v = vcpu;
    struct machine *m = v->machine;
    if (m->recorder->in_past(m))
        return false;
    const struct cpu_state *s = cpu_read(&v->cpu, CPU_REGS | CPU_SREGS);
    uint64_t pc = x86_pc(&s->regs, &s->sregs);
    enum ground ground = ground_at(m, &s->sregs, pc);
    if (!came && ground == GROUND_CODE)
        return false;
    describe_runaway(m, s, came, ground, text, size);
    if ((came || !stepping) && is_certain(m, s, ground, came))
        return may_stop(&m->runaways, pc / PAGE_SIZE, came);
    if (!is_new_runaway(&m->runaways, pc / PAGE_SIZE))
        return false;
    m->owner.message(m->owner.context, m->number, text);
    return false;
}

const char *runaway_ground(struct machine *m, const struct kvm_sregs *s, uint64_t linear) {
    return ground_names[ground_at(m, s, linear)];
}
