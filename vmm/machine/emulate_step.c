/* One instruction beside KVM; see emulate_step.h. */
#include "vmm/machine/emulate_step.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/machine/scratch_cpu.h"
#include "vmm/cpu/engine.h"
#include "vmm/x86/insn.h"
#include "vmm/x86/x86.h"

struct emulator {
    struct scratch_cpu scratch;
    uint64_t runs; /* entries of the engine when both had the same state last */
};

/* --- which instructions ----------------------------------------------------------- */

static const struct insn_span plain[] = {
    {0x00, 0x05}, {0x08, 0x0d}, {0x10, 0x15}, {0x18, 0x1d}, /* ADD OR ADC SBB */
    {0x20, 0x25}, {0x28, 0x2d}, {0x30, 0x35}, {0x38, 0x3d}, /* AND SUB XOR CMP */
    {0x40, 0x61}, {0x63, 0x63},                             /* INC DEC PUSH POP, MOVSXD */
    {0x68, 0x6b}, {0x70, 0x8b}, {0x8d, 0x8d}, {0x90, 0x99}, /* Jcc, MOV, LEA, XCHG */
    {0xa0, 0xa3}, {0xa8, 0xa9}, {0xb0, 0xc3}, {0xc6, 0xc9}, /* MOV TEST, RET, ENTER LEAVE */
    {0xd0, 0xd3}, {0xe0, 0xe3}, {0xe8, 0xe9}, {0xeb, 0xeb}, /* shifts, LOOP, CALL JMP */
    {0xf5, 0xf9}, {0xfc, 0xfd}, {0xfe, 0xff},               /* flags, NOT to DIV, INC DEC */
    {0x0f40, 0x0f4f}, {0x0f80, 0x0f9f}, {0x0fa3, 0x0fa5},   /* CMOV, Jcc SETcc, BT SHLD */
    {0x0fab, 0x0fad}, {0x0faf, 0x0faf}, {0x0fb3, 0x0fb3},   /* BTS SHRD, IMUL, BTR */
    {0x0fb6, 0x0fb7}, {0x0fba, 0x0fbf},                     /* MOVZX, BT to BSR, MOVSX */
};

static bool far_through_memory(const struct insn *in) {
    unsigned which = insn_modrm(in) >> 3 & 7;
    return in->opcode == 0xff && (which == 3 || which == 5);
}

/* With 66 AMD's CPUs take them for 16-bit ones in 64-bit code, and Intel's do not (Vol. 2A 2.2.1.7). */
static const struct insn_span branches[] = {{0x70, 0x7f}, {0xc2, 0xc3}, {0xe0, 0xe3},
                                            {0xe8, 0xeb}, {0xff, 0xff}, {0x0f80, 0x0f8f}};

static bool is_plain(const struct insn *in) {
    if (in->rep || in->there < INSN_MAX)
        return false;
    if (in->data16 && insn_in_any(in, branches, sizeof branches / sizeof *branches))
        return false;
    return insn_in_any(in, plain, sizeof plain / sizeof *plain) && !far_through_memory(in);
}

/* --- doing one --------------------------------------------------------------------- */

/* With a device at the address the instruction is left to KVM. */
static enum io_result leave_to_kvm(void *vcpu, uint64_t phys, bool write, unsigned size,
                                   void *data) {
    struct vcpu *v = vcpu;
    (void)write, (void)data;
    return board_mmio_name(&v->machine->board, phys, size) ? IO_RETRY : IO_NOBODY;
}

static const struct engine_host notices = {.unassigned = unassigned_memory};

static struct emulator *emulator_of(struct vcpu *v) {
    struct cpu_host host = {.context = v, .mmio = leave_to_kvm, .extra = &notices};
    if (v->emulator)
        return v->emulator;
    struct emulator *e = calloc(1, sizeof *e);
    if (!e || !scratch_cpu_open(&e->scratch, &v->cpu, &host)) {
        free(e);
        return NULL;
    }
    v->emulator = e;
    emulator_invalidate(v);
    return e;
}

/* Not with watchpoints, which the engine must see, nor with the guest's own single-step, whose
 * trap is due after the instruction, nor where memory or the stack obey rules that the built-in
 * CPU does not have. In long mode there is nothing else that it would need of KVM: what these
 * instructions and their faults look at is in the registers, SREGS among them, and in memory. */
static bool may(struct vcpu *v) {
    const struct cpu_state *s = cpu_read(&v->cpu, CPU_REGS | CPU_SREGS);
    struct insn in;
    if (!cpu_can(&v->cpu, ENGINE_COSTLY_ENTRY) || s->regs.rflags & FLAG_TF ||
        s->sregs.cr4 & SOFT_LACKS_CR4 || breakpoints_any_watch(&v->machine->breakpoints))
        return false;
    insn_read(v->cpu.memory, s, x86_pc(&s->regs, &s->sregs), &in);
    return is_plain(&in);
}

/* Segments and page tables are as they were, if nobody else has run since. */
static void bring_up_to_date(struct vcpu *v, struct emulator *e) {
    struct cpu *cpu = &e->scratch.cpu;
    const struct kvm_sregs *sregs = &v->cpu.state.sregs;
    uint64_t runs = v->cpu.engine->entries(&v->cpu);
    if (e->runs != runs)
        cpu->engine->flush(cpu);
    if (e->runs != runs || memcmp(&cpu->state.sregs, sregs, sizeof *sregs)) {
        cpu->state.sregs = *sregs;
        cpu->dirty |= CPU_SREGS;
    }
    e->runs = runs;
    cpu->state.regs = v->cpu.state.regs;
    cpu->valid |= CPU_REGS | CPU_SREGS;
    cpu->dirty |= CPU_REGS;
}

static void take_state(struct vcpu *v, const struct cpu_state *s) {
    if (memcmp(&s->sregs, &v->cpu.state.sregs, sizeof s->sregs)) /* a fault was delivered */
        cpu_write(&v->cpu, CPU_SREGS)->sregs = s->sregs;
    cpu_write(&v->cpu, CPU_REGS)->regs = s->regs;
    cpu_arrives(&v->cpu);
}

bool emulate_step(struct vcpu *v) {
    struct emulator *e = may(v) ? emulator_of(v) : NULL;
    struct cpu_exit exit;
    if (!e)
        return false;
    bring_up_to_date(v, e);
    const struct cpu_state *s = scratch_cpu_step(&e->scratch, &exit);
    if (exit.kind == CPU_EXIT_STEPPED)
        take_state(v, s);
    else
        emulator_invalidate(v);
    return exit.kind == CPU_EXIT_STEPPED;
}

void emulator_invalidate(struct vcpu *v) {
    if (v->emulator)
        v->emulator->runs = UINT64_MAX;
}

void emulator_close(struct vcpu *v) {
    if (!v->emulator)
        return;
    scratch_cpu_close(&v->emulator->scratch);
    free(v->emulator);
    v->emulator = NULL;
}
