/* `info os`: the tables of inspect/ in the stub's terms. */
#include "vmm/debug/bridge.h"

#include "vmm/inspect/tables.h"

bool bridge_table_type(void *target, unsigned number, const char **name, const char **description) {
    unsigned count;
    const struct table *list = tables_list(&count);
    (void)target;
    if (number >= count)
        return false;
    *name = list[number].name;
    *description = list[number].help;
    return true;
}

struct filling {
    const struct table *table;
    struct gdb_table *out;
};

static void take_table_row(void *context, const struct table_row *row) {
    const struct filling *f = context;
    gdb_table_row(f->out);
    for (int i = 0; f->table->columns[i]; i++)
        gdb_table_cell(f->out, f->table->columns[i], row->cell[i]);
}

bool bridge_table(void *target, struct gdb_thread thread, const char *name, struct gdb_table *out) {
    struct machine *m = bridge_machine(target, thread.pid);
    struct filling f = {tables_find(name), out};
    bridge_show(target, thread);
    struct table_sink sink = {take_table_row, &f};
    if (!m || !f.table || machine_busy(m)) /* a CPU that runs cannot be looked at */
        return false;
    f.table->fill(m, &sink);
    return true;
}
