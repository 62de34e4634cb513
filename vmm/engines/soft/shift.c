/* Shifts and rotates, double shifts, and single bits: BT to BTC, BSF, BSR,
 * BSWAP.
 *
 * The count is taken modulo 32, of 64-bit operands 64 (Vol. 2B, SAL); a count of 0 changes
 * nothing.
 */
#include "vmm/engines/soft/family.h"
#include "vmm/engines/soft/flags.h"
#include "vmm/engines/soft/handlers.h"

typedef unsigned __int128 uint128_t;

ALWAYS bool bit(uint64_t value, unsigned n) {
    return value >> n & 1;
}

ALWAYS unsigned count_of(uint64_t count, unsigned size) {
    return count & (size == 8 ? 63 : 31);
}

/* ROL and ROR by a multiple of the width still set CF. */
ALWAYS uint64_t rotate(struct soft *s, uint64_t a, unsigned count, unsigned size, bool left) {
    unsigned width = 8 * size, by = (left ? count : width - count % width) % width;
    uint64_t r = ((a << by) | (by ? a >> (width - by) : 0)) & mask_of(size);
    bool top = bit(r, width - 1);
    if (left)
        set_cf_of(s, r & 1, (r & 1) != top);
    else
        set_cf_of(s, top, top != bit(r, width - 2));
    return r;
}

/* RCL and RCR turn through CF: width + 1 bits. */
ALWAYS uint64_t rotate_carry(struct soft *s, uint64_t a, unsigned count, unsigned size, bool left) {
    unsigned width = 8 * size, by = count % (width + 1);
    if (!left)
        by = (width + 1 - by) % (width + 1);
    uint64_t r = a;
    bool cf = get_cf(s);
    if (by) {
        /* a is below the carry: the pair turned left by `by`. */
        uint128_t pair = a | (uint128_t)cf << width, turned;
        turned = pair << by | pair >> (width + 1 - by);
        cf = turned >> width & 1;
        r = (uint64_t)turned & mask_of(size);
    }
    bool top = bit(r, width - 1);
    set_cf_of(s, cf, left ? cf != top : top != bit(r, width - 2));
    return r;
}

ALWAYS uint64_t shift_left(struct soft *s, uint64_t a, unsigned count, unsigned size) {
    unsigned width = 8 * size;
    uint64_t r = a << count;
    flags_result(s, r, size);
    if (size == 8)
        set_carries(s, bit(a, 64 - count), bit(a, 64 - count) != bit(r, 63), false);
    else
        s->carry = r << (63 - width); /* OF says that the top bit is not CF */
    return r;
}

ALWAYS uint64_t shift_right(struct soft *s, uint64_t a, unsigned count, unsigned size) {
    uint64_t r = a >> count;
    flags_result(s, r, size);
    set_carries(s, bit(a, count - 1), bit(a >> (count - 1), 8 * size - 1), false);
    return r;
}

ALWAYS uint64_t shift_arithmetic(struct soft *s, uint64_t a, unsigned count, unsigned size) {
    int64_t wide = (int64_t)extend(a, size);
    uint64_t r = (uint64_t)(wide >> count);
    flags_result(s, r, size);
    set_carries(s, wide >> (count - 1) & 1, false, false);
    return r;
}

ALWAYS uint64_t rotate_left(struct soft *s, uint64_t a, unsigned count, unsigned size) {
    return rotate(s, a, count, size, true);
}
ALWAYS uint64_t rotate_right(struct soft *s, uint64_t a, unsigned count, unsigned size) {
    return rotate(s, a, count, size, false);
}
ALWAYS uint64_t rotate_carry_left(struct soft *s, uint64_t a, unsigned count, unsigned size) {
    return rotate_carry(s, a, count, size, true);
}
ALWAYS uint64_t rotate_carry_right(struct soft *s, uint64_t a, unsigned count, unsigned size) {
    return rotate_carry(s, a, count, size, false);
}

typedef uint64_t shift_fn(struct soft *, uint64_t a, unsigned count, unsigned size);

ALWAYS const struct op *shift_by(struct soft *s, const struct op *op, unsigned size, struct e e,
                                 unsigned count, shift_fn *shift) {
    uint64_t a = read_e(s, op, size, e);
    if (LIKELY(count))
        write_e(s, op, size, e, shift(s, a, count, size));
    else if (e.place == REGISTER)
        set_reg(s, op->rm, size, a); /* which clears what is above 32 bits */
    return done(s, op, e);
}

/* By 1, by an immediate, by CL. */
#define SHIFT_BY(name, count, shift)                                                               \
    ALWAYS const struct op *name(struct soft *s, const struct op *op, unsigned size, struct e e) { \
        return shift_by(s, op, size, e, count, shift);                                             \
    }                                                                                              \
    FAMILY_WRITES(name)
