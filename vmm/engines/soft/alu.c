/* Integer arithmetic and logic: ADD to CMP, TEST, INC, DEC, NEG, NOT, the
 * multiplications and divisions, XADD, CMPXCHG, and the decimal adjustments.
 *
 * Each instruction is written once, for any size and place of its operand;
 * FAMILY() makes the eight handlers that the opcode tables name. Flags which the
 * manual leaves undefined are set as current AMD and Intel parts agree.
 */
#include "vmm/engines/soft/branch.h"
#include "vmm/engines/soft/handlers.h"
#include "vmm/x86/mode.h"

ALWAYS uint64_t alu_add(struct soft *s, uint64_t a, uint64_t b, unsigned size) {
    return flags_add(s, a, b, a + b, size);
}
ALWAYS uint64_t alu_adc(struct soft *s, uint64_t a, uint64_t b, unsigned size) {
    return flags_add(s, a, b, a + b + get_cf(s), size);
}
ALWAYS uint64_t alu_sub(struct soft *s, uint64_t a, uint64_t b, unsigned size) {
    return flags_sub(s, a, b, a - b, size);
}
ALWAYS uint64_t alu_sbb(struct soft *s, uint64_t a, uint64_t b, unsigned size) {
    return flags_sub(s, a, b, a - b - get_cf(s), size);
}
ALWAYS uint64_t alu_and(struct soft *s, uint64_t a, uint64_t b, unsigned size) {
    return flags_logic(s, a & b, size);
}
ALWAYS uint64_t alu_or(struct soft *s, uint64_t a, uint64_t b, unsigned size) {
    return flags_logic(s, a | b, size);
}
ALWAYS uint64_t alu_xor(struct soft *s, uint64_t a, uint64_t b, unsigned size) {
    return flags_logic(s, a ^ b, size);
}

