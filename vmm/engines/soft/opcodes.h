/* The opcode maps: one row per opcode says how its operands are written and who
 * does it. decode.c reads them; nothing else knows how instructions look.
 */
#ifndef MINIKVM_SOFT_OPCODES_H
#define MINIKVM_SOFT_OPCODES_H

#include "vmm/engines/soft/state.h"

/* Where the operands are. */
enum operands {
    O_NONE,
    O_E,    /* ModRM: E in rm or memory, G in reg */
    O_N,    /* ModRM whose reg field is no register: left as a number */
    O_C,    /* ModRM as O_N, and rm is a register whatever mod says (MOV CR, DR) */
    O_Z,    /* the register in the opcode's low bits; G is AX */
    O_A,    /* AL, AX or EAX */
    O_MOFF, /* AL, AX or EAX is G, and E at a direct address */
    O_SEG,  /* the segment register in bits 3 to 5 of the opcode */
};

/* What follows them. */
enum immediate {
    I_NONE,
    I_V,    /* of the operand size, a byte for byte instructions */
    I_B,    /* a byte, sign-extended */
    I_W,    /* 16 bits */
    I_WB,   /* 16 bits, then a byte: ENTER */
    I_FAR,  /* an offset of the operand size and a selector */
};

enum {
    BYTE = 1,   /* operands are bytes */
    RM8 = 2,    /* E is a byte, G is not */
    RM16 = 4,   /* E is 16 bits, G as the operand size says */
    MEM = 8,    /* #UD for a register */
    LOCKS = 16, /* LOCK may precede it if E is memory */
    LAST = 32,  /* never goes on to the next instruction in line */
    REPEATS = 64, /* obeys REP; it is LAST then */
};

struct opcode {
    uint8_t operands, immediate, flags;
    op_fn *run;                 /* one handler for all sizes, or … */
    op_fn *const *family;       /* one for each, or … */
    const struct opcode *group; /* … eight rows, by ModRM's reg field */
};

extern const struct opcode opcodes[256], opcodes_0f[256];

#endif
