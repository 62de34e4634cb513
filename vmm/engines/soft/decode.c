/* From bytes to `struct op`: prefixes, opcode, ModRM and SIB, displacement,
 * immediate (Vol. 2A chapter 2).
 *
 * Rule: decoding itself raises nothing but the faults of fetching: what cannot
 * be executed becomes an op that raises #UD (or #GP, if longer than 15 bytes),
 * so decoding ahead is harmless. Long mode would add REX to prefixes(), a third
 * operand size to sizes(), and RIP to the forms of an address.
 */
#include <string.h>

#include "vmm/engines/soft/access.h"
#include "vmm/engines/soft/handlers.h"
#include "vmm/engines/soft/opcodes.h"

#define LENGTH_MAX 15

struct decoder {
    struct soft *s;
    const struct code *code;
    struct op *op;
    unsigned at;       /* next byte, from the instruction's first */
    bool off_page;     /* ran over it, and may not */
    bool off_length;   /* ran over 15 bytes */
    bool big_operand, big_address;
    bool lock;
    int seg;           /* of the override prefix, or -1 */
};

/* The byte at `at` is outside the page: the next one's, by a fetch of its own. */
static uint8_t byte_beyond(struct decoder *d, unsigned offset) {
    uint64_t linear = (uint32_t)(d->code->linear + offset);
    struct tlb_entry *e = translate(d->s, linear, ACCESS_FETCH, d->s->cpl == 3);
    uint8_t byte;
    memory_read(d->s->cpu->memory, e->phys | (linear & 0xFFF), &byte, 1);
    return byte;
}

static uint8_t next(struct decoder *d) {
    unsigned offset = d->op->start + d->at;
    if (d->at >= LENGTH_MAX) {
        d->off_length = true;
        return 0;
    }
    d->at++;
    if (d->code->whole && d->code->ip + offset > d->s->seg[S_CS].k.limit)
        raise_gp0(d->s);
    if (LIKELY(offset < d->code->length))
        return d->code->bytes[offset];
    if (d->code->whole)
        return byte_beyond(d, offset);
    d->off_page = true;
    return 0;
}

static uint64_t next_value(struct decoder *d, unsigned size) {
    uint64_t value = 0;
    for (unsigned n = 0; n < size; n++)
        value |= (uint64_t)next(d) << 8 * n;
    return value;
}

static uint64_t next_signed(struct decoder *d, unsigned size) {
    uint64_t value = next_value(d, size);
    return size == 1 ? (uint64_t)(int8_t)value
                     : size == 2 ? (uint64_t)(int16_t)value : (uint64_t)(int32_t)value;
}

/* Takes all prefixes; returns the opcode's first byte. */
static uint8_t prefixes(struct decoder *d) {
    bool big = d->s->seg[S_CS].k.db;
    d->big_operand = d->big_address = big;
    for (;;) {
        uint8_t byte = next(d);
        switch (byte) {
        case 0x26: case 0x2E: case 0x36: case 0x3E: d->seg = byte >> 3 & 3; break;
        case 0x64: case 0x65: d->seg = byte - 0x60; break;
        case 0x66: d->big_operand = !big; break;
        case 0x67: d->big_address = !big; break;
        case 0xF0: d->lock = true; break;
        case 0xF2: case 0xF3: d->op->rep = byte; break;
        default: return byte; /* or next()'s 0 when there are no more */
        }
    }
}

/* A register operand as a byte offset into soft.r: AH is byte 1 of AX. */
static uint8_t reg_offset(unsigned number, unsigned size) {
    return (uint8_t)(size == 1 ? (number & 3) * 8 + (number >> 2) : number * 8);
}

static void sib(struct decoder *d, unsigned mod) {
    struct op *op = d->op;
    uint8_t byte = next(d);
    op->scale = byte >> 6;
    op->index_reg = (byte >> 3 & 7) == R_SP ? R_ZERO : byte >> 3 & 7;
    op->base = byte & 7;
    if (op->base == R_BP && mod == 0) {
        op->base = R_ZERO;
        op->disp = (uint32_t)next_value(d, 4);
    }
}

static void address32(struct decoder *d, unsigned mod, unsigned rm) {
    struct op *op = d->op;
    op->base = (uint8_t)rm;
    if (rm == R_SP) {
        sib(d, mod);
    } else if (rm == R_BP && mod == 0) {
        op->base = R_ZERO;
        op->disp = (uint32_t)next_value(d, 4);
    }
    if (op->base == R_SP || op->base == R_BP)
        op->seg = S_SS;
    if (mod)
        op->disp = (uint32_t)next_signed(d, mod == 1 ? 1 : 4);
}