#define SHIFT(name, shift)                                                                         \
    SHIFT_BY(name##_1, 1, shift)                                                                   \
    SHIFT_BY(name##_i, count_of((uint64_t)op->imm, size), shift)                                   \
    SHIFT_BY(name##_cl, count_of(s->r[R_CX], size), shift)

SHIFT(rol, rotate_left)
SHIFT(ror, rotate_right)
SHIFT(rcl, rotate_carry_left)
SHIFT(rcr, rotate_carry_right)
SHIFT(shl, shift_left)
SHIFT(shr, shift_right)
SHIFT(sar, shift_arithmetic)

/* SHLD, SHRD: E filled from G. A 16-bit operand shifted by more than 16 goes on
 * with its own bits again, as current parts do. */
static const struct op *shift_double(struct soft *s, const struct op *op, unsigned count,
                                     bool left) {
    unsigned size = op->size, width = 8 * size;
    uint64_t a = get_e_rw(s, op, size, op->memory), b = get_reg(s, op->reg, size), r;
    count = count_of(count, size);
    if (!count) {
        if (!op->memory)
            set_reg(s, op->rm, size, a);
        return next_op_after_e(s, op);
    }
    uint128_t wide = left ? (uint128_t)a << width | b : (uint128_t)b << width | a;
    if (size == 2)
        wide = a << 32 | b << 16 | a;
    unsigned top = size == 2 ? 48 : 2 * width;
    bool cf = wide >> (left ? top - count : count - 1) & 1;
    r = (uint64_t)(wide >> (left ? top - width - count : count)) & mask_of(size);
    put_e(s, op, size, op->memory, r);
    flags_result(s, r, size);
    bool other = left ? cf : bit(r, width - 2);
    set_carries(s, cf, bit(r, width - 1) != other, false);
    return next_op_after_e(s, op);
}

const struct op *shld_i(struct soft *s, const struct op *op) {
    return shift_double(s, op, (uint8_t)op->imm, true);
}
const struct op *shld_cl(struct soft *s, const struct op *op) {
    return shift_double(s, op, (uint8_t)s->r[R_CX], true);
}
const struct op *shrd_i(struct soft *s, const struct op *op) {
    return shift_double(s, op, (uint8_t)op->imm, false);
}
const struct op *shrd_cl(struct soft *s, const struct op *op) {
    return shift_double(s, op, (uint8_t)s->r[R_CX], false);
}

/* --- single bits --- */

enum bit_action { BIT_TEST, BIT_SET, BIT_RESET, BIT_COMPLEMENT };

static uint64_t bit_done(enum bit_action action, uint64_t value, uint64_t mask) {
    switch (action) {
    case BIT_SET: return value | mask;
    case BIT_RESET: return value & ~mask;
    default: return value ^ mask;
    }
}

/* In memory the bit number, signed, reaches beyond the operand (`far`). */
static const struct op *bit_op(struct soft *s, const struct op *op, enum bit_action action,
                               int64_t number, bool far) {
    unsigned size = op->size, width = 8 * size;
    uint64_t mask = 1ull << (number & (width - 1)), offset = 0, value;
    if (op->memory) {
        int64_t step = far ? (number >> (__builtin_ctz(size) + 3)) * size : 0;
        offset = (address(s, op) + (uint64_t)step) & op->mask;
        value = action == BIT_TEST ? load(s, op->seg, offset, size)
                                   : load_rw(s, op->seg, offset, size);
    } else {
        value = get_reg(s, op->rm, size);
    }
    if (action != BIT_TEST && op->memory)
        store(s, op->seg, offset, size, bit_done(action, value, mask));
    else if (action != BIT_TEST)
        set_reg(s, op->rm, size, bit_done(action, value, mask));
    set_cf(s, value & mask);
    return next_op_after_e(s, op);
}

/* The action is in bits 3 and 4 of the opcode (0F A3 to BB) and, in the group
 * 0F BA, in the reg field. */
const struct op *bit_eg(struct soft *s, const struct op *op) {
    int64_t number = (int64_t)extend(get_reg(s, op->reg, op->size), op->size);
    return bit_op(s, op, op->opcode >> 3 & 3, number, true);
}

const struct op *bit_ei(struct soft *s, const struct op *op) {
    return bit_op(s, op, op->reg & 3, op->imm, false);
}

/* With no bit set both AMD and Intel leave the destination alone. The undefined flags are
 * those of the bit's number; but number 0 is no ZF, so something else of its parity. */
static const struct op *bit_scan(struct soft *s, const struct op *op, bool up) {
    uint64_t e = get_e(s, op, op->size, op->memory), number = 0;
    if (e) {
        number = (unsigned)(up ? __builtin_ctzll(e) : 63 - __builtin_clzll(e));
        set_reg(s, op->reg, op->size, number);
    }
    flags_logic(s, e && !number ? EVEN : number, op->size);
    return next_op_after_e(s, op);
}

const struct op *bsf(struct soft *s, const struct op *op) {
    return bit_scan(s, op, true);
}
const struct op *bsr(struct soft *s, const struct op *op) {
    return bit_scan(s, op, false);
}

/* Of a 16-bit register undefined: current parts make it 0. */
const struct op *bswap(struct soft *s, const struct op *op) {
    uint64_t value = get_reg(s, op->rm, op->size);
    value = __builtin_bswap64(value) >> (64 - 8 * op->size);
    set_reg(s, op->rm, op->size, op->size == 2 ? 0 : value);
    return next_op(s, op);
}
