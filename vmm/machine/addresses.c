/* Linear addresses and offsets; see addresses.h. */
#include "vmm/machine/addresses.h"

#include "vmm/x86/x86.h"

/* Is an address one that the image was linked for? */
static bool is_linked(const struct image *im, uint64_t address, struct image_segment *segment) {
    for (unsigned i = 0; im && image_segment(im, i, segment); i++)
        if (address >= segment->linked && address - segment->linked < segment->size)
            return true;
    return false;
}

uint64_t addresses_shift(const struct addresses *a, const struct cpu_state *s) {
    struct image_segment segment;
    enum cpu_mode mode = x86_mode(&s->sregs, s->regs.rflags);
    uint32_t base = (uint32_t)s->sregs.cs.base, offset = (uint32_t)s->regs.rip;
    if (!a || !base || a->choice == ADDRESSES_LINEAR ||
        (mode != MODE_PROT32 && mode != MODE_COMPAT32))
        return 0;
    bool offsets = a->choice == ADDRESSES_OFFSET ||
                   (is_linked(a->image, offset, &segment) &&
                    !is_linked(a->image, (uint32_t)(base + offset), &segment));
    return offsets ? base : 0;
}

uint64_t addresses_linear(uint64_t address, uint64_t shift) {
    return shift ? (uint32_t)(address + shift) : address;
}

static unsigned add_shift(uint64_t *shifts, unsigned count, uint64_t shift) {
    for (unsigned i = 0; i < count; i++)
        if (shifts[i] == shift)
            return count;
    shifts[count] = shift;
    return count + 1;
}

unsigned addresses_shifts(const struct addresses *a, const struct cpu_state *s, uint64_t address,
                          uint64_t shifts[ADDRESSES_SHIFTS]) {
    struct image_segment segment;
    unsigned count = add_shift(shifts, 0, 0);
    count = add_shift(shifts, count, addresses_shift(a, s));
    bool paging = s->sregs.cr0 & CR0_PG; /* which has taken the place of such a base */
    if (a && a->choice != ADDRESSES_LINEAR && !paging && is_linked(a->image, address, &segment))
        count = add_shift(shifts, count, (uint32_t)(segment.loaded - segment.linked));
    return count;
}
