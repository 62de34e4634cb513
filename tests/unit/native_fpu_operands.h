/* Operands for native_fpu.h: numbers at the edges of the formats. any() is the includer's. */
#ifndef MINIKVM_NATIVE_FPU_OPERANDS_H
#define MINIKVM_NATIVE_FPU_OPERANDS_H

/* Of a format of `exponent` and `fraction` bits. */
static uint64_t edge(unsigned exponent, unsigned fraction) {
    uint64_t all = (1ull << exponent) - 1, bias = all / 2, one = 1;
    uint64_t sign = (uint64_t)one_in(2) << (exponent + fraction), f = any64() & ((one << fraction) - 1);
    if (one_in(3))
        f = one_in(2) ? 0 : one_in(2) ? (one << fraction) - 1 : one << any() % fraction;
    switch (any() % 10) {
    case 0: return sign;                                     /* zero */
    case 1: return sign | f;                                 /* denormal */
    case 2: return sign | all << fraction;                   /* infinity */
    case 3: return sign | all << fraction | f;               /* NaN */
    case 4: return sign | (all - any() % 3) << fraction | f; /* the largest */
    case 5: return sign | (one + any() % 3) << fraction | f;   /* the smallest */
    case 6: return sign | (bias + any() % 70) << fraction | f;
    case 7: return sign | (bias - 2 + any() % 4) << fraction | f;
    case 8: return sign | (bias / 2 + any() % 64) << fraction | f; /* whose product is tiny */
    default: return any64();
    }
}

static void put_extended(uint8_t *to) {
    static const uint16_t exponents[] = {0, 1, 0x7FFF, 0x7FFE, 0x3FFF, 0x3FFE, 0x4000, 0x403E,
                                         0x403D, 0x3F80, 0x407F, 0x3C00, 0x43FF};
    uint64_t f = one_in(4) ? (one_in(2) ? 0 : 1ull << any() % 64) : any64();
    uint16_t e = exponents[any() % (sizeof exponents / sizeof *exponents)];
    if (one_in(4))
        e = (uint16_t)(0x3FF0 + any() % 0x60);
    if (one_in(30))
        e = (uint16_t)any();
    if (!one_in(12)) /* else an unnormal, a pseudo-denormal … */
        f = (e & 0x7FFF) ? f | 1ull << 63 : f & ~(1ull << 63);
    if (one_in(2))
        e |= 0x8000;
    memcpy(to, &f, 8);
    memcpy(to + 8, &e, 2);
}

static void put_packed_decimal(uint8_t *to) {
    for (unsigned n = 0; n < 9; n++)
        to[n] = (uint8_t)(any() % 10 | any() % 10 << 4);
    to[9] = one_in(2) ? 0x80 : 0;
}

static void fill(uint8_t *to, unsigned size) {
    for (unsigned n = 0; n < size; n += 8) {
        uint64_t q = one_in(2) ? edge(11, 52) : (uint64_t)(uint32_t)edge(8, 23) << 32 | (uint32_t)edge(8, 23);
        if (one_in(6))
            q = any64();
        if (one_in(8))
            q = (uint64_t)(int64_t)(int8_t)any();
        memcpy(to + n, &q, 8);
    }
}

#endif
