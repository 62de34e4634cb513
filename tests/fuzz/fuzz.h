/* What the fuzzers share: libFuzzer's interface, and how an input is read.
 *
 * A fuzzer is one file here: any bytes go through a part of minikvm that must take
 * any bytes. It is built twice: with clang's libFuzzer (fuzz.mk; it looks for inputs
 * that lead further), and with corpus.c in its place (an ordinary unit test that goes
 * through corpus/NAME/).
 *
 * Rule: one input always does the same: no clock, no randomness, no thread that runs
 * beside. What it takes is bounded, whatever the input says; what is found wrong ends
 * the program.
 */
#ifndef MINIKVM_FUZZ_H
#define MINIKVM_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
/* Optional: a mutation that knows the format. Returns the new size. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max, unsigned seed);
/* libFuzzer's own mutations. */
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t max);

/* What is left of an input. */
struct feed {
    const uint8_t *at;
    size_t left;
};

/* Takes up to `size` bytes; zeros for what is not there. */
static inline void feed_bytes(struct feed *in, void *to, size_t size) {
    size_t n = size < in->left ? size : in->left;
    memset(to, 0, size);
    if (n == 0)
        return;
    memcpy(to, in->at, n);
    in->at += n;
    in->left -= n;
}

static inline uint64_t feed_number(struct feed *in, size_t size) {
    uint64_t number = 0;
    feed_bytes(in, &number, size);
    return number;
}

/* Takes up to `size` bytes as an input of their own. */
static inline struct feed feed_part(struct feed *in, size_t size) {
    struct feed part = {in->at, size < in->left ? size : in->left};
    in->left -= part.left;
    if (part.left)
        in->at += part.left;
    return part;
}

/* What has to hold for every input. */
static inline void must(bool holds, const char *what) {
    if (holds)
        return;
    fprintf(stderr, "not so: %s\n", what);
    abort();
}

#endif
