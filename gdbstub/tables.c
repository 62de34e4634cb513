/* `info os`: tables of the target (GDB manual, "Requesting Auxiliary Vector and
 * other OS data": qXfer:osdata:read, and "Operating System Data").
 *
 * Rule: a table is made once, for its first piece, and kept until another is
 * asked for: the pieces fit together, and a long table costs no more than its
 * length. What exceeds the bound is refused, not cut.
 */
#include "gdbstub/packets.h"
#include "gdbstub/reply.h"
#include "gdbstub/threads.h"

#include <string.h>

struct gdb_table {
    struct buffer *document;
    bool in_row;
};

void gdb_table_row(struct gdb_table *table) {
    buffer_text(table->document, table->in_row ? "</item>\n<item>" : "<item>");
    table->in_row = true;
}

void gdb_table_cell(struct gdb_table *table, const char *column, const char *text) {
    buffer_text(table->document, "<column name=\"");
    buffer_xml(table->document, column);
    buffer_text(table->document, "\">");
    buffer_xml(table->document, text);
    buffer_text(table->document, "</column>");
}

static bool list_types(struct session *s, struct gdb_table *table) {
    const char *name, *description;
    for (unsigned i = 0; s->target->ops->table_type(s->target->context, i, &name, &description);
         i++) {
        gdb_table_row(table);
        gdb_table_cell(table, "Type", name);
        gdb_table_cell(table, "Description", description);
    }
    return true;
}

static bool fill_table(struct session *s, struct gdb_table *table) {
    struct gdb_thread thread;
    if (!*s->tables.name)
        return list_types(s, table);
    return thread_current(s, &thread) &&
           s->target->ops->table(s->target->context, thread, s->tables.name, table);
}

static bool make_table(struct session *s) {
    struct gdb_table table = {&s->tables.text, false};
    buffer_clear(&s->tables.text);
    buffer_text(&s->tables.text,
                "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"osdata.dtd\">\n"
                "<osdata type=\"");
    buffer_xml(&s->tables.text, *s->tables.name ? s->tables.name : "types");
    buffer_text(&s->tables.text, "\">\n");
    bool known = fill_table(s, &table);
    buffer_text(&s->tables.text, table.in_row ? "</item>\n</osdata>\n" : "</osdata>\n");
    return known;
}

/* "TYPE:OFFSET,LENGTH"; no type: the list of them. */
void packet_osdata(struct session *s, struct cursor arguments) {
    char name[sizeof s->tables.name] = "";
    struct cursor annex = cursor_until(&arguments, ':'), range = arguments;
    uint64_t offset, length;
    if (!s->target->ops->table)
        return; /* unknown, says the empty reply */
    if (cursor_left(&annex) >= sizeof name || !cursor_range(&range, &offset, &length)) {
        reply_failure(s);
        return;
    }
    memcpy(name, annex.at, cursor_left(&annex));
    bool other = !s->tables.text.length || strcmp(name, s->tables.name);
    memcpy(s->tables.name, name, sizeof name);
    if ((offset && !other) || make_table(s))
        reply_piece(s, arguments, &s->tables.text);
    else
        reply_failure(s);
    if (s->reply.length && s->reply.data[0] != 'm')
        buffer_free(&s->tables.text); /* that was the last piece */
}
