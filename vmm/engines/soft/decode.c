/* From bytes to `struct op`: prefixes, opcode, ModRM and SIB, displacement,
 * immediate (Vol. 2A chapter 2).
 *
 * Rule: decoding itself raises nothing but the faults of fetching: what cannot
 * be executed becomes an op that raises #UD (or #GP, if longer than 15 bytes),
 * so decoding ahead is harmless.
 */
#include <string.h>

#include "vmm/engines/soft/access.h"
#include "vmm/engines/soft/flags.h"
#include "vmm/engines/soft/handlers.h"
#include "vmm/engines/soft/opcodes.h"
#include "vmm/engines/soft/x87.h"

struct decoder {
    struct soft *s;
    const struct code *code;
    struct op *op;
    unsigned at;       /* next byte, from the instruction's first */
    bool off_page;     /* ran over it, and may not */
    bool off_length;   /* ran over 15 bytes */
    bool other_address; /* prefix 67 */
    bool mandatory;    /* 66, F2 or F3 is part of the opcode */
    bool lock;
    bool rip_relative;
    uint8_t rex;       /* 0: none */
    unsigned address_size;
    int seg;           /* of the override prefix, or -1 */
    struct opcode sse; /* a row made of one of struct sse_opcode */
};

/* REX (Vol. 2A §2.2.1): the bits as what they add to a register's number. */
enum { REX_B = 1, REX_X = 2, REX_R = 4, REX_W = 8 };
static uint8_t rex_b(const struct decoder *d) { return d->rex & REX_B ? 8 : 0; }
static uint8_t rex_x(const struct decoder *d) { return d->rex & REX_X ? 8 : 0; }
static uint8_t rex_r(const struct decoder *d) { return d->rex & REX_R ? 8 : 0; }

/* The byte at `at` is outside the page: the next one's, by a fetch of its own. */
static uint8_t byte_beyond(struct decoder *d, unsigned offset) {
    uint64_t linear = wrap_linear(d->s, d->code->linear + offset);
    struct tlb_entry *e = translate(d->s, linear, ACCESS_FETCH, d->s->rights);
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
    if (d->code->whole && !ip_exists(d->s, d->code->ip + offset))
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
    return extend(next_value(d, size), size);
}

/* REX counts only right before the opcode. */
static bool is_rex(const struct decoder *d, uint8_t byte) {
    return code64(d->s) && (byte & 0xF0) == 0x40;
}

/* In 64-bit code only FS and GS can be chosen. */
static void override(struct decoder *d, uint8_t byte) {
    bool fs_gs = byte >= 0x64;
    if (fs_gs || !code64(d->s))
        d->seg = fs_gs ? byte - 0x60 : byte >> 3 & 3;
}

/* Takes all prefixes; returns the opcode's first byte. */
static uint8_t prefixes(struct decoder *d) {
    for (;;) {
        uint8_t byte = next(d);
        switch (byte) {
        case 0x26: case 0x2E: case 0x36: case 0x3E:
        case 0x64: case 0x65: override(d, byte); break;
        case 0x66: d->op->data16 = 1; break;
        case 0x67: d->other_address = true; break;
        case 0xF0: d->lock = true; break;
        case 0xF2: case 0xF3: d->op->rep = byte; break;
        default:
            if (!is_rex(d, byte))
                return byte; /* or next()'s 0 when there are no more */
        }
        d->rex = is_rex(d, byte) ? byte : 0;
    }
}

/* A register operand as a byte offset into soft.r: without REX, AH is byte 1 of AX. */
static uint8_t reg_offset(const struct decoder *d, unsigned number, unsigned size) {
    bool high = size == 1 && !d->rex && number & 4;
    return (uint8_t)(high ? (number & 3) * 8 + 1 : number * 8);
}

static void sib(struct decoder *d, unsigned mod) {
    struct op *op = d->op;
    uint8_t byte = next(d);
    unsigned index = (byte >> 3 & 7) | rex_x(d);
    op->scale = byte >> 6;
    op->index_reg = index == R_SP ? R_ZERO : (uint8_t)index;
    op->base = (byte & 7) | rex_b(d);
    if ((byte & 7) == R_BP && mod == 0) {
        op->base = R_ZERO;
        op->disp = next_signed(d, 4);
    }
}

/* An address of 32 or 64 bits. What in 64-bit code is relative to RIP, only SIB can say
 * absolutely. */
static void address_wide(struct decoder *d, unsigned mod, unsigned rm) {
    struct op *op = d->op;
    op->base = (uint8_t)(rm | rex_b(d));
    if (rm == R_SP) {
        sib(d, mod);
    } else if (rm == R_BP && mod == 0) {
        op->base = R_ZERO;
        op->disp = next_signed(d, 4);
        d->rip_relative = code64(d->s);
    }
    if (op->base == R_SP || op->base == R_BP)
        op->seg = S_SS;
    if (mod)
        op->disp = next_signed(d, mod == 1 ? 1 : 4);
}