static void address16(struct decoder *d, unsigned mod, unsigned rm) {
    static const uint8_t bases[8] = {R_BX, R_BX, R_BP, R_BP, R_SI, R_DI, R_BP, R_BX};
    static const uint8_t indexes[8] = {R_SI, R_DI, R_SI, R_DI, R_ZERO, R_ZERO, R_ZERO, R_ZERO};
    struct op *op = d->op;
    op->base = bases[rm];
    op->index_reg = indexes[rm];
    if (rm == 6 && mod == 0) {
        op->base = R_ZERO;
        op->disp = (uint32_t)next_value(d, 2);
    }
    if (op->base == R_BP)
        op->seg = S_SS;
    if (mod)
        op->disp = (uint32_t)next_signed(d, mod);
}

static void modrm(struct decoder *d, const struct opcode *row, uint8_t byte) {
    struct op *op = d->op;
    unsigned mod = byte >> 6, reg = byte >> 3 & 7, rm = byte & 7;
    op->reg = row->operands == O_E ? reg_offset(reg, row->flags & BYTE ? 1 : op->wide)
                                   : (uint8_t)reg;
    if (mod == 3 || row->operands == O_C) {
        op->rm = reg_offset(rm, op->size);
        return;
    }
    op->memory = 1;
    if (d->big_address)
        address32(d, mod, rm);
    else
        address16(d, mod, rm);
}

static void sizes(struct decoder *d, const struct opcode *row) {
    struct op *op = d->op;
    op->wide = d->big_operand ? 4 : 2;
    op->size = row->flags & (BYTE | RM8) ? 1 : row->flags & RM16 ? 2 : op->wide;
}

static void operands(struct decoder *d, const struct opcode *row, uint8_t byte) {
    struct op *op = d->op;
    unsigned number = op->opcode & 7;
    switch (row->operands) {
    case O_E: case O_N: case O_C:
        modrm(d, row, byte);
        break;
    case O_Z:
        op->rm = reg_offset(number, op->size);
        break;
    case O_MOFF:
        op->memory = 1;
        op->disp = (uint32_t)next_value(d, d->big_address ? 4 : 2);
        break;
    case O_SEG:
        op->reg = op->opcode >> 3 & 7;
        break;
    }
}

static void immediate(struct decoder *d, const struct opcode *row) {
    struct op *op = d->op;
    switch (row->immediate) {
    case I_V:
        op->imm = (int64_t)next_signed(d, row->flags & BYTE ? 1 : op->wide);
        break;
    case I_B:
        op->imm = (int64_t)next_signed(d, 1);
        break;
    case I_W:
        op->imm = (int64_t)next_value(d, 2);
        break;
    case I_WB:
        op->imm = (int64_t)next_value(d, 3);
        break;
    case I_FAR:
        op->imm = (int64_t)next_value(d, op->wide);
        op->imm |= (int64_t)(next_value(d, 2) << 32);
        break;
    }
}

/* Segment and other register numbers that do not exist (Vol. 2A/2B, MOV). */
static bool numbers_exist(const struct op *op, const struct opcode *row) {
    if (row->run == mov_se)
        return op->reg <= S_GS && op->reg != S_CS;
    if (row->run == mov_es)
        return op->reg <= S_GS;
    if (row->run == mov_cr || row->run == mov_rc)
        return op->reg == 0 || (op->reg >= 2 && op->reg <= 4);
    return true;
}

static op_fn *handler(const struct decoder *d, const struct opcode *row) {
    const struct op *op = d->op;
    if (d->off_length)
        return too_long;
    if ((row->flags & MEM && !op->memory) || !numbers_exist(op, row))
        return undefined;
    if (d->lock && !(row->flags & LOCKS && op->memory))
        return undefined;
    if (row->family)
        return row->family[family_index(op)];
    if (row->run)
        return row->run;
    return row->immediate ? jcc[op->opcode & 15] : undefined;
}

static const struct opcode *row_of(struct decoder *d, uint8_t first) {
    d->op->opcode = first;
    if (first != 0x0F)
        return &opcodes[first];
    d->op->opcode = next(d);
    return &opcodes_0f[d->op->opcode];
}

enum decoded decode(struct soft *s, const struct code *code, struct op *op) {
    struct decoder d = {.s = s, .code = code, .op = op, .seg = -1};
    uint8_t start = op->start, index = op->index, byte = 0;
    *op = (struct op){.start = start, .index = index, .base = R_ZERO, .index_reg = R_ZERO,
                      .seg = S_DS};
    const struct opcode *row = row_of(&d, prefixes(&d));
    if (row->operands == O_E || row->operands == O_N || row->operands == O_C)
        byte = next(&d);
    if (row->group)
        row = &row->group[byte >> 3 & 7];
    op->mask = d.big_address ? 0xFFFFFFFF : 0xFFFF;
    sizes(&d, row);
    operands(&d, row, byte);
    immediate(&d, row);
    if (d.seg >= 0)
        op->seg = (uint8_t)d.seg;
    if (d.off_page)
        return DECODED_NOT;
    op->end = (uint8_t)(start + d.at);
    op->run = handler(&d, row);
    bool last = row->flags & LAST || (row->flags & REPEATS && op->rep) ||
                op->run == undefined || op->run == too_long;
    return last ? DECODED_LAST : DECODED;
}
