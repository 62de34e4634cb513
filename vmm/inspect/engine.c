/* `monitor engine`: what runs the guest. */
#include "vmm/inspect/inspect.h"

void inspect_engine(struct machine *m, const struct text *t) {
    struct cpu *cpu = &shown_vcpu(m)->cpu;
    char out[1024];
    cpu->engine->describe(cpu, out, sizeof out);
    text_print(t, "%s", out);
}
