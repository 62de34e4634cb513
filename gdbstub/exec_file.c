/* The file that gdb takes for the program: qXfer:exec-file, and how it is opened.
 *
 * Its architecture, if it has one, overrules the description of the CPU's mode
 * (modes.c). gdb opens an exec file twice, first for the architecture and then for
 * the symbols, and may get another content each time:
 *
 *                                     first open     second open
 *     the target's file               records        the file
 *     a label, where it has none      records        records
 *     the label of an exec            records        records; gdb after 16: blanks
 *
 * Records are S-records, a format that every gdb knows, with neither architecture nor
 * symbols. Those that gdb has stay when it loads them at an exec. But gdb 18 then drops its
 * displays; so it is given blanks, which it can't load, and says so in a line.
 *
 * Rule: a client has our file, without architecture, once it has opened it twice. One
 * that has a file of its own asks for ours, too, and opens it once if its own has a
 * build-id, to compare. One that closes ours has another one now (`file`), unless it is
 * in the middle of an exec.
 */
#include "gdbstub/files.h"
#include "gdbstub/packets.h"
#include "gdbstub/reply.h"
#include "gdbstub/threads.h"

#include <limits.h>
#include <string.h>

/* The path that the client is told. */
static const char *path_of(struct session *s, const struct process *p) {
    const char *path = s->target->ops->exec_file(s->target->context, p->pid);
    return path || !s->client.features.exec_events ? path : LABELS "no symbols";
}

/* gdb 18, when it connects, reads the description of a process after it has
 * asked for its file. */
static void note_asked(struct session *s, struct process *p) {
    if (!s->client.features.exec_events)
        return;
    s->modes.asked_about = s->client.features.after_gdb_16 ? p->pid : 0;
    p->mode.reads |= s->client.features.after_gdb_16 || s->modes.own_description;
    if (p->mode.reads && p->mode.exec_file == EXEC_UNKNOWN)
        p->mode.exec_file = EXEC_ASKED;
}

/* The annex is a process, or empty for the current one. */
static struct process *parse_annex(struct session *s, struct cursor annex) {
    struct gdb_thread thread;
    uint64_t pid;
    if (cursor_done(&annex))
        return thread_current(s, &thread) ? process_find(s, thread.pid) : NULL;
    if (!cursor_number(&annex, &pid) || !cursor_done(&annex) || pid > INT_MAX)
        return NULL;
    return process_find(s, (int)pid);
}

/* "ANNEX:OFFSET,LENGTH" */
void packet_exec_file(struct session *s, struct cursor arguments) {
    struct buffer document;
    struct process *p = parse_annex(s, cursor_until(&arguments, ':'));
    const char *path = process_present(p) ? path_of(s, p) : NULL;
    if (!path) {
        reply_failure(s);
        return;
    }
    note_asked(s, p);
    buffer_init(&document, DOCUMENT_MAX);
    buffer_text(&document, path);
    reply_piece(s, arguments, &document);
    buffer_free(&document);
}

/* The process whose exec file the client was told by this path and has not opened twice. */
static struct process *process_to_open(struct session *s, const char *path) {
    for (size_t i = 0; i < s->process_count; i++) {
        struct process *p = &s->processes[i];
        bool due = p->mode.exec_file == EXEC_ASKED || p->mode.exec_file == EXEC_OPENED;
        const char *file = due && process_present(p) ? path_of(s, p) : NULL;
        if (file && !strcmp(file, path))
            return p;
    }
    return NULL;
}

/* The label of an exec is opened. */
static enum exec_content label_opened(struct session *s, const struct process **for_exec) {
    enum label_open use = s->modes.label;
    s->modes.label = use == LABEL_ARCHITECTURE ? LABEL_SYMBOLS : LABEL_ANY;
    if (use == LABEL_ARCHITECTURE)
        *for_exec = process_find(s, s->modes.label_pid);
    return use == LABEL_SYMBOLS && s->client.features.after_gdb_16 ? CONTENT_BLANK
                                                                   : CONTENT_RECORDS;
}

enum exec_content exec_file_opened(struct session *s, const char *path,
                                   const struct process **for_exec) {
    struct process *p = process_to_open(s, path);
    *for_exec = NULL;
    if (!p)
        return file_is_label(path) ? label_opened(s, for_exec) : CONTENT_FILE;
    bool first = p->mode.exec_file == EXEC_ASKED;
    p->mode.exec_file = first ? EXEC_OPENED : EXEC_NEUTRAL;
    *for_exec = first ? p : NULL;
    return first || file_is_label(path) ? CONTENT_RECORDS : CONTENT_FILE;
}

/* At an exec of one process gdb up to 16 closes that of another one, too. */
void exec_file_closed(struct session *s, struct process *p) {
    for (size_t i = 0; i < s->process_count; i++)
        if (s->processes[i].mode.following == FOLLOW_EXEC)
            return;
    if (p->mode.exec_file == EXEC_NEUTRAL)
        p->mode.exec_file = EXEC_UNKNOWN;
}