static void address16(struct decoder *d, unsigned mod, unsigned rm) {
    static const uint8_t bases[8] = {R_BX, R_BX, R_BP, R_BP, R_SI, R_DI, R_BP, R_BX};
    static const uint8_t indexes[8] = {R_SI, R_DI, R_SI, R_DI, R_ZERO, R_ZERO, R_ZERO, R_ZERO};
    struct op *op = d->op;
    op->base = bases[rm];
    op->index_reg = indexes[rm];
    if (rm == 6 && mod == 0) {
        op->base = R_ZERO;
        op->disp = next_value(d, 2);
    }
    if (op->base == R_BP)
        op->seg = S_SS;
    if (mod)
        op->disp = next_signed(d, mod);
}

/* What the reg and rm fields mean. Of MOV CR and DR, and of xmm registers, REX makes the
 * number larger; of a group or a segment register it does not. */
static uint8_t reg_field(const struct decoder *d, const struct opcode *row, unsigned reg) {
    unsigned wide = reg | rex_r(d);
    switch (row->operands) {
    case O_E: case O_GW: return reg_offset(d, wide, row->flags & BYTE ? 1 : d->op->wide);
    case O_C: case O_VW: case O_VE: return (uint8_t)wide;
    default: return (uint8_t)reg;
    }
}

static uint8_t rm_field(const struct decoder *d, const struct opcode *row, unsigned rm) {
    bool number = row->operands == O_VW || row->operands == O_GW;
    rm |= rex_b(d);
    return number ? (uint8_t)rm : reg_offset(d, rm, d->op->size);
}

static void modrm(struct decoder *d, const struct opcode *row, uint8_t byte) {
    struct op *op = d->op;
    unsigned mod = byte >> 6, rm = byte & 7;
    op->modrm = byte;
    op->reg = reg_field(d, row, byte >> 3 & 7);
    if (mod == 3 || row->operands == O_C) {
        op->rm = rm_field(d, row, rm);
        return;
    }
    op->memory = 1;
    if (d->address_size == 2)
        address16(d, mod, rm);
    else
        address_wide(d, mod, rm);
}

/* The operand size that prefixes and mode give (Vol. 1 §3.6). */
static unsigned wide_of(const struct decoder *d, const struct opcode *row) {
    bool data16 = d->op->data16;
    if (d->mandatory)
        return d->rex & REX_W ? 8 : 4;
    if (!code64(d->s))
        return data16 == (d->s->width == 2) ? 4 : 2;
    if (row->flags & FORCE64)
        return d->s->amd && data16 && !(d->rex & REX_W) ? 2 : 8;
    if (d->rex & REX_W)
        return row->flags & NEVER64 ? 4 : 8;
    return data16 ? 2 : row->flags & DEFAULT64 ? 8 : 4;
}

static void sizes(struct decoder *d, const struct opcode *row) {
    struct op *op = d->op;
    op->wide = (uint8_t)wide_of(d, row);
    op->size = row->flags & (BYTE | RM8) ? 1 : row->flags & RM16 ? 2 : op->wide;
    if (row->flags & RM32 && op->wide == 8)
        op->size = 4;
}

static void operands(struct decoder *d, const struct opcode *row, uint8_t byte) {
    struct op *op = d->op;
    switch (row->operands) {
    case O_Z:
        op->rm = reg_offset(d, (op->opcode & 7) | rex_b(d), op->size);
        break;
    case O_MOFF:
        op->memory = 1;
        op->disp = next_value(d, d->address_size);
        break;
    case O_SEG:
        op->reg = op->opcode >> 3 & 7;
        break;
    case O_NONE: case O_A:
        break;
    default:
        modrm(d, row, byte);
        break;
    }
}

