/* Writes to CR0 that a KVM without 32-bit paging gets wrong (kvm-quirks 12).
 *
 * Such a KVM shuts down when PG is set in protected mode (exits.c). When one MOV sets PE and
 * PG it does something else, and the guest runs on. So there the MOVs to CR0 that the image
 * has are looked at before they are done, as long as the guest is in real mode: debug
 * registers that the debugger leaves free hold them. A copy that the guest makes of them is
 * not seen.
 */
#include "vmm/engines/kvm/debug/debug.h"

#include "vmm/x86/insn.h"
#include "vmm/x86/page_walk.h"

enum { OPCODE = 0x0f, MOV_TO_CR = 0x22, LENGTH = 3, FIRST_MIB = 1 << 20 };

/* --- the instruction ------------------------------------------------------------------ */

/* At a MOV to CR0: the value that it loads. */
static bool loads_cr0(struct cpu *cpu, uint64_t pc, uint64_t *value) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    uint8_t op[LENGTH];
    if (x86_read(cpu->memory, &s->sregs, pc, op, LENGTH) != LENGTH || op[0] != OPCODE ||
        op[1] != MOV_TO_CR || (op[2] & 0xf8) != 0xc0)
        return false;
    *value = insn_register(s, op[2] & 7);
    return true;
}

bool cr0_guard_sets_paging(struct cpu *cpu, uint64_t pc) {
    uint64_t value;
    return loads_cr0(cpu, pc, &value) && value & CR0_PG;
}

bool cr0_guard_refuses(struct cpu *cpu, struct cpu_exit *exit) {
    if (probe_traits()->paging32 || !cr0_guard_sets_paging(cpu, vcpu_pc(cpu)))
        return false;
    const struct kvm_sregs *s = &cpu_read(cpu, CPU_SREGS)->sregs;
    return !(s->cr0 & CR0_PG) && !(s->efer & EFER_LME) &&
           exits_report(exit, CPU_EXIT_CANNOT, "%s", "this KVM has no 32-bit paging (CR0.PG)");
}

/* --- where they are ------------------------------------------------------------------- */

void cr0_guard_open(struct debugged_vcpu *d, const struct memory *m, uint64_t from, uint64_t to) {
    struct cr0_guard *g = &d->guard;
    uint64_t end = to < FIRST_MIB ? to : FIRST_MIB;
    for (uint64_t at = from; at + LENGTH <= end && g->count < DEBUG_REGISTERS; at++) {
        const uint8_t *op = memory_at(m, at, LENGTH, false);
        if (op && op[0] == OPCODE && op[1] == MOV_TO_CR && (op[2] & 0xf8) == 0xc0)
            g->address[g->count++] = at;
    }
    if (g->count && probe_traits()->paging32)
        g->count = 0;
}

void cr0_guard_arm(struct cpu *cpu, struct kvm_guest_debug *debug) {
    struct cr0_guard *g = &debugged_of(cpu)->guard;
    if (g->count && cpu_read(cpu, CPU_SREGS)->sregs.cr0 & CR0_PE)
        g->count = 0; /* from here on it shuts down, which is seen */
    for (unsigned i = 0; i < g->count; i++)
        bp_plan_add_exec(debug, g->address[i]);
}

bool cr0_guard_at(struct cpu *cpu) {
    const struct cr0_guard *g = &debugged_of(cpu)->guard;
    uint64_t pc = vcpu_pc(cpu);
    for (unsigned i = 0; i < g->count; i++)
        if (g->address[i] == pc)
            return true;
    return false;
}
