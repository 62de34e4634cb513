/* A fingerprint of memory; see layout.h. */
#include "vmm/memory/layout.h"

uint64_t memory_hash(const struct memory *m) {
    uint64_t hash = 0xcbf29ce484222325;
    const uint64_t *word = (const uint64_t *)m->ram;
    for (uint64_t i = 0; i < m->ram_size / sizeof *word; i++)
        hash = (hash ^ word[i]) * 0x100000001b3;
    return hash;
}
