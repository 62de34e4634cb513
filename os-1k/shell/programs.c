/* The programs without input. */
#include "shell.h"

void multiplication(void) {
    printf("\n=== Multiplication Table ===\n");
    for (int i = 2; i <= 9; i++)
        for (int j = 1; j <= 9; j++)
            printf("%dx%d=%d%c", i, j, i * j, j < 9 ? ' ' : '\n');
}

/* Gives way after every number; others go on meanwhile, if there are any. */
void counter(void) {
    printf("\n=== Counter ===\n");
    for (int i = 0; i <= 9; i++) {
        printf("%d%c", i, i < 9 ? ' ' : '\n');
        yield();
    }
}

void fibonacci(void) {
    printf("\n=== Fibonacci Sequence ===\n");
    int a = 0, b = 1;
    for (int i = 0; i < 15; i++) {
        printf("F(%d) = %d\n", i, a);
        int next = a + b;
        a = b;
        b = next;
    }
}

/* The sieve of Eratosthenes: what is left has no factor below it. */
enum { LIMIT = 100, PER_LINE = 10 };

static int sieve(bool composite[LIMIT + 1]) {
    int count = 0;
    for (int n = 2; n <= LIMIT; n++) {
        if (composite[n])
            continue;
        count++;
        for (int multiple = n * n; multiple <= LIMIT; multiple += n)
            composite[multiple] = true;
    }
    return count;
}

void primes(void) {
    bool composite[LIMIT + 1] = {false};
    int count = sieve(composite), shown = 0;
    printf("\n=== Prime Numbers ===\n");
    for (int n = 2; n <= LIMIT; n++) {
        if (composite[n])
            continue;
        shown++;
        printf("%d%c", n, shown % PER_LINE == 0 || shown == count ? '\n' : ' ');
    }
    printf("Total: %d primes\n", count);
}

void factorial(void) {
    printf("\n=== Factorial ===\n");
    int product = 1;
    for (int n = 0; n <= 12; n++) { /* 13! does not fit in 32 bits */
        product *= n > 0 ? n : 1;
        printf("%d! = %d\n", n, product);
    }
}

/* Euclid: a and b have the divisors that b and the rest have. */
static int gcd(int a, int b) {
    while (b != 0) {
        int rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

void gcd_table(void) {
    static const struct { int a, b; } pairs[] =
        {{48, 18}, {100, 75}, {123, 456}, {17, 19}, {1071, 462}};
    printf("\n=== Greatest Common Divisor ===\n");
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        printf("GCD(%d, %d) = %d\n", pairs[i].a, pairs[i].b, gcd(pairs[i].a, pairs[i].b));
}

void about(void) {
    unsigned ticks = uptime();
    printf("\n=== About 1K OS ===\n"
           "A small operating system that is made to be looked into:\n"
           "  - boots itself from real mode to paging\n"
           "  - kernel in ring 0, programs in ring 3, system calls by int 0x80\n"
           "  - timer and keyboard interrupts, processes with address spaces\n");
    printf("Uptime: %u.%u%u s (%u ticks)\n", ticks / TICKS_PER_SECOND,
           ticks / (TICKS_PER_SECOND / 10) % 10, ticks % 10, ticks);
    printf("Free memory: %u KiB\n", free_memory());
}

/* Not optimized: a debugger finds its caller and its variables wherever it stands. */
#ifdef __clang__
#define AS_WRITTEN __attribute__((optnone, noinline))
#else
#define AS_WRITTEN __attribute__((optimize("O0"), noinline))
#endif

/* Behind the key `!`. The boot code lay at this address as long as there was the
 * identity map; now there is nothing. The CPU tells the kernel, and the kernel ends
 * the process. */
AS_WRITTEN void bad_pointer(void) {
    volatile int *pointer = (int *)0x1000;
    printf("\n=== Bad Pointer ===\n");
    printf("Reading the word at 0x%x ...\n", (unsigned)pointer);
    int word = *pointer;
    printf("It is %d, and you should not see this.\n", word);
}
