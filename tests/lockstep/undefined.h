/* The flags that an instruction leaves undefined (SDM volume 1, appendix A, and each
 * instruction's page in volume 2; AMD's manual volume 3 agrees).
 *
 * Rule: a test that compares the built-in CPU with another one ignores these, since
 * even two processors of one vendor differ in them.
 */
#ifndef MINIKVM_UNDEFINED_H
#define MINIKVM_UNDEFINED_H

#include "vmm/x86/insn.h"
#include "vmm/x86/x86.h"

#define UNDEFINED_MUL    (FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF)
#define UNDEFINED_ADJUST (FLAG_OF | FLAG_SF | FLAG_ZF | FLAG_PF)
#define UNDEFINED_BIT    (FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF)
#define UNDEFINED_ALL    (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

struct undefined_row {
    struct insn_span opcodes; /* of two bytes as 0x0F40 */
    uint8_t regs;             /* bitmap of ModRM's reg field; 0: any */
    uint32_t flags;
    enum { UNDEFINED_ALWAYS, UNDEFINED_SHIFT, UNDEFINED_ROTATE, UNDEFINED_DOUBLE } more;
};

static const struct undefined_row undefined_rows[] = {
    {{0x08, 0x0D}, 0, FLAG_AF, UNDEFINED_ALWAYS}, /* OR */
    {{0x20, 0x25}, 0, FLAG_AF, UNDEFINED_ALWAYS}, /* AND */
    {{0x30, 0x35}, 0, FLAG_AF, UNDEFINED_ALWAYS}, /* XOR */
    {{0x80, 0x83}, 0x52, FLAG_AF, UNDEFINED_ALWAYS},
    {{0x84, 0x85}, 0, FLAG_AF, UNDEFINED_ALWAYS}, /* TEST */
    {{0xA8, 0xA9}, 0, FLAG_AF, UNDEFINED_ALWAYS},
    {{0xF6, 0xF7}, 0x03, FLAG_AF, UNDEFINED_ALWAYS},
    {{0x27, 0x27}, 0, FLAG_OF, UNDEFINED_ALWAYS},                     /* DAA */
    {{0x2F, 0x2F}, 0, FLAG_OF, UNDEFINED_ALWAYS},                     /* DAS */
    {{0x37, 0x37}, 0, UNDEFINED_ADJUST, UNDEFINED_ALWAYS},            /* AAA */
    {{0x3F, 0x3F}, 0, UNDEFINED_ADJUST, UNDEFINED_ALWAYS},            /* AAS */
    {{0xD4, 0xD5}, 0, FLAG_OF | FLAG_AF | FLAG_CF, UNDEFINED_ALWAYS}, /* AAM, AAD */
    {{0xC0, 0xC1}, 0xF0, FLAG_AF, UNDEFINED_SHIFT},
    {{0xD0, 0xD3}, 0xF0, FLAG_AF, UNDEFINED_SHIFT},
    {{0xC0, 0xC1}, 0x0F, 0, UNDEFINED_ROTATE},
    {{0xD0, 0xD3}, 0x0F, 0, UNDEFINED_ROTATE},
    {{0x0FA4, 0x0FA5}, 0, FLAG_AF, UNDEFINED_DOUBLE},   /* SHLD */
    {{0x0FAC, 0x0FAD}, 0, FLAG_AF, UNDEFINED_DOUBLE},   /* SHRD */
    {{0x69, 0x69}, 0, UNDEFINED_MUL, UNDEFINED_ALWAYS}, /* IMUL */
    {{0x6B, 0x6B}, 0, UNDEFINED_MUL, UNDEFINED_ALWAYS},
    {{0x0FAF, 0x0FAF}, 0, UNDEFINED_MUL, UNDEFINED_ALWAYS},
    {{0xF6, 0xF7}, 0x30, UNDEFINED_MUL, UNDEFINED_ALWAYS},  /* MUL, IMUL */
    {{0xF6, 0xF7}, 0xC0, UNDEFINED_ALL, UNDEFINED_ALWAYS},  /* DIV, IDIV */
    {{0x0FA3, 0x0FA3}, 0, UNDEFINED_BIT, UNDEFINED_ALWAYS}, /* BT */
    {{0x0FAB, 0x0FAB}, 0, UNDEFINED_BIT, UNDEFINED_ALWAYS}, /* BTS */
    {{0x0FB3, 0x0FB3}, 0, UNDEFINED_BIT, UNDEFINED_ALWAYS}, /* BTR */
    {{0x0FBA, 0x0FBB}, 0, UNDEFINED_BIT, UNDEFINED_ALWAYS}, /* BT … by immediate, BTC */
    {{0x0FBC, 0x0FBD}, 0, UNDEFINED_ALL & ~(uint32_t)FLAG_ZF, UNDEFINED_ALWAYS}, /* BSF, BSR */
};

/* By how many bits a shift or rotate goes; the CPU takes five bits of it, six for an operand
 * of 64 bits. */
static inline unsigned undefined_count(const struct insn *in, uint64_t rcx) {
    bool two = in->opcode == 0x0F;
    bool by_cl = two ? in->second & 1 : (in->opcode & 0xFE) == 0xD2;
    bool by_one = !two && (in->opcode & 0xFE) == 0xD0;
    unsigned immediate = insn_byte(in, (two ? 2 : 1) + insn_modrm_length(in));
    bool wide = in->operand == 8 && (two || in->opcode & 1);
    return by_one ? 1 : (by_cl ? (unsigned)rcx : immediate) & (wide ? 63 : 31);
}

/* OF is defined for a count of 1 only; CF of SHL and SHR for one below the width. */
static inline uint32_t undefined_by_count(const struct undefined_row *row, const struct insn *in,
                                          uint64_t rcx) {
    unsigned count = undefined_count(in, rcx);
    unsigned width = 8 * (in->opcode == 0x0F || in->opcode & 1 ? in->operand : 1);
    bool arithmetic = (insn_modrm(in) >> 3 & 7) == 7; /* SAR goes on with the sign */
    if (row->more == UNDEFINED_DOUBLE && count > width)
        return UNDEFINED_ALL;
    return (count > 1 ? FLAG_OF : 0) |
           (row->more == UNDEFINED_SHIFT && count >= width && !arithmetic ? FLAG_CF : 0);
}

static inline uint32_t undefined_flags(const struct insn *in, uint64_t rcx) {
    unsigned reg = insn_modrm(in) >> 3 & 7;
    for (unsigned n = 0; n < sizeof undefined_rows / sizeof *undefined_rows; n++) {
        const struct undefined_row *row = &undefined_rows[n];
        if (!insn_in(in, row->opcodes) || (row->regs && !(row->regs >> reg & 1)))
            continue;
        return row->flags | (row->more == UNDEFINED_ALWAYS ? 0 : undefined_by_count(row, in, rcx));
    }
    return 0;
}

/* The result, too, is undefined (volume 2: BSWAP, SHLD, SHRD). */
static inline bool undefined_result(const struct insn *in, uint64_t rcx) {
    static const struct insn_span bswap = {0x0FC8, 0x0FCF}, shld = {0x0FA4, 0x0FA5},
                                  shrd = {0x0FAC, 0x0FAD};
    bool too_far = undefined_count(in, rcx) > 8 * in->operand;
    return (insn_in(in, bswap) && in->operand == 2) ||
           ((insn_in(in, shld) || insn_in(in, shrd)) && too_far);
}

#endif
