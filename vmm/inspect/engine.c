/* `monitor engine`: what runs the guest. */
#include "vmm/inspect/inspect.h"

void inspect_engine(struct machine *m, const struct text *t) {
    char out[1024];
    m->cpu.engine->describe(&m->cpu, out, sizeof out);
    text_print(t, "%s", out);
}
