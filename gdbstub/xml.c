/* The documents that gdb reads (GDB manual, "Target Description Format" and
 * "Thread List Format").
 *
 * Rule: a document follows from the description or the thread list alone; one
 * unknown type would make gdb ignore all of it, so types come first in their
 * feature, in the order of their table.
 */
#include "gdbstub/session.h"
#include "gdbstub/threads.h"
#include "gdbstub/xml.h"

#include <string.h>

/* --- types --------------------------------------------------------------------- */

static void vector(struct buffer *b, const struct gdb_type *t) {
    buffer_printf(b, "<vector id=\"%s\" type=\"%s\" count=\"%u\"/>\n", t->id, t->element, t->size);
}

static void enumeration(struct buffer *b, const struct gdb_type *t) {
    buffer_printf(b, "<enum id=\"%s\" size=\"%u\">\n", t->id, t->size);
    for (const struct gdb_field *f = t->fields; f && f->name; f++)
        buffer_printf(b, "<evalue name=\"%s\" value=\"%d\"/>\n", f->name, f->start);
    buffer_text(b, "</enum>\n");
}

static void field(struct buffer *b, const struct gdb_field *f, bool bits) {
    buffer_printf(b, "<field name=\"%s\"", f->name);
    if (bits)
        buffer_printf(b, " start=\"%d\" end=\"%d\"", f->start, f->end);
    if (f->type)
        buffer_printf(b, " type=\"%s\"", f->type);
    buffer_text(b, "/>\n");
}

static void composite(struct buffer *b, const struct gdb_type *t, const char *element) {
    bool bits = t->kind != GDB_TYPE_UNION && t->fields && t->fields->start >= 0;
    buffer_printf(b, "<%s id=\"%s\"", element, t->id);
    if (bits) /* only a type made of bits says how large it is */
        buffer_printf(b, " size=\"%u\"", t->size);
    buffer_text(b, ">\n");
    for (const struct gdb_field *f = t->fields; f && f->name; f++)
        field(b, f, bits);
    buffer_printf(b, "</%s>\n", element);
}

static void write_type(struct buffer *b, const struct gdb_type *t) {
    switch (t->kind) {
    case GDB_TYPE_FLAGS: composite(b, t, "flags"); break;
    case GDB_TYPE_STRUCT: composite(b, t, "struct"); break;
    case GDB_TYPE_UNION: composite(b, t, "union"); break;
    case GDB_TYPE_ENUM: enumeration(b, t); break;
    case GDB_TYPE_VECTOR: vector(b, t); break;
    }
}

static const char *feature_of(const struct gdb_description *d, const struct gdb_type *t) {
    bool simd = t->kind == GDB_TYPE_VECTOR || t->kind == GDB_TYPE_UNION;
    if (t->feature)
        return t->feature;
    return simd && d->vector_feature ? d->vector_feature : d->types_feature;
}

static void types(struct buffer *b, const struct gdb_description *d, const char *feature) {
    for (const struct gdb_type *t = d->types; t && t->id; t++) {
        const char *where = feature_of(d, t);
        if (where && !strcmp(where, feature))
            write_type(b, t);
    }
}

/* --- target.xml ------------------------------------------------------------------- */

static void reg(struct buffer *b, const struct gdb_register *r, unsigned number) {
    buffer_printf(b, "<reg name=\"%s\" bitsize=\"%u\" regnum=\"%u\"", r->name, r->bits, number);
    if (r->type)
        buffer_printf(b, " type=\"%s\"", r->type);
    if (r->group)
        buffer_printf(b, " group=\"%s\"", r->group);
    buffer_text(b, r->view ? " save-restore=\"no\"/>\n" : "/>\n");
}

/* Without the osabi, gdb takes a guest for a GNU/Linux program and warns. */
void xml_description(struct buffer *b, const struct gdb_description *d) {
    const char *feature = NULL;
    buffer_text(b, "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
                   "<target version=\"1.0\">\n");
    buffer_printf(b, "<architecture>%s</architecture>\n<osabi>none</osabi>\n", d->architecture);
    for (unsigned i = 0; i < d->count; i++) {
        const struct gdb_register *r = &d->registers[i];
        if (!feature || strcmp(feature, r->feature)) {
            buffer_text(b, feature ? "</feature>\n" : "");
            feature = r->feature;
            buffer_printf(b, "<feature name=\"%s\">\n", feature);
            types(b, d, feature);
        }
        reg(b, r, i);
    }
    buffer_text(b, feature ? "</feature>\n</target>\n" : "</target>\n");
}

/* --- threads -------------------------------------------------------------------------- */

void xml_threads(struct session *s, struct buffer *b) {
    const struct gdb_target *target = s->target;
    struct gdb_thread list[THREADS_MAX];
    size_t count = threads_list(s, list);
    buffer_text(b, "<?xml version=\"1.0\"?>\n<threads>\n");
    for (size_t i = 0; i < count; i++) {
        char name[64] = "", extra[256] = "";
        target->ops->thread_name(target->context, list[i], name, sizeof name);
        target->ops->thread_extra(target->context, list[i], extra, sizeof extra);
        buffer_text(b, "<thread id=\"");
        thread_write(s, b, list[i]);
        buffer_text(b, "\" name=\"");
        buffer_xml(b, name);
        int core = thread_core(s, list[i]);
        if (core >= 0)
            buffer_printf(b, "\" core=\"%d", core);
        buffer_text(b, "\">");
        buffer_xml(b, extra);
        buffer_text(b, "</thread>\n");
    }
    buffer_text(b, "</threads>\n");
}
