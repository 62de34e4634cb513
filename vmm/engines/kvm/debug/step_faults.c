/* The faults that an instruction may end in, for the few debug registers that can hold their
 * handlers while it is stepped (kvm-quirks 6).
 *
 * Rule: the list begins with what is likeliest. What a row does not know is held by an int3, or not
 * at all (step_holds.c): KVM then runs that fault's handler within the step.
 */
#include "vmm/engines/kvm/debug/debug.h"

#include <string.h>

#include "vmm/x86/insn.h"
#include "vmm/x86/mode.h"

/* By opcode, and by a bitmap of ModRM's reg field where it matters (0: any). */
static const struct {
    struct insn_span opcodes;
    uint8_t regs, vector;
} rows[] = {
    {{0xf6, 0xf7}, 0xc0, VECTOR_DE}, /* DIV, IDIV */
    {{0xd4, 0xd4}, 0, VECTOR_DE},    /* AAM */
    {{0x62, 0x62}, 0, VECTOR_BR},
    {{0x17, 0x17}, 0, VECTOR_SS}, /* a segment that is not present is #SS for SS, else #NP */
    {{0x8e, 0x8e}, 0x04, VECTOR_SS},
    {{0x0fb2, 0x0fb2}, 0, VECTOR_SS},
    {{0x07, 0x07}, 0, VECTOR_NP},
    {{0x1f, 0x1f}, 0, VECTOR_NP},
    {{0x8e, 0x8e}, 0, VECTOR_NP},
    {{0x9a, 0x9a}, 0, VECTOR_NP},
    {{0xc4, 0xc5}, 0, VECTOR_NP},
    {{0xca, 0xcb}, 0, VECTOR_NP},
    {{0xcf, 0xcf}, 0, VECTOR_NP},
    {{0xea, 0xea}, 0, VECTOR_NP},
    {{0xff, 0xff}, 0x28, VECTOR_NP},     /* far CALL, JMP */
    {{0x0f00, 0x0f00}, 0x0c, VECTOR_NP}, /* LLDT, LTR */
    {{0x0fa1, 0x0fa1}, 0, VECTOR_NP},
    {{0x0fa9, 0x0fa9}, 0, VECTOR_NP},
    {{0x0fb4, 0x0fb5}, 0, VECTOR_NP},
};
enum { ROWS = sizeof rows / sizeof *rows };

static const struct insn_span x87[] = {{0x9b, 0x9b}, {0xd8, 0xdf}},
                              mmx[] = {{0x0f60, 0x0f7f}, {0x0fd0, 0x0fff}},
                              sse[] = {{0x0f10, 0x0f17}, {0x0f28, 0x0f2f}, {0x0f38, 0x0f3a},
                                       {0x0f50, 0x0f7f}, {0x0fc2, 0x0fc2}, {0x0fc4, 0x0fc6},
                                       {0x0fd0, 0x0fff}};
#define IN(in, spans) insn_in_any(in, spans, sizeof(spans) / sizeof *(spans))

/* A VEX or EVEX prefix, where that opcode is no other instruction (volume 2, 2.3.5). */
bool step_has_vex(const struct insn *in, const struct cpu_state *s) {
    bool wide = x86_mode(&s->sregs, s->regs.rflags) == MODE_LONG;
    bool c4 = in->opcode == 0xc4 || in->opcode == 0xc5, evex = in->opcode == 0x62;
    return (c4 || evex) && (wide || insn_modrm(in) >= 0xc0);
}

/* FXSAVE to XRSTOR: not CLFLUSH, nor what has no operand in memory. */
static bool saves_fpu(const struct insn *in) {
    uint8_t modrm = insn_modrm(in);
    return in->opcode == 0x0f && in->second == 0xae && modrm < 0xc0 && (modrm >> 3 & 7) != 7;
}

static int fpu_fault(const struct cpu_state *s, const struct insn *in) {
    bool computes = step_has_vex(in, s) || IN(in, x87) || IN(in, sse);
    if (!computes && !saves_fpu(in))
        return -1;
    if (s->sregs.cr0 & (CR0_TS | CR0_EM))
        return VECTOR_NM;
    if (!computes)
        return -1;
    bool plain = !in->data16 && !in->rep;
    return IN(in, x87) || (plain && IN(in, mmx)) ? VECTOR_MF : VECTOR_XM;
}

static int any_fault(const struct cpu_state *s) {
    bool aligned = s->sregs.cr0 & CR0_AM && s->regs.rflags & FLAG_AC && x86_cpl(&s->sregs) == 3;
    return aligned ? VECTOR_AC : VECTOR_SS;
}

/* What this instruction may do besides, if it is known; -1. */
static int special_fault(const struct cpu_state *s, const struct insn *in) {
    int fpu = fpu_fault(s, in);
    if (fpu >= 0)
        return fpu;
    if (in->opcode >= 0xcc && in->opcode <= 0xce) /* the stack is another one, or the same */
        return x86_cpl(&s->sregs) == 3 ? VECTOR_TS : VECTOR_SS;
    for (unsigned i = 0; i < ROWS; i++)
        if (insn_in(in, rows[i].opcodes) &&
            (!rows[i].regs || rows[i].regs >> (insn_modrm(in) >> 3 & 7) & 1))
            return rows[i].vector;
    return insn_is_string(in) ? any_fault(s) : -1;
}

/* #NM comes before an operand is looked at (volume 3A, table 6-2). */
void step_faults(const struct cpu_state *s, const struct insn *in, uint8_t vectors[STEP_FAULTS]) {
    int special = special_fault(s, in);
    if (special == VECTOR_NM)
        memcpy(vectors, (uint8_t[]){VECTOR_NM, VECTOR_UD, VECTOR_GP, VECTOR_PF}, STEP_FAULTS);
    else if (special >= 0)
        memcpy(vectors, (uint8_t[]){VECTOR_GP, VECTOR_PF, (uint8_t)special, VECTOR_UD},
               STEP_FAULTS);
    else
        memcpy(vectors, (uint8_t[]){VECTOR_GP, VECTOR_PF, VECTOR_UD, (uint8_t)any_fault(s)},
               STEP_FAULTS);
}
