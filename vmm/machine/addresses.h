/* What a debugger's addresses are: linear ones, or offsets in a segment.
 *
 * A debugger has one address space. In 16-bit code that is the linear one. In 32-bit
 * code the compiler and the linker have no segments either: what they put into symbols
 * and what lies on the stack are offsets. With a base of 0 both are the same. With
 * another, offsets are what a person can use wherever the image was linked for them:
 *
 *     linked at 0xc0100000, CS base 0x40000000:  linear 0x00100000, offset 0xc0100000
 *
 * Rule: an address of the debugger's plus the shift is the linear one, modulo 4 GiB,
 * for code, data, stack and points alike. The shift is the base of CS, or 0; it is
 * looked up at each use, for it changes when CS is loaded.
 */
#ifndef MINIKVM_ADDRESSES_H
#define MINIKVM_ADDRESSES_H

#include "vmm/cpu/cpu.h"
#include "vmm/board/boot/image.h"

enum addresses_choice {
    ADDRESSES_AUTO,   /* offsets if the image was linked for the offset of the instruction
                         pointer, and not for its linear address */
    ADDRESSES_LINEAR,
    ADDRESSES_OFFSET, /* in 32-bit code, whatever the image */
};

struct addresses {
    enum addresses_choice choice;
    const struct image *image;
};

/* NULL: linear. The state needs regs and sregs. */
uint64_t addresses_shift(const struct addresses *, const struct cpu_state *);
/* A debugger's address as a linear one. */
uint64_t addresses_linear(uint64_t address, uint64_t shift);

/* A breakpoint is set before CS has the base that it is met with. So a point goes to each
 * linear address that its own may turn out to be: by no shift, by that of now, and by
 * the one for which the image was linked. Returns how many shifts, all different. */
enum { ADDRESSES_SHIFTS = 3 };
unsigned addresses_shifts(const struct addresses *, const struct cpu_state *, uint64_t address,
                          uint64_t shifts[ADDRESSES_SHIFTS]);

#endif
