/* The shortest possible look at an instruction: prefixes, opcode, ModRM operand.
 * For those who must know what comes next without executing it (exact steps,
 * `monitor explain`). The built-in CPU has a decoder of its own.
 *
 * Rule: what cannot be read (`there` bytes only) reads as zero, never beyond.
 */
#ifndef MINIKVM_INSN_H
#define MINIKVM_INSN_H

#include "vmm/memory/memory.h"
#include "vmm/x86/state.h"

enum { INSN_MAX = 15 }; /* bytes (volume 2, 2.3.11) */

struct insn {
    uint64_t pc; /* linear */
    uint8_t bytes[INSN_MAX + 1];
    size_t there;      /* bytes that could be read */
    unsigned prefixes; /* how many of them are prefixes */
    bool rep;
    bool data16;       /* prefix 66 */
    unsigned operand;  /* size in bytes: 2, 4 or 8 */
    unsigned address;  /* likewise */
    int segment;       /* override: ES CS SS DS FS GS = 0 to 5, or -1 */
    uint8_t rex;
    uint8_t opcode;    /* behind the prefixes */
    uint8_t second;    /* of 0F xx, else 0 */
};

void insn_read(const struct memory *, const struct cpu_state *, uint64_t pc, struct insn *);
/* Byte i behind the prefixes; 0 is the opcode. */
uint8_t insn_byte(const struct insn *, unsigned i);
/* The ModRM byte, for opcodes that have one. */
uint8_t insn_modrm(const struct insn *);
/* Bytes of ModRM, SIB and displacement together. */
unsigned insn_modrm_length(const struct insn *);
/* A little-endian number of the instruction, `at` bytes behind the prefixes. */
uint64_t insn_immediate(const struct insn *, unsigned at, unsigned size);

/* Opcodes from first to last; of two bytes as 0x0F40. */
struct insn_span {
    uint16_t first, last;
};
bool insn_in(const struct insn *, struct insn_span);
bool insn_in_any(const struct insn *, const struct insn_span *, size_t count);
bool insn_has_modrm(const struct insn *);

/* A string instruction: INS OUTS MOVS CMPS STOS LODS SCAS. */
bool insn_is_string(const struct insn *);

/* What ModRM's r/m field names. */
struct insn_place {
    bool memory;
    unsigned number;                  /* register, when not memory */
    const struct kvm_segment *segment;
    uint64_t offset, linear;
};
struct insn_place insn_operand(const struct insn *, const struct cpu_state *);
/* Of a string instruction what it accesses: source, destination, or both; how many. */
unsigned insn_string(const struct insn *, const struct cpu_state *, struct insn_place place[2]);
/* MOV of the accumulator from or to an offset that follows the opcode. */
bool insn_moffs(const struct insn *, const struct cpu_state *, struct insn_place *);

/* General register by number, at full width. */
uint64_t insn_register(const struct cpu_state *, unsigned number);
const char *insn_segment_name(const struct cpu_state *, const struct kvm_segment *);

#endif
