/* The six arithmetic flags, kept as what they come from and worked out when
 * somebody looks.
 *
 *   zero    ZF is set when this is 0
 *   sign    SF is bit 63, PF the parity of the low byte
 *   carry   the carries out of each bit, the operand's top bit moved to bit 63:
 *           CF is bit 63, OF says that bits 63 and 62 differ; AF is bit 3
 *
 * Rule: results are sign-extended to 64 bits, so one test serves all sizes.
 */
#ifndef MINIKVM_SOFT_FLAGS_H
#define MINIKVM_SOFT_FLAGS_H

#include "vmm/engines/soft/state.h"

#define TOP_BIT   (1ull << 63)
#define CARRY_AF  (1ull << 3)
#define FLAGS_ALU (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

ALWAYS uint64_t extend(uint64_t value, unsigned size) {
    switch (size) {
    case 1: return (uint64_t)(int8_t)value;
    case 2: return (uint64_t)(int16_t)value;
    case 4: return (uint64_t)(int32_t)value;
    default: return value;
    }
}

ALWAYS bool get_cf(const struct soft *s) {
    return s->carry >> 63;
}
ALWAYS bool get_of(const struct soft *s) {
    return (s->carry ^ (s->carry << 1)) >> 63;
}
ALWAYS bool get_zf(const struct soft *s) {
    return !s->zero;
}
ALWAYS bool get_sf(const struct soft *s) {
    return s->sign >> 63;
}
ALWAYS bool get_pf(const struct soft *s) {
    return !__builtin_parity((unsigned)(s->sign & 0xFF));
}
ALWAYS bool get_af(const struct soft *s) {
    return s->carry & CARRY_AF;
}

ALWAYS void set_carries(struct soft *s, bool cf, bool of, bool af) {
    s->carry = (uint64_t)cf << 63 | (uint64_t)(cf ^ of) << 62 | (af ? CARRY_AF : 0);
}
ALWAYS void set_cf(struct soft *s, bool cf) {
    set_carries(s, cf, get_of(s), get_af(s));
}

ALWAYS void flags_result(struct soft *s, uint64_t result, unsigned size) {
    s->zero = s->sign = extend(result, size);
}

/* AND, OR, XOR, TEST clear CF, OF and (undefined) AF. */
ALWAYS uint64_t flags_logic(struct soft *s, uint64_t result, unsigned size) {
    flags_result(s, result, size);
    s->carry = 0;
    return result;
}

/* r = a + b + carry in */
ALWAYS uint64_t flags_add(struct soft *s, uint64_t a, uint64_t b, uint64_t r, unsigned size) {
    uint64_t carries = (a & b) | ((a | b) & ~r);
    flags_result(s, r, size);
    s->carry = carries << (64 - 8 * size) | (carries & CARRY_AF);
    return r;
}

/* r = a - b - borrow in */
ALWAYS uint64_t flags_sub(struct soft *s, uint64_t a, uint64_t b, uint64_t r, unsigned size) {
    uint64_t borrows = (~a & b) | ((~a | b) & r);
    flags_result(s, r, size);
    s->carry = borrows << (64 - 8 * size) | (borrows & CARRY_AF);
    return r;
}

/* As FCOMI and COMISS leave them: ZF, PF and CF of `given`, the others are 0. */
static inline void set_compared(struct soft *s, uint32_t given) {
    s->zero = !(given & FLAG_ZF);
    s->sign = !(given & FLAG_PF);
    s->carry = given & FLAG_CF ? 3ull << 62 : 0;
}

/* The sixteen conditions of Jcc, SETcc and CMOVcc (Vol. 1 appendix B). */
ALWAYS bool condition(const struct soft *s, unsigned cc) {
    bool is;
    switch (cc >> 1 & 7) {
    case 0: is = get_of(s); break;
    case 1: is = get_cf(s); break;
    case 2: is = get_zf(s); break;
    case 3: is = get_cf(s) || get_zf(s); break;
    case 4: is = get_sf(s); break;
    case 5: is = get_pf(s); break;
    case 6: is = get_sf(s) != get_of(s); break;
    default: is = get_zf(s) || get_sf(s) != get_of(s); break;
    }
    return is != (cc & 1);
}

#endif
