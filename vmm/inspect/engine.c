/* `monitor engine`: what runs the guest; and a fingerprint of its memory. */
#include "vmm/inspect/inspect.h"

void inspect_engine(struct machine *m, const struct text *t) {
    char out[1024];
    m->cpu.engine->describe(&m->cpu, out, sizeof out);
    text_print(t, "%s", out);
}

/* FNV-1a over 64-bit words. */
uint64_t inspect_memory_hash(const struct machine *m) {
    uint64_t hash = 0xcbf29ce484222325;
    const uint64_t *word = (const uint64_t *)m->memory.ram;
    for (uint64_t i = 0; i < m->memory.ram_size / sizeof *word; i++)
        hash = (hash ^ word[i]) * 0x100000001b3;
    return hash;
}
