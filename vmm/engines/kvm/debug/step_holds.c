/* Where a step shall stop besides behind its instruction: at the address where it must end, if TF
 * cannot tell, and at the handlers of the faults that it may end in.
 *
 * Debug registers that are free hold the likeliest; int3s hold the rest.
 *
 * Rule: an int3 is in memory during KVM_RUN alone, and not where the instruction itself reads or
 * writes.
 */
#include "vmm/engines/kvm/debug/debug.h"

#include "vmm/x86/descriptor.h"
#include "vmm/x86/insn.h"
#include "vmm/x86/mode.h"
#include "vmm/x86/page_walk.h"

/* --- what an instruction touches ------------------------------------------------------- */

/* Operands: of XSAVE and its like, and of the others (FSAVE). The stack: frames, PUSHA, ENTER. */
enum { WIDEST = 4096, WIDE = 128, WORD = 8, STACK_REACH = 64, FRAME_REACH = 512 };

/* In [from, from + length), modulo 2^64. */
static bool lies_in(uint64_t address, uint64_t from, uint64_t length) {
    return address - from < length;
}

/* Its operand is where insn.h does not look. */
static bool has_hidden_operand(const struct insn *in, const struct cpu_state *s) {
    static const struct insn_span hidden[] = {
        {0xd7, 0xd7},     {0x0ff7, 0x0ff7},                                     /* XLAT, MASKMOV */
        {0x0fa3, 0x0fa3}, {0x0fab, 0x0fab}, {0x0fb3, 0x0fb3}, {0x0fbb, 0x0fbb}, /* bit strings */
        {0x0f38, 0x0f38}, {0x0f3a, 0x0f3a}};
    return step_has_vex(in, s) || insn_in_any(in, hidden, sizeof hidden / sizeof *hidden);
}

static bool string_touches(const struct insn *in, const struct cpu_state *s, uint64_t address) {
    struct insn_place place[2];
    unsigned count = insn_string(in, s, place);
    uint64_t turns = in->rep ? s->regs.rcx & (UINT64_MAX >> (64 - 8 * in->address)) : 1;
    uint64_t span = (turns < UINT32_MAX ? turns : UINT32_MAX) * WORD;
    for (unsigned n = 0; n < count; n++) {
        uint64_t at = place[n].linear;
        if (lies_in(address, s->regs.rflags & FLAG_DF ? at - span : at, span + WORD))
            return true;
    }
    return false;
}

static bool stack_touches(const struct cpu_state *s, uint64_t pointer, unsigned below,
                          unsigned above, uint64_t address) {
    uint64_t at = x86_linear(&s->sregs, s->regs.rflags, &s->sregs.ss, pointer);
    return lies_in(address, at - below, below + above);
}

/* MOV SS does not touch it, POP SS only takes a word. */
static bool touches_stack(const struct insn *in, const struct cpu_state *s, uint64_t address) {
    static const struct insn_span frames[] = {{0xc8, 0xc9}}; /* ENTER, LEAVE */
    if (step_loads_ss(in))
        return in->opcode == 0x17 && stack_touches(s, s->regs.rsp, 0, in->operand, address);
    return stack_touches(s, s->regs.rsp, STACK_REACH, STACK_REACH, address) ||
           (insn_in_any(in, frames, 1) &&
            stack_touches(s, s->regs.rbp, FRAME_REACH, FRAME_REACH, address));
}

static bool touches_operand(const struct insn *in, const struct cpu_state *s, uint64_t address) {
    static const struct insn_span areas[] = {{0x0fae, 0x0fae}, {0x0fc7, 0x0fc7}};
    struct insn_place p = insn_operand(in, s), offset;
    unsigned size = insn_in_any(in, areas, 2) ? WIDEST : step_loads_ss(in) ? WORD : WIDE;
    return (insn_has_modrm(in) && p.memory && lies_in(address, p.linear, size)) ||
           (insn_moffs(in, s, &offset) && lies_in(address, offset.linear, WORD));
}

static bool touches(const struct insn *in, const struct cpu_state *s, uint64_t address) {
    return touches_stack(in, s, address) || touches_operand(in, s, address) ||
           has_hidden_operand(in, s) || string_touches(in, s, address);
}

/* --- int3s ------------------------------------------------------------------------------ */

static uint8_t *code_byte(struct cpu *cpu, uint64_t address) {
    struct page_walk w;
    return x86_walk(cpu->memory, &cpu_read(cpu, CPU_SREGS)->sregs, address, &w)
               ? memory_at(cpu->memory, w.phys, 1, true)
               : NULL;
}

static bool has_int3(const struct step_holds *h, const uint8_t *byte) {
    for (unsigned n = 0; n < h->int3s; n++)
        if (h->int3[n].byte == byte)
            return true;
    return false;
}

static bool plan_int3(struct cpu *cpu, struct step_holds *h, const struct insn *in,
                      uint64_t address) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    uint8_t *byte = probe_traits()->int3 ? code_byte(cpu, address) : NULL;
    if (!byte || h->int3s == STEP_INT3S || touches(in, s, address))
        return false;
    if (has_int3(h, byte))
        return true;
    h->int3[h->int3s++].byte = byte;
    h->debug.control |= KVM_GUESTDBG_USE_SW_BP;
    return true;
}

int step_enter(struct cpu *cpu, struct step_holds *h) {
    for (unsigned n = 0; n < h->int3s; n++) {
        h->int3[n].saved = *h->int3[n].byte;
        *h->int3[n].byte = 0xcc;
    }
    int reason = debug_enter(cpu, &h->debug);
    for (unsigned n = 0; n < h->int3s; n++)
        if (*h->int3[n].byte == 0xcc) /* a store of the guest's by another address stays */
            *h->int3[n].byte = h->int3[n].saved;
    return reason;
}

/* --- both ---------------------------------------------------------------------------------- */

/* Behind MOV SS an int3 alone stops (6.8.3). */
bool step_hold_end(struct cpu *cpu, struct step_holds *h, const struct insn *in, uint64_t address) {
    if (address == in->pc) /* it would hit at once */
        return false;
    return (!step_loads_ss(in) && bp_plan_add_exec(&h->debug, address)) ||
           plan_int3(cpu, h, in, address);
}

static void hold_handler(struct cpu *cpu, struct step_holds *h, const struct insn *in,
                         unsigned vector) {
    uint64_t handler;
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    if (!x86_handler(cpu->memory, &s->sregs, vector, &handler) || handler == in->pc)
        return;
    if (!bp_plan_add_exec(&h->debug, handler) && !lies_in(handler, in->pc, INSN_MAX))
        plan_int3(cpu, h, in, handler);
}

/* The likeliest get the registers. */
void step_hold_handlers(struct cpu *cpu, struct step_holds *h, const struct insn *in) {
    static const uint8_t rest[] = {VECTOR_DE, VECTOR_BR, VECTOR_UD, VECTOR_NM, VECTOR_DF,
                                   VECTOR_TS, VECTOR_NP, VECTOR_SS, VECTOR_GP, VECTOR_PF,
                                   VECTOR_MF, VECTOR_AC, VECTOR_XM};
    uint8_t likely[STEP_FAULTS];
    if (!probe_traits()->exec_bp)
        return;
    step_faults(cpu_read(cpu, CPU_REGS | CPU_SREGS), in, likely);
    for (unsigned n = 0; n < STEP_FAULTS; n++)
        hold_handler(cpu, h, in, likely[n]);
    for (unsigned n = 0; n < sizeof rest; n++)
        hold_handler(cpu, h, in, rest[n]);
}
