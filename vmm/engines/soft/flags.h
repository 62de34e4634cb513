/* The six arithmetic flags, kept as what they come from and worked out when
 * somebody looks.
 *
 *   result  sign-extended to 64 bits, so one test serves all sizes: ZF is set when it is
 *           0, SF is its bit 63, PF the parity of its low byte
 *   carry   CF is bit 63, OF says that bits 63 and 62 differ: these are the carries out of
 *           and into the operand's top bit. AF is the carry into bit 4, which is where the
 *           size that carry was shifted for puts it; that is kept in CARRY_SIZE (0: a size
 *           of 8, or none). ODD_SF and ODD_PF turn SF and PF over: POPF can set ZF with a
 *           sign, which no result has.
 */
#ifndef MINIKVM_SOFT_FLAGS_H
#define MINIKVM_SOFT_FLAGS_H

#include "vmm/engines/soft/state.h"

#define TOP_BIT   (1ull << 63)
#define TOP_TWO   (3ull << 62)
#define ODD_SF    1ull
#define ODD_PF    2ull
#define CARRY_AF  (1ull << 3) /* where it is for a size of 8 */
#define CARRY_SIZE 4          /* times it: bits 4 to 6 */
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
    return !s->result;
}
ALWAYS bool get_sf(const struct soft *s) {
    return s->result >> 63 ^ (s->carry & ODD_SF);
}
ALWAYS bool get_pf(const struct soft *s) {
    return !__builtin_parity((unsigned)((s->result & 0xFF) ^ (s->carry & ODD_PF)));
}
ALWAYS bool get_af(const struct soft *s) {
    unsigned size = s->carry >> CARRY_SIZE & 7;
    return s->carry >> (size ? 67 - 8 * size : 3) & 1;
}

ALWAYS uint64_t carries_of(bool cf, bool of, bool af) {
    return (uint64_t)cf << 63 | (uint64_t)(cf ^ of) << 62 | (uint64_t)af << 3;
}
/* To go with a new result. */
ALWAYS void set_carries(struct soft *s, bool cf, bool of, bool af) {
    s->carry = carries_of(cf, of, af);
}
/* These leave the other flags alone. */
ALWAYS void set_cf_of(struct soft *s, bool cf, bool of) {
    s->carry = carries_of(cf, of, get_af(s)) | (s->carry & (ODD_SF | ODD_PF));
}
ALWAYS void set_cf_from(struct soft *s, uint64_t carry) {
    s->carry ^= (uint64_t)((int64_t)(s->carry ^ carry) >> 63) << 62;
}
ALWAYS void set_cf(struct soft *s, bool cf) {
    set_cf_from(s, (uint64_t)cf << 63);
}

ALWAYS void flags_result(struct soft *s, uint64_t result, unsigned size) {
    s->result = extend(result, size);
}

/* AND, OR, XOR, TEST clear CF, OF and (undefined) AF. */
ALWAYS uint64_t flags_logic(struct soft *s, uint64_t result, unsigned size) {
    flags_result(s, result, size);
    s->carry = 0;
    return result;
}

/* Of a sum or difference of less than 64 bits, worked out in 64: the carries into its bits. */
ALWAYS void flags_carried(struct soft *s, uint64_t into, unsigned size) {
    s->carry = into << (63 - 8 * size) | size << CARRY_SIZE;
}
/* Of one of 64 bits: the carries out of them. */
ALWAYS void flags_carried64(struct soft *s, uint64_t out) {
    s->carry = out & (TOP_TWO | CARRY_AF);
}

/* r = a + b + carry in. Where a and b agree, that is the carry out; where not, it is ~r. */
ALWAYS uint64_t flags_add(struct soft *s, uint64_t a, uint64_t b, uint64_t r, unsigned size) {
    flags_result(s, r, size);
    if (size == 8)
        flags_carried64(s, a ^ ((a ^ b) & (b ^ r)));
    else
        flags_carried(s, a ^ b ^ r, size);
    return r;
}

/* r = a - b - borrow in. Where they agree, r is the borrow out; where not, it is b. */
ALWAYS uint64_t flags_sub(struct soft *s, uint64_t a, uint64_t b, uint64_t r, unsigned size) {
    flags_result(s, r, size);
    if (size == 8)
        flags_carried64(s, r ^ ((a ^ b) & (b ^ r)));
    else
        flags_carried(s, a ^ b ^ r, size);
    return r;
}

/* Any ZF, SF and PF, after set_carries(). */
enum { EVEN = 3 }; /* is not 0, and its parity is that of 0 */
ALWAYS void set_zf_sf_pf(struct soft *s, bool zf, bool sf, bool pf) {
    s->result = zf ? 0 : (sf ? TOP_BIT : 0) | (pf ? EVEN : 1);
    if (zf)
        s->carry |= (sf ? ODD_SF : 0) | (pf ? 0 : ODD_PF);
}

/* As FCOMI and COMISS leave them: ZF, PF and CF of `given`, the others are 0. */
static inline void set_compared(struct soft *s, uint32_t given) {
    set_carries(s, given & FLAG_CF, false, false);
    set_zf_sf_pf(s, given & FLAG_ZF, false, given & FLAG_PF);
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
