/* The calls of the BIOS as a table. */
#include <string.h>

#include "vmm/inspect/fill.h"
#include "vmm/machine/machine.h"

const char *inspect_no_bios(const struct machine *m) {
    if (m->bios.on)
        return NULL;
    return m->options->rom ? "the calls of a BIOS of yours (--bios=FILE) are not known here"
                           : "this machine has no BIOS";
}

/* The count is that of the built-in CPU; KVM has none. */
void fill_bios(struct machine *m, const struct table_sink *sink) {
    const struct bios_call *k;
    for (unsigned n = 0; (k = bios_call_at(&m->bios, n)); n++) {
        const char *answer = strstr(k->text, " -> ");
        int length = (int)(answer ? answer - k->text : (long)strlen(k->text));
        fill_row(sink, "%llu\t%04x:%04x\t%.*s\t%s", (unsigned long long)k->ticks, k->cs, k->ip, length, k->text,
                 answer ? answer + 4 : "");
    }
}
