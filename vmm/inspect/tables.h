/* Tables about a machine: descriptors, vectors, pages, devices. One source for
 * `monitor TABLE` and for gdb's `info os TABLE`.
 *
 * Rule: a table is filled row by row through a sink, so that its length is
 * nobody's problem; rows that say the same are merged into ranges.
 */
#ifndef MINIKVM_TABLES_H
#define MINIKVM_TABLES_H

#include "vmm/inspect/inspect.h"

enum { TABLE_COLUMNS = 8, CELL = 120 };

struct table_row {
    char cell[TABLE_COLUMNS][CELL]; /* as many as the table has columns */
};

struct table_sink {
    void (*row)(void *context, const struct table_row *);
    void *context;
};

struct table {
    const char *name, *help;
    const char *columns[TABLE_COLUMNS + 1]; /* ends with NULL */
    void (*fill)(struct machine *, const struct table_sink *);
    const char *(*missing)(const struct machine *); /* why there are no rows, or NULL; may be NULL */
};

const struct table *tables_list(unsigned *count);
const struct table *tables_find(const char *name);
/* As aligned text. */
void tables_print(const struct table *, struct machine *, const struct text *);

#endif