static void immediate(struct decoder *d, const struct opcode *row) {
    struct op *op = d->op;
    unsigned size = row->flags & BYTE ? 1 : op->wide;
    switch (row->immediate) {
    case I_V:
        op->imm = (int64_t)next_signed(d, size == 8 ? 4 : size);
        break;
    case I_Q:
        op->imm = (int64_t)next_signed(d, size);
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
static bool numbers_exist(const struct decoder *d, const struct opcode *row) {
    const struct op *op = d->op;
    if (row->run == mov_se)
        return op->reg <= S_GS && op->reg != S_CS;
    if (row->run == mov_es)
        return op->reg <= S_GS;
    if (row->run == mov_cr || row->run == mov_rc)
        return op->reg == 0 || (op->reg >= 2 && op->reg <= 4) || op->reg == 8;
    if (row->run == mov_dr || row->run == mov_rd)
        return op->reg < 8;
    return true;
}

static op_fn *handler(const struct decoder *d, const struct opcode *row) {
    const struct op *op = d->op;
    op_fn *run = row->family       ? row->family[family_index(op)]
                 : row->conditions ? row->conditions[op->opcode & 15]
                 : row->places     ? row->places[op->place]
                 : row->numbered   ? row->numbered[op->modrm >> 3 & 7]
                                   : row->run;
    if (row->operands == O_X87)
        run = x87_choose(d->s, d->op);
    if (d->off_length)
        return too_long;
    if ((row->flags & MEM && !op->memory) || (row->flags & ONLY_REG && op->memory) ||
        !numbers_exist(d, row))
        return undefined;
    if (d->lock && !(row->flags & LOCKS && op->memory))
        return undefined;
    if ((row->flags & INVALID64 && code64(d->s)) || row->needs & ~d->s->features)
        return undefined;
    return run ? run : undefined;
}

/* Where E is, for handlers that are there once for each place. */
static enum place where_e_is(const struct decoder *d) {
    const struct op *op = d->op;
    bool flat = d->s->flat && (op->seg == S_DS || op->seg == S_SS || op->seg == S_ES);
    if (op->memory)
        return !flat ? MEMORY : op->index_reg == R_ZERO ? FLAT : FLAT_INDEXED;
    return d->s->flat ? REGISTER_FLAT : REGISTER;
}

/* --- finding the row --- */

/* F2 and F3 go before 66, and of these two the last counts. */
static unsigned mandatory_prefix(const struct op *op) {
    if (op->rep)
        return op->rep == 0xF3 ? PREFIX_F3 : PREFIX_F2;
    return op->data16 ? PREFIX_66 : PREFIX_NONE;
}

static const struct opcode *by_prefix(struct decoder *d, const struct opcode four[4]) {
    d->mandatory = true;
    return &four[mandatory_prefix(d->op)];
}

static const struct opcode *sse_row(struct decoder *d, const struct sse_opcode four[4]) {
    const struct sse_opcode *row = &four[mandatory_prefix(d->op)];
    d->mandatory = true;
    d->sse = (struct opcode){.operands = row->operands, .immediate = row->immediate,
                             .flags = row->flags, .needs = row->needs, .run = row->run,
                             .places = row->places, .numbered = row->numbered};
    return &d->sse;
}

static const struct opcode *first_row(struct decoder *d, uint8_t first) {
    uint8_t second = first == 0x0F ? next(d) : 0;
    bool third = second == 0x38 || second == 0x3A;
    uint8_t opcode = first != 0x0F ? first : third ? next(d) : second;
    d->op->opcode = opcode;
    if (third)
        return sse_row(d, second == 0x38 ? opcodes_0f38[opcode] : opcodes_0f3a[opcode]);
    if (first == 0x0F && opcodes_0f[opcode].operands == O_SSE)
        return sse_row(d, opcodes_sse[opcode]);
    return first == 0x0F ? &opcodes_0f[opcode] : &opcodes[opcode];
}

static bool has_modrm(const struct opcode *row) {
    switch (row->operands) {
    case O_E: case O_N: case O_C: case O_VW: case O_VE: case O_GW: case O_X87: return true;
    default: return false;
    }
}

/* From row to row until it is the instruction's own. */
static const struct opcode *own_row(struct decoder *d, const struct opcode *row, uint8_t byte) {
    for (;;) {
        if (row->code64 && code64(d->s)) {
            row = row->code64;
        } else if (row->prefixes) {
            row = by_prefix(d, row->prefixes);
        } else if (row->registers && byte >= 0xC0) {
            row = &row->registers[byte & 7];
        } else if (row->group) {
            row = &row->group[byte >> 3 & 7];
        } else {
            return row;
        }
    }
}

/* 67 gives the other address size of the mode (Vol. 1, tables 3-3 and 3-4). */
static void address_size(struct decoder *d) {
    unsigned width = d->s->width;
    d->address_size = !d->other_address ? width : width == 4 ? 2 : 4;
    d->op->mask = mask_of(d->address_size);
}

enum decoded decode(struct soft *s, const struct code *code, struct op *op) {
    struct decoder d = {.s = s, .code = code, .op = op, .seg = -1};
    uint8_t start = op->start, index = op->index, byte = 0;
    *op = (struct op){.start = start, .index = index, .base = R_ZERO, .index_reg = R_ZERO,
                      .seg = S_DS};
    const struct opcode *row = first_row(&d, prefixes(&d));
    if (has_modrm(row))
        byte = next(&d);
    row = own_row(&d, row, byte);
    address_size(&d);
    sizes(&d, row);
    operands(&d, row, byte);
    immediate(&d, row);
    if (d.seg >= 0)
        op->seg = (uint8_t)d.seg;
    if (d.off_page)
        return DECODED_NOT;
    op->end = (uint8_t)(start + d.at);
    if (d.rip_relative)
        op->disp += code->ip + op->end;
    if (!op->memory)
        op->target = &no_block;
    op->place = where_e_is(&d);
    op->run = handler(&d, row);
    bool last = row->flags & LAST || (row->flags & REPEATS && op->rep) ||
                op->run == undefined || op->run == too_long;
    return last ? DECODED_LAST : DECODED;
}