/* The three operand patterns: E,G; G,E; E,immediate. */
#define ALU(name)                                                                                  \
    ALWAYS const struct op *name##_eg(struct soft *s, const struct op *op, unsigned size,          \
                                      struct e e) {                                                \
        uint64_t a = read_e(s, op, size, e);                                                       \
        write_e(s, op, size, e, alu_##name(s, a, get_reg(s, op->reg, size), size));                \
        return done(s, op, e);                                                                     \
    }                                                                                              \
    ALWAYS const struct op *name##_ge(struct soft *s, const struct op *op, unsigned size,          \
                                      struct e e) {                                                \
        uint64_t b = read_e(s, op, size, e);                                                       \
        set_reg(s, op->reg, size, alu_##name(s, get_reg(s, op->reg, size), b, size));              \
        return done(s, op, e);                                                                     \
    }                                                                                              \
    ALWAYS const struct op *name##_ei(struct soft *s, const struct op *op, unsigned size,          \
                                      struct e e) {                                                \
        uint64_t a = read_e(s, op, size, e);                                                       \
        write_e(s, op, size, e,                                                                    \
                 alu_##name(s, a, (uint64_t)op->imm & mask_of(size), size));                       \
        return done(s, op, e);                                                                     \
    }                                                                                              \
    FAMILY_WRITES(name##_eg) FAMILY_READS(name##_ge) FAMILY_WRITES(name##_ei)

ALU(add)
ALU(adc)
ALU(sub)
ALU(sbb)
ALU(and)
ALU(or)
ALU(xor)

/* CMP and TEST are SUB and AND that keep only the flags. */
#define COMPARE(name, alu, after)                                                                  \
    ALWAYS const struct op *name##_eg(struct soft *s, const struct op *op, unsigned size,          \
                                      struct e e) {                                                \
        alu(s, read_e(s, op, size, e), get_reg(s, op->reg, size), size);                           \
        return done(s, op, e);                                                                     \
    }                                                                                              \
    ALWAYS const struct op *name##_ei(struct soft *s, const struct op *op, unsigned size,          \
                                      struct e e) {                                                \
        alu(s, read_e(s, op, size, e), (uint64_t)op->imm & mask_of(size), size);                   \
        return done(s, op, e);                                                                     \
    }                                                                                              \
    FAMILY_READS(name##_eg) FAMILY_READS(name##_ei)                                                \
    PAIRS(name##_eg, after) PAIRS(name##_ei, after)

COMPARE(cmp, alu_sub, AFTER_CMP)
COMPARE(test, alu_and, AFTER_TEST)

ALWAYS const struct op *cmp_ge(struct soft *s, const struct op *op, unsigned size, struct e e) {
    uint64_t b = read_e(s, op, size, e);
    alu_sub(s, get_reg(s, op->reg, size), b, size);
    return done(s, op, e);
}
FAMILY_READS(cmp_ge)

/* INC and DEC are ADD and SUB of 1 that leave CF alone. */
#define STEP(name, alu)                                                                            \
    ALWAYS const struct op *name(struct soft *s, const struct op *op, unsigned size, struct e e) { \
        uint64_t a = read_e(s, op, size, e), carry = s->carry, r = alu(s, a, 1, size);             \
        set_cf_from(s, carry);                                                                     \
        write_e(s, op, size, e, r);                                                                \
        return done(s, op, e);                                                                     \
    }                                                                                              \
    FAMILY_WRITES(name)                                                                            \
    PAIRS(name, AFTER_STEP)

STEP(inc, alu_add)
STEP(dec, alu_sub)

ALWAYS const struct op *neg(struct soft *s, const struct op *op, unsigned size, struct e e) {
    uint64_t a = read_e(s, op, size, e);
    write_e(s, op, size, e, alu_sub(s, 0, a, size));
    return done(s, op, e);
}
FAMILY_WRITES(neg)

ALWAYS const struct op *not(struct soft *s, const struct op *op, unsigned size, struct e e) {
    uint64_t a = read_e(s, op, size, e);
    write_e(s, op, size, e, ~a);
    return done(s, op, e);
}
FAMILY_WRITES(not)

/* --- multiplication and division: AX, DX:AX, EDX:EAX or RDX:RAX --- */

typedef unsigned __int128 uint128_t;
typedef __int128 int128_t;

ALWAYS uint128_t get_pair(const struct soft *s, unsigned size) {
    if (size == 1)
        return get_reg(s, REG(R_AX), 2);
    return (uint128_t)get_reg(s, REG(R_DX), size) << 8 * size | get_reg(s, REG(R_AX), size);
}

ALWAYS void set_pair(struct soft *s, unsigned size, uint128_t value) {
    if (size == 1) {
        set_reg(s, REG(R_AX), 2, (uint64_t)value);
        return;
    }
    set_reg(s, REG(R_AX), size, (uint64_t)value);
    set_reg(s, REG(R_DX), size, (uint64_t)(value >> 8 * size));
}

/* CF = OF = the upper half matters. */
static void flags_product(struct soft *s, uint64_t low, unsigned size, bool overflow) {
    flags_result(s, low, size);
    set_carries(s, overflow, overflow, false);
}

ALWAYS const struct op *mul(struct soft *s, const struct op *op, unsigned size, struct e e) {
    uint128_t r = (uint128_t)read_e(s, op, size, e) * get_reg(s, REG(R_AX), size);
    set_pair(s, size, r);
    flags_product(s, (uint64_t)r, size, r > mask_of(size));
    return done(s, op, e);
}
FAMILY_READS(mul)

ALWAYS uint128_t product_signed(struct soft *s, uint64_t a, uint64_t b, unsigned size) {
    int128_t r = (int128_t)(int64_t)extend(a, size) * (int64_t)extend(b, size);
    uint64_t low = extend((uint64_t)r, size);
    flags_product(s, low, size, r != (int64_t)low);
    return (uint128_t)r;
}

ALWAYS const struct op *imul(struct soft *s, const struct op *op, unsigned size, struct e e) {
    uint64_t a = read_e(s, op, size, e);
    set_pair(s, size, product_signed(s, a, get_reg(s, REG(R_AX), size), size));
    return done(s, op, e);
}
FAMILY_READS(imul)

ALWAYS const struct op *imul_ge(struct soft *s, const struct op *op, unsigned size, struct e e) {
    uint64_t a = read_e(s, op, size, e);
    set_reg(s, op->reg, size, (uint64_t)product_signed(s, a, get_reg(s, op->reg, size), size));
    return done(s, op, e);
}
FAMILY_READS(imul_ge)

ALWAYS const struct op *imul_gei(struct soft *s, const struct op *op, unsigned size, struct e e) {
    uint64_t a = read_e(s, op, size, e);
    set_reg(s, op->reg, size, (uint64_t)product_signed(s, a, (uint64_t)op->imm, size));
    return done(s, op, e);
}
FAMILY_READS(imul_gei)

static void set_quotient(struct soft *s, unsigned size, uint64_t quotient, uint64_t rest) {
    set_reg(s, REG(R_AX), size, quotient);
    set_reg(s, size == 1 ? REG(R_AX) + 1 : REG(R_DX), size, rest);
}

ALWAYS const struct op *div_(struct soft *s, const struct op *op, unsigned size, struct e e) {
    uint64_t by = read_e(s, op, size, e);
    uint128_t from = get_pair(s, size);
    if (from >> 8 * size >= by) /* 0, or the quotient is too large */
        raise_plain(s, VECTOR_DE);
    if (size == 8)
        set_quotient(s, size, (uint64_t)(from / by), (uint64_t)(from % by));
    else
        set_quotient(s, size, (uint64_t)from / by, (uint64_t)from % by);
    return done(s, op, e);
}
FAMILY_READS(div_)

ALWAYS const struct op *idiv(struct soft *s, const struct op *op, unsigned size, struct e e) {
    static const int128_t least = (int128_t)((uint128_t)1 << 127);
    int128_t by = (int64_t)extend(read_e(s, op, size, e), size), from;
    from = size == 8 ? (int128_t)get_pair(s, size)
                     : (int64_t)extend((uint64_t)get_pair(s, size), 2 * size);
    if (!by || (by == -1 && from == least))
        raise_plain(s, VECTOR_DE);
    int128_t quotient = from / by;
    if (quotient != (int64_t)extend((uint64_t)quotient, size))
        raise_plain(s, VECTOR_DE);
    set_quotient(s, size, (uint64_t)quotient, (uint64_t)(from % by));
    return done(s, op, e);
}
FAMILY_READS(idiv)

/* --- exchange and add, compare and exchange --- */

ALWAYS const struct op *xadd(struct soft *s, const struct op *op, unsigned size, struct e e) {
    uint64_t a = read_e(s, op, size, e), sum = alu_add(s, a, get_reg(s, op->reg, size), size);
    if (e.place == REGISTER) {
        set_reg(s, op->reg, size, a); /* the same register twice keeps the sum */
        write_e(s, op, size, e, sum);
    } else {
        write_e(s, op, size, e, sum);
        set_reg(s, op->reg, size, a);
    }
    return done(s, op, e);
}
FAMILY_WRITES(xadd)

/* The destination is written in either case (Vol. 2A, CMPXCHG). */
ALWAYS const struct op *cmpxchg(struct soft *s, const struct op *op, unsigned size, struct e e) {
    uint64_t a = read_e(s, op, size, e);
    alu_sub(s, get_reg(s, REG(R_AX), size), a, size);
    if (get_zf(s)) {
        write_e(s, op, size, e, get_reg(s, op->reg, size));
    } else {
        if (e.place != REGISTER)
            write_e(s, op, size, e, a);
        set_reg(s, REG(R_AX), size, a);
    }
    return done(s, op, e);
}
FAMILY_WRITES(cmpxchg)

/* Both halves are checked before the first is written. */
static const struct op *cmpxchg16b(struct soft *s, const struct op *op) {
    uint64_t at = address(s, op), upper = (at + 8) & op->mask;
    need_feature(s, FEATURE_CX16);
    if ((s->seg[op->seg].base + at) & 15)
        raise_gp0(s);
    uint64_t low = load_rw(s, op->seg, at, 8), high = load_rw(s, op->seg, upper, 8);
    bool equal = low == s->r[R_AX] && high == s->r[R_DX];
    store(s, op->seg, at, 8, equal ? s->r[R_BX] : low);
    store(s, op->seg, upper, 8, equal ? s->r[R_CX] : high);
    flags_set(s, (flags_get(s) & ~(uint32_t)FLAG_ZF) | (equal ? FLAG_ZF : 0));
    if (!equal)
        set_pair(s, 8, (uint128_t)high << 64 | low);
    return op + 1;
}

const struct op *cmpxchg8b(struct soft *s, const struct op *op) {
    if (op->wide == 8)
        return cmpxchg16b(s, op);
    uint64_t old = load_rw(s, op->seg, address(s, op), 8);
    bool equal = old == (s->r[R_DX] << 32 | (uint32_t)s->r[R_AX]);
    uint64_t new = equal ? s->r[R_CX] << 32 | (uint32_t)s->r[R_BX] : old;
    store(s, op->seg, address(s, op), 8, new);
    flags_set(s, (flags_get(s) & ~(uint32_t)FLAG_ZF) | (equal ? FLAG_ZF : 0));
    if (!equal)
        set_pair(s, 4, old);
    return op + 1;
}

/* --- decimal adjustments (Vol. 2A) --- */

static const struct op *adjust_packed(struct soft *s, const struct op *op, int sign) {
    uint8_t al = (uint8_t)s->r[R_AX], old = al;
    bool cf = get_cf(s), carry = false, af = get_af(s);
    if ((al & 15) > 9 || af) {
        carry = cf || (sign > 0 ? al > 0xF9 : al < 6);
        al = (uint8_t)(al + sign * 6);
        af = true;
    }
    if (old > 0x99 || cf) {
        al = (uint8_t)(al + sign * 0x60);
        carry = true;
    }
    bool of = sign > 0 ? ~old & al & 0x80 : old & ~al & 0x80;
    set_reg(s, REG(R_AX), 1, al);
    flags_result(s, al, 1);
    set_carries(s, carry, of, af);
    return next_op(s, op);
}

const struct op *daa(struct soft *s, const struct op *op) {
    return adjust_packed(s, op, 1);
}
const struct op *das(struct soft *s, const struct op *op) {
    return adjust_packed(s, op, -1);
}

static const struct op *adjust_unpacked(struct soft *s, const struct op *op, int sign) {
    uint16_t ax = (uint16_t)s->r[R_AX];
    bool adjust = (ax & 15) > 9 || get_af(s);
    if (adjust)
        ax = (uint16_t)(ax + sign * 0x106);
    flags_result(s, ax, 1);
    set_reg(s, REG(R_AX), 2, ax & 0xFF0F);
    set_carries(s, adjust, false, adjust);
    return next_op(s, op);
}

const struct op *aaa(struct soft *s, const struct op *op) {
    return adjust_unpacked(s, op, 1);
}
const struct op *aas(struct soft *s, const struct op *op) {
    return adjust_unpacked(s, op, -1);
}

const struct op *aam(struct soft *s, const struct op *op) {
    unsigned by = (uint8_t)op->imm, al = (uint8_t)s->r[R_AX];
    if (!by)
        raise_plain(s, VECTOR_DE);
    set_reg(s, REG(R_AX), 2, al / by << 8 | al % by);
    flags_logic(s, al % by, 1);
    return next_op(s, op);
}

const struct op *aad(struct soft *s, const struct op *op) {
    unsigned ax = (uint16_t)s->r[R_AX];
    uint8_t al = (uint8_t)ax, tens = (uint8_t)((ax >> 8) * (uint8_t)op->imm);
    set_reg(s, REG(R_AX), 2, (uint8_t)alu_add(s, al, tens, 1));
    return next_op(s, op);
}
