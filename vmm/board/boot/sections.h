/* The sections of an ELF file: its symbols, and all of them for a kernel that is to find them in
 * memory, to name its own functions (Multiboot 1, 3.3, bit 5; Multiboot 2, 3.6.7).
 *
 * Rule: what does not lie within the file is not there. A kernel's table is copied as the file has it. A section that is not loaded by a segment, such as
 * the symbols, is loaded for it, and its header then says where.
 */
#ifndef MINIKVM_SECTIONS_H
#define MINIKVM_SECTIONS_H

#include "vmm/board/boot/image.h"

/* Of either class, as far as it is needed. */
struct section {
    uint64_t address, offset, size, align;
    uint32_t type;
    bool executable;
};
/* The n-th; false: no more, or it is not in the file. */
bool section_at(const struct image *, unsigned n, struct section *);
/* Do so many bytes of the file lie there? */
bool section_is_inside(const struct image *, uint64_t offset, uint64_t size);

struct sections {
    unsigned count, header_size, names; /* headers, bytes of each, which one has the names */
    uint64_t room; /* bytes for what the segments do not load */
};

/* false: none, or what the file says of them is wrong. */
bool sections_of(const struct image *, struct sections *);
/* A copy of the table, count * header_size bytes, for sections that are loaded from `base` on. */
void sections_table(const struct image *, const struct sections *, uint64_t base, uint8_t *to);
/* Puts them there. */
void sections_load(const struct image *, const struct sections *, uint64_t base, struct memory *);

#endif
