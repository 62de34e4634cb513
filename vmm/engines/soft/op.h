/* Decoded instructions, and the blocks that they are kept in.
 *
 * Rule: an op says all that its handler needs of the instruction's bytes, and nothing of the
 * machine's state but what its block is kept for: code_mode(), and where it is.
 */
#ifndef MINIKVM_SOFT_OP_H
#define MINIKVM_SOFT_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/memory/memory.h"

/* Where an op's operand E (of vectors, W) is, and what of the segments goes without saying: in flat memory
 * (segments_are_flat) neither base nor limit counts. */
enum place {
    REGISTER, MEMORY,
    FLAT,          /* and the address has no index */
    FLAT_INDEXED,
    REGISTER_FLAT, /* in a register, and the stack is flat */
    PLACES,
    SLOW = PLACES, /* anywhere: see family.h */
};
static inline bool is_flat(enum place place) {
    return place >= FLAT && place < PLACES;
}

struct soft;
struct op;
struct block;
typedef const struct op *op_fn(struct soft *, const struct op *);

/* A decoded instruction. */
struct op {
    op_fn *run;
    int64_t imm;      /* immediate or branch distance, sign-extended; a far
                         pointer is offset | selector << 32 */
    union {
        uint64_t disp; /* of the memory operand; where it is relative to RIP, its address */
        const struct block *target; /* of a jump to a constant place: where it went last time */
    };
    uint64_t mask;    /* of an effective address: 16, 32 or 64 bits */
    uint8_t start;    /* its first byte, and the one after it, counted from */
    uint8_t end;      /* the block's first */
    uint8_t index;    /* instructions before it in the block */
    uint8_t size;     /* of the operand in bytes: 1, 2, 4, 8; x87's in memory: 10, too */
    uint8_t wide;     /* 2, 4 or 8: the operand size that prefixes give */
    uint8_t reg, rm;  /* register operands: byte offsets into soft.r, or, of
                         registers that are not general, their numbers */
    uint8_t base, index_reg, scale; /* of the memory operand */
    uint8_t seg;
    uint8_t memory : 1; /* E operand: 1 memory, 0 register */
    uint8_t place : 3;  /* the same, and more: enum place */
    uint8_t data16 : 1; /* prefix 66 is there */
    uint8_t rep;      /* 0, 0xF2 or 0xF3 */
    uint8_t opcode;   /* last opcode byte */
    uint8_t modrm;
};

/* Which handler of a family (family.h) is the op's: one for each size and place. */
enum { FAMILY_SLOTS = 4 * PLACES };
static inline unsigned family_index(const struct op *op) {
    return (unsigned)__builtin_ctz(op->size) * PLACES + op->place;
}

/* A run of instructions at one place in CS, one linear and one physical address, within a
 * page; or a single one on two pages. */
struct block {
    struct block *next_hash, *next_page;
    uint64_t ip, linear, phys;
    uint64_t second; /* physical page, or NO_PAGE */
    uint64_t epoch;  /* in which it is known to be what runs at `ip` */
    uint8_t mode;    /* that it was decoded for: code_mode() */
    uint8_t bytes;
    uint8_t count;   /* instructions */
    struct op ops[];
};

enum { BLOCK_OPS = 32 }; /* at most */
extern const struct block no_block; /* runs nowhere: no epoch is 0 */

/* About so many instructions go by before the loop in soft.c has its turn: blocks, too, hand on
 * to each other, and where the compiler makes no sibling calls the stack has to hold them all. */
enum { TURN = 1024 };

/* A page that holds decoded code: which of its bytes, and the blocks that begin there. */
struct code_page {
    struct code_page *next;
    uint64_t phys;
    struct block *blocks;
    unsigned rest; /* so many of its first bytes may belong to a block that began before it */
    uint8_t bytes[PAGE_SIZE / 8]; /* one bit each */
};

/* --- cache.c: decoded blocks --- */
int cache_open(struct soft *);
void cache_close(struct soft *);
void cache_flush(struct soft *);
void cache_written(struct soft *, uint64_t phys, uint64_t length);
bool cache_has_code(struct soft *, uint64_t phys);
/* The ops at ip, which may be a block's or a single one; raises the faults of a
 * fetch. */
const struct op *ops_at(struct soft *, uint64_t ip);
const struct op *single_at(struct soft *, uint64_t ip);
/* Ends a block: counts its instructions through op and goes on at ip. */
const struct op *leave(struct soft *, const struct op *op, uint64_t ip);
/* For an op whose ip is a constant place: it remembers the block there. */
const struct op *leave_and_remember(struct soft *s, const struct op *op, uint64_t ip);
/* leave() in two halves, for those that may fault at their target. */
void retire_block(struct soft *, uint64_t ip);
const struct op *resume_at(struct soft *);

/* --- decode.c --- */
struct code {
    const uint8_t *bytes; /* from the first to decode, of one page or what was put together of two */
    unsigned length;      /* up to the end */
    uint64_t ip, linear;
    bool whole;           /* cross into the next page; fault when out of limits */
};
enum { LENGTH_MAX = 15 }; /* of an instruction */
enum decoded { DECODED, DECODED_LAST, DECODED_NOT };
/* One instruction at code->bytes + op->start. DECODED_LAST: it always leaves the
 * block. DECODED_NOT: it runs over the page (only if !whole). */
enum decoded decode(struct soft *, const struct code *, struct op *);

#endif
