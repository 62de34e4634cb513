/* The second stage in protected mode: it goes on printing where the BIOS's cursor is, and shows
 * the memory map that it was given in real mode. */
#include "screen.h"

struct range {
    uint64_t base, length;
    uint32_t kind, attributes;
};
extern const struct range memory_map[];
extern const uint32_t memory_ranges;

void stage2_main(void);
void stage2_main(void) {
    const volatile uint8_t *cursor_row = (const uint8_t *)0x451; /* in the BIOS data area */
    screen_continue(*cursor_row);
    printf("stage 2: in protected mode\nmemory map:\n");
    for (uint32_t i = 0; i < memory_ranges; i++)
        print_range(memory_map[i].base, memory_map[i].length, memory_map[i].kind);
}
