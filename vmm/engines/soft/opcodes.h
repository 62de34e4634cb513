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
    /* ModRM with registers that are not general (xmm, mm, st), by their numbers; the letters
     * are those of Vol. 2D, A.2.1: */
    O_VW,   /* reg and rm are numbers */
    O_VE,   /* reg is a number; E in rm or memory */
    O_GW,   /* rm is a number; G in reg */
    O_SSE,  /* the row is in opcodes_sse[] */
    O_X87,  /* ModRM as O_N; the row is in x87_rows.c */
};

/* What follows them. */
enum immediate {
    I_NONE,
    I_V,    /* of the operand size but 4 bytes at most, a byte for byte instructions */
    I_Q,    /* of the operand size, 8 bytes too */
    I_B,    /* a byte, sign-extended */
    I_W,    /* 16 bits */
    I_WB,   /* 16 bits, then a byte: ENTER */
    I_FAR,  /* an offset of the operand size and a selector */
};

enum {
    BYTE = 1,   /* operands are bytes */
    RM8 = 2,    /* E is a byte, G is not */
    RM16 = 4,   /* E is 16 bits, G as the operand size says */
    RM32 = 8,   /* E is at most 32 bits, G as the operand size says */
    MEM = 16,   /* #UD for a register */
    LOCKS = 32, /* LOCK may precede it if E is memory */
    LAST = 64,  /* never goes on to the next instruction in line */
    REPEATS = 128, /* obeys REP; it is LAST then */
    /* What is different in 64-bit code (Vol. 2D, A.2.5): */
    INVALID64 = 256,  /* #UD */
    DEFAULT64 = 512,  /* the operand size is 8, or 2 with 66 */
    FORCE64 = 1024,   /* it is 8; AMD's obey 66 */
    NEVER64 = 2048,   /* it is 4 at most */
    ONLY_REG = 4096,  /* #UD for memory */
};

/* The rows of struct opcode.prefixes. */
enum { PREFIX_NONE, PREFIX_66, PREFIX_F3, PREFIX_F2 };

struct opcode {
    uint8_t operands, immediate;
    uint16_t flags;
    uint64_t needs;             /* features: without all of them it is #UD */
    op_fn *run;                 /* one handler for all sizes, or … */
    op_fn *const *family;       /* one for each, or … */
    op_fn *const *conditions;   /* one for each condition, which the opcode ends with, or … */
    op_fn *const *places;       /* one for each place of W, or … */
    op_fn *const *numbered;     /* eight, by ModRM's reg field */
    /* Other rows in the place of this one: */
    const struct opcode *group;     /* eight, by ModRM's reg field */
    const struct opcode *registers; /* eight, by ModRM's rm field, if E is a register */
    const struct opcode *prefixes;  /* four, by a mandatory prefix; 66 is no operand size then */
    const struct opcode *code64;    /* one, in 64-bit code */
};

extern const struct opcode opcodes[256], opcodes_0f[256];

/* MMX and SSE: a row is chosen by the prefix, too; the maps behind 0F, 0F 38 and 0F 3A. */
struct sse_opcode {
    op_fn *run, *const *places, *const *numbered;
    uint64_t needs;
    uint8_t operands, immediate;
    uint16_t flags;
};
extern const struct sse_opcode opcodes_sse[256][4], opcodes_0f38[256][4], opcodes_0f3a[256][4];

#endif
