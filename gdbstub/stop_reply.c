/* The stop reply (GDB manual, "Stop Reply Packets"). */
#include "gdbstub/layout.h"
#include "gdbstub/stops.h"
#include "gdbstub/threads.h"

/* What follows the registers in a T packet; by enum gdb_point. */
static const char *const reasons[] = {
    [GDB_SWBREAK] = "swbreak:", [GDB_HWBREAK] = "hwbreak:", [GDB_WATCH] = "watch:",
    [GDB_RWATCH] = "rwatch:",   [GDB_AWATCH] = "awatch:",
};

static void write_reason(struct session *s, const struct gdb_stop *stop) {
    struct buffer *b = &s->reply;
    if (stop->log != GDB_LOG_NONE)
        buffer_text(b, stop->log == GDB_LOG_BEGIN ? "replaylog:begin;" : "replaylog:end;");
    bool wanted = stop->point == GDB_SWBREAK   ? s->client.features.swbreak
                  : stop->point == GDB_HWBREAK ? s->client.features.hwbreak
                                               : true;
    if (!stop->has_breakpoint || stop->point > GDB_AWATCH || !wanted)
        return;
    buffer_text(b, reasons[stop->point]);
    if (stop->point >= GDB_WATCH)
        buffer_printf(b, "%llx", (unsigned long long)stop->address);
    buffer_char(b, ';');
}

/* Registers that gdb would ask for at every stop. They are sent only to a client that has
 * accepted the description: to another one their numbers mean other registers. */
static void write_expedited(struct session *s, const struct process *process,
                            struct gdb_thread thread) {
    bool proven = process && (process->mode.trust == TRUST_PROVEN || !s->client.features.xml);
    bool known = proven && !s->modes.own_description;
    const struct gdb_description *d = known ? process->mode.described : NULL;
    for (unsigned i = 0; d && i < d->count; i++) {
        if (!d->registers[i].expedite)
            continue;
        buffer_printf(&s->reply, "%x:", i);
        register_write_hex(s, &s->reply, thread, d, i);
        buffer_char(&s->reply, ';');
    }
}

static void write_stopped(struct session *s, const struct gdb_stop *stop) {
    buffer_printf(&s->reply, "T%02x", (unsigned)stop->status & 0xff);
    write_expedited(s, process_find(s, stop->thread.pid), stop->thread);
    buffer_text(&s->reply, "thread:");
    thread_write(s, &s->reply, stop->thread);
    buffer_char(&s->reply, ';');
    int core = thread_core(s, stop->thread);
    if (core >= 0)
        buffer_printf(&s->reply, "core:%x;", (unsigned)core);
    write_reason(s, stop);
}

static void write_ended(struct session *s, const struct gdb_stop *stop) {
    char kind = stop->kind == GDB_EXITED ? 'W' : 'X';
    buffer_printf(&s->reply, "%c%02x", kind, (unsigned)stop->status & 0xff);
    if (s->client.features.multiprocess && stop->thread.pid)
        buffer_printf(&s->reply, ";process:%x", (unsigned)stop->thread.pid);
}

void stops_write(struct session *s, const struct gdb_stop *stop) {
    if (stop->kind == GDB_STOPPED)
        write_stopped(s, stop);
    else
        write_ended(s, stop);
}
