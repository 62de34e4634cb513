/* Further files with symbols: a guest's own programs (GDB manual, "Library List
 * Format").
 *
 *     T05library:;   gdb reads qXfer:libraries, and goes on
 *
 * Rule: the client is told when the list is not the one that it knows, in place
 * of a stop, which is postponed as after an exec (modes.c). An exec empties
 * gdb's list: a file that is for some architectures only comes and goes with that, and needs
 * no telling.
 */
#include "gdbstub/files.h"
#include "gdbstub/layout.h"
#include "gdbstub/packets.h"
#include "gdbstub/reply.h"
#include "gdbstub/threads.h"

#include <limits.h>
#include <string.h>

enum { LIBRARIES_MAX = 64 };

/* As the client was told last. */
static const char *architecture_of(struct session *s, int pid) {
    const struct process *p = process_find(s, pid);
    const struct gdb_description *d = p ? p->mode.announced : NULL;
    struct gdb_thread thread;
    d = d || !p ? d : p->mode.described;
    if (!d && thread_first(s, pid, &thread))
        d = layout_current(s, thread);
    return d ? d->architecture : "";
}

static bool is_for(const struct gdb_library *library, const char *architecture) {
    size_t length = strlen(architecture);
    for (const char *word = library->architectures; word && *word; word += strspn(word, " ")) {
        size_t end = strcspn(word, " ");
        if (end == length && !memcmp(word, architecture, length))
            return true;
        word += end;
    }
    return !library->architectures;
}

static size_t list_of(struct session *s, int pid, struct gdb_library *list) {
    size_t count = 0, kept = 0;
    if (s->target->ops->libraries)
        count = s->target->ops->libraries(s->target->context, pid, list, LIBRARIES_MAX);
    const char *architecture = count ? architecture_of(s, pid) : "";
    for (size_t i = 0; i < count && i < LIBRARIES_MAX; i++)
        if (is_for(&list[i], architecture))
            list[kept++] = list[i];
    return kept;
}

static uint64_t mix_mark(uint64_t hash, uint64_t value) {
    return (hash ^ value) * 0x100000001b3; /* FNV-1a */
}

/* 0 of an empty list. */
uint64_t libraries_mark(struct session *s, int pid) {
    struct gdb_library list[LIBRARIES_MAX];
    size_t count = list_of(s, pid, list);
    uint64_t hash = 0;
    for (size_t i = 0; i < count; i++) {
        hash = mix_mark(hash + i + 1, list[i].segment);
        for (const char *c = list[i].path; *c; c++)
            hash = mix_mark(hash, (unsigned char)*c);
    }
    return hash;
}

static void write_list(struct buffer *b, const struct gdb_library *list, size_t count) {
    buffer_text(b, "<library-list>\n");
    for (size_t i = 0; i < count; i++) {
        buffer_text(b, "<library name=\"");
        buffer_xml(b, list[i].path);
        buffer_printf(b, "\"><segment address=\"0x%llx\"/></library>\n",
                      (unsigned long long)list[i].segment);
    }
    buffer_text(b, "</library-list>\n");
}

/* ":OFFSET,LENGTH" */
void packet_libraries(struct session *s, struct cursor arguments) {
    struct buffer document;
    struct gdb_library list[LIBRARIES_MAX];
    struct gdb_thread thread;
    if (!s->target->ops->libraries)
        return; /* unknown, says the empty reply */
    if (!cursor_char(&arguments, ':') || !thread_current(s, &thread)) {
        reply_failure(s);
        return;
    }
    buffer_init(&document, DOCUMENT_MAX);
    write_list(&document, list, list_of(s, thread.pid, list));
    process_find(s, thread.pid)->mode.libraries = libraries_mark(s, thread.pid);
    reply_piece(s, arguments, &document);
    buffer_free(&document);
}
