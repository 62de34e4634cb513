/* `monitor engine` and `monitor exits`: what runs the guest, and how often it
 * had to leave it. */
#include "inspect.h"

#include <inttypes.h>

#include "../kvm/kvm.h"

void inspect_engine(struct machine *m, const struct text *t) {
    char out[1024];
    m->cpu.engine->describe(&m->cpu, out, sizeof out);
    text_print(t, "%s", out);
}

void inspect_exits(struct machine *m, const struct text *t) {
    const struct kvm_counters *c = kvm_counters(&m->cpu);
    if (!c) {
        text_print(t, "the built-in CPU: %" PRIu64 " instructions, no exits\n", m->cpu.icount);
        return;
    }
    for (unsigned i = 0; i < KVM_EXITS_MAX; i++)
        if (c->exits[i])
            text_print(t, "%-14s %10" PRIu64 "\n", kvm_exit_name(i), c->exits[i]);
    text_print(t, "%-14s %10" PRIu64 "\n", "interrupted", c->interrupted);
    text_print(t, "ioctls: %" PRIu64 " KVM_RUN, %" PRIu64 " KVM_SET_GUEST_DEBUG, %" PRIu64
               " for state\n", c->runs, c->debug_ioctls, c->state_ioctls);
}

/* FNV-1a over 64-bit words. */
uint64_t inspect_memory_hash(const struct machine *m) {
    uint64_t hash = 0xcbf29ce484222325;
    const uint64_t *word = (const uint64_t *)m->memory.ram;
    for (uint64_t i = 0; i < m->memory.ram_size / sizeof *word; i++)
        hash = (hash ^ word[i]) * 0x100000001b3;
    return hash;
}
