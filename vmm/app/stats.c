/* --stats; see stats.h. */
#include "vmm/app/stats.h"

#include <stdio.h>
#include <unistd.h>

#include "vmm/inspect/tables.h"
#include "vmm/machine/engines.h"

static long resident_kib(void) {
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f && fscanf(f, "%*d %ld", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void put_stderr(void *context, const char *text) { fputs(text, context); }

void stats_print(struct machine *machines, unsigned count, uint64_t start_ns) {
    struct text text = {put_stderr, stderr};
    long resident = resident_kib(); /* before all of guest RAM is read */
    for (unsigned i = 0; i < count; i++) {
        struct machine *m = &machines[i];
        double ms = m->first_entry_ns ? (m->first_entry_ns - start_ns) / 1e6 : 0;
        text_print(&text, "machine %u: %.2f ms to the first instruction\n", i + 1, ms);
        char engine[320];
        engines_print(m, engine, sizeof engine);
        text_print(&text, "%s\n", engine);
        tables_print(tables_find("exits"), m, &text);
        text_print(&text, "memory hash: %016llx\n",
                   (unsigned long long)memory_hash(&m->memory));
    }
    text_print(&text, "resident memory: %ld KiB\n", resident);
}
