/* ELF executables of either class: what is wrong with one, and its segments.
 *
 * Rule: nothing in the file is believed: what elf_segment() reads, elf_open() has checked.
 */
#ifndef MINIKVM_ELF_H
#define MINIKVM_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf {
    const uint8_t *bytes; /* of the file; not owned */
    size_t size;
    unsigned word;      /* of the class, bytes: 4 or 8 */
    uint64_t entry;     /* linear */
    uint64_t end;       /* first physical address behind all segments */
    uint64_t table;     /* program headers: where, how many, how long */
    unsigned count, row;
};
struct elf_segment {
    uint64_t offset, linked, loaded; /* p_offset, p_vaddr, p_paddr */
    uint64_t length, size;           /* p_filesz, p_memsz; both 0: it loads nothing */
};

bool elf_is(const uint8_t *bytes, size_t size); /* it says so */
/* NULL, or what is wrong with it, as it stands behind "an ELF file that is". */
const char *elf_open(struct elf *, const uint8_t *bytes, size_t size);
/* Its headers alone: its segments are not to be loaded. Does not set `end`. */
const char *elf_open_headers(struct elf *, const uint8_t *bytes, size_t size);
/* The same of a file that was accepted before; does not set `end`. */
void elf_read(struct elf *, const uint8_t *bytes, size_t size);
/* The n-th program header. false: no more. */
bool elf_segment(const struct elf *, unsigned n, struct elf_segment *);

#endif
