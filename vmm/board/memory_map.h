/* Where a guest finds RAM, as a PC's firmware tells it: by int 15h (E820, E801, 88), int 12h, CMOS,
 * and in Multiboot information.
 *
 *   0       EBDA  A0000        F0000     1 MiB      the RAM's end       4 GiB - 256 KiB
 *   | usable | res. | not told | reserved | usable ... | not told ...... | reserved |
 *
 * Rule: this is the only place that says so. A hole that --mem leaves below A0000 is not told, as on
 * a PC with less memory.
 */
#ifndef MINIKVM_MEMORY_MAP_H
#define MINIKVM_MEMORY_MAP_H

#include "vmm/memory/memory.h"

enum memory_kind { MEMORY_USABLE = 1, MEMORY_RESERVED = 2 }; /* ACPI 6.5, table 15.4 */

struct memory_range {
    uint64_t base, length; /* bytes */
    enum memory_kind kind;
};
enum { MEMORY_RANGES = 5 }; /* at most */

/* The n-th by address; false: there are no more. */
bool memory_map_range(const struct memory *, unsigned n, struct memory_range *);

enum { MEMORY_EBDA_SIZE = 1 << 10 };
/* The extended BIOS data area: the last KiB of conventional memory. */
uint32_t memory_map_ebda(const struct memory *);
/* KiB of conventional memory below it (int 12h). */
unsigned memory_map_lower(const struct memory *);
/* KiB from 1 MiB on, up to the first hole. */
uint32_t memory_map_upper(const struct memory *);

#endif
