/* The list of tables, and printing one; see tables.h. */
#include "vmm/inspect/tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/inspect/fill.h"

static const struct table tables[] = {
    {"gdt", "global descriptor table", {"Selector", "Base", "Limit", "DPL", "Type", "Access"},
     fill_gdt, NULL},
    {"ldt", "local descriptor table", {"Selector", "Base", "Limit", "DPL", "Type", "Access"},
     fill_ldt, NULL},
    {"idt", "interrupt descriptor table, or the real-mode vectors",
     {"Vector", "Name", "Selector", "Offset", "Linear", "DPL", "Type"}, fill_idt, NULL},
    {"tss", "task state segment: the stacks for each ring", {"Field", "Value"}, fill_tss, NULL},
    {"pages", "mapped ranges of the current address space",
     {"Linear", "End", "Physical", "Size", "Rights", "Page"}, fill_pages, NULL},
    {"segments", "segment registers with their hidden parts",
     {"Register", "Selector", "Base", "Limit", "DPL", "Type", "Access"}, fill_segments, NULL},
    {"cpus", "the CPU of each machine", {"Machine", "CPU", "State", "Linear", "Engine"},
     fill_cpus, NULL},
    {"devices", "interrupt controllers, timer, serial port", {"Device", "Register", "Value"},
     fill_devices, NULL},
    {"disks", "drives: their files, sizes and what was read and written",
     {"Drive", "Sectors", "Geometry", "Read", "Written", "Overlay", "File"}, fill_disks, NULL},
    {"bios", "the last calls of the BIOS, with their answers", {"Count", "At", "Call", "Answer"}, fill_bios,
     inspect_no_bios},
    {"exits", "VM exit counts by reason", {"Reason", "Count"}, fill_exits, NULL},
};

const struct table *tables_list(unsigned *count) {
    *count = sizeof tables / sizeof *tables;
    return tables;
}

const struct table *tables_find(const char *name) {
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (!strcmp(tables[i].name, name))
            return &tables[i];
    return NULL;
}

/* --- as text: twice through the table, once for the widths ------------------------------ */

struct printing {
    const struct table *table;
    const struct text *text;
    int width[TABLE_COLUMNS];
    bool measuring;
    unsigned rows;
};

static void widen(struct printing *p, int column, const char *cell) {
    int n = strlen(cell);
    if (n > p->width[column])
        p->width[column] = n;
}

static void print_cell(const struct printing *p, int column, const char *cell) {
    if (p->table->columns[column + 1])
        text_print(p->text, "%-*s  ", p->width[column], cell);
    else
        text_print(p->text, "%s\n", cell);
}

static void take_row(void *context, const struct table_row *row) {
    struct printing *p = context;
    p->rows += p->measuring;
    for (int i = 0; p->table->columns[i]; i++)
        if (p->measuring)
            widen(p, i, row->cell[i]);
        else
            print_cell(p, i, row->cell[i]);
}

void tables_print(const struct table *table, struct machine *m, const struct text *text) {
    struct printing p = {.table = table, .text = text, .measuring = true};
    struct table_sink sink = {take_row, &p};
    for (int i = 0; table->columns[i]; i++)
        widen(&p, i, table->columns[i]);
    table->fill(m, &sink);
    p.measuring = false;
    if (p.rows == 0) {
        const char *why = table->missing ? table->missing(m) : NULL;
        text_print(text, "%s: %s\n", table->help, why ? why : "nothing there");
        return;
    }
    for (int i = 0; table->columns[i]; i++)
        print_cell(&p, i, table->columns[i]);
    table->fill(m, &sink);
}
