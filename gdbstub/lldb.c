/* What lldb asks at the beginning (lldb's docs, "lldb-platform-packets").
 *
 * Rule: lldb takes its disassembler and its registers from a triple, once. So it
 * gets the one that fits the CPU mode of the moment; it is never told an exec, which
 * would drop its modules. In another mode a line says what helps, at the first stop.
 */
#include "gdbstub/console.h"
#include "gdbstub/packets.h"
#include "gdbstub/reply.h"
#include "gdbstub/threads.h"

#include <stdio.h>
#include <string.h>

static const char *triple_of(const struct gdb_description *d) {
    static const struct {
        const char *architecture, *triple;
    } known[] = {
        {"i8086", "i386-unknown-unknown-code16"},
        {"i386", "i386-unknown-unknown"},
        {"i386:x86-64", "x86_64-unknown-unknown"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(d->architecture, known[i].architecture))
            return known[i].triple;
    return NULL;
}

static bool write_triple(struct session *s, struct gdb_thread thread) {
    const struct gdb_description *d = s->target->ops->describe(s->target->context, thread);
    const char *triple = triple_of(d);
    if (!triple)
        return false;
    s->client.lldb_triple = triple;
    buffer_text(&s->reply, "triple:");
    buffer_hex(&s->reply, triple, strlen(triple));
    buffer_printf(&s->reply, ";endian:little;ptrsize:%d;", triple[0] == 'x' ? 8 : 4);
    return true;
}

void lldb_report_mode(struct session *s, struct gdb_thread thread) {
    const char *triple = triple_of(s->target->ops->describe(s->target->context, thread));
    char text[200];
    if (!s->client.lldb_triple || !triple || triple == s->client.lldb_triple)
        return;
    s->client.lldb_triple = triple;
    int length = snprintf(
        text, sizeof text,
        "minikvm: the CPU's mode has changed, and lldb keeps the disassembler and registers"
        " it connected with: type disassemble -A %s, or connect again\n",
        triple);
    console_text(s, text, (size_t)length);
}

void packet_host_info(struct session *s, struct cursor arguments) {
    (void)arguments;
    struct gdb_thread thread;
    if (!thread_current(s, &thread) || !write_triple(s, thread))
        reply_failure(s);
}

void packet_process_info(struct session *s, struct cursor arguments) {
    (void)arguments;
    struct gdb_thread thread;
    if (!thread_current(s, &thread)) {
        reply_failure(s);
        return;
    }
    buffer_printf(&s->reply, "pid:%x;", (unsigned)thread.pid);
    if (!write_triple(s, thread))
        reply_failure(s);
}
