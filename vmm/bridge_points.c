/* Breakpoints with conditions and commands: what the stub has made of them, run
 * on the machine's thread each time the CPU comes to one.
 *
 * Rule: text that they print waits in a bounded buffer for the main thread, which
 * alone talks to the client. The guest waits for room there, unless it is to stop.
 */
#include "bridge.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../gdbstub/agent.h"
#include "history.h"
#include "registers.h"
#include "x86.h"

struct evaluation {
    struct machine *machine;
    const struct gdb_description *layout;
};

static bool read_register(void *context, unsigned number, uint64_t *value) {
    const struct evaluation *e = context;
    const struct reg *r = bridge_row(e->machine->stops_context, e->layout, number);
    if (!r || r->bits > 64)
        return false;
    *value = 0;
    return register_read(&e->machine->cpu, r, (uint8_t *)value);
}

static bool read_whole(void *context, unsigned number, uint8_t *value) {
    const struct evaluation *e = context;
    const struct reg *r = bridge_row(e->machine->stops_context, e->layout, number);
    return r && register_read(&e->machine->cpu, r, value);
}

static bool read_memory(void *context, uint64_t address, void *to, size_t length) {
    const struct evaluation *e = context;
    const struct kvm_sregs *s = &cpu_read(&e->machine->cpu, CPU_SREGS)->sregs;
    return x86_read(&e->machine->memory, s, address, to, length) == length;
}

static void wait_a_moment(struct debug *d) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 10000000; /* to look whether the guest is to stop */
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&d->text_taken, &d->text_lock, &until);
}

static bool is_to_stop(struct machine *m) {
    pthread_mutex_lock(&m->lock);
    bool is = m->interrupt;
    pthread_mutex_unlock(&m->lock);
    return is;
}

static void print(void *context, const char *text, size_t length) {
    const struct evaluation *e = context;
    struct debug *d = e->machine->stops_context;
    const struct machine_owner *owner = &e->machine->owner;
    if (history_is_silent(e->machine))
        return; /* this was printed when it was the present */
    if (d->detached[e->machine->number - 1]) {
        owner->output(owner->context, e->machine->number, text, length);
        return;
    }
    pthread_mutex_lock(&d->text_lock);
    while (length > sizeof d->text - d->text_length && !is_to_stop(e->machine))
        wait_a_moment(d);
    if (length <= sizeof d->text - d->text_length) {
        memcpy(d->text + d->text_length, text, length);
        d->text_length += length;
    }
    pthread_mutex_unlock(&d->text_lock);
    owner->notify(owner->context);
}

static struct gdb_agent_host host_of(struct evaluation *e) {
    return (struct gdb_agent_host){.context = e, .read_register = read_register,
                                   .read_memory = read_memory, .read_whole = read_whole,
                                   .print = print};
}

/* A search through the past comes by tracepoints, too; that is no run to be traced. */
static bool stops_at(struct machine *m, const struct point *p) {
    struct evaluation e = {m, gdb_program_layout(p->attached)};
    struct gdb_agent_host host = host_of(&e);
    if (p->kind == POINT_TRACE && m->history && m->history->travelling)
        return false;
    bool stops = gdb_program_stops(p->attached, &host);
    m->follows |= gdb_program_follows(p->attached);
    return stops;
}

static void stepped(struct machine *m, const struct point *p) {
    struct evaluation e = {m, gdb_program_layout(p->attached)};
    struct gdb_agent_host host = host_of(&e);
    gdb_program_stepped(p->attached, &host);
    m->follows |= gdb_program_follows(p->attached);
}

/* To gdb's console; to the terminal, if gdb has just gone. */
void bridge_take_text(struct debug *d) {
    char text[sizeof d->text];
    pthread_mutex_lock(&d->text_lock);
    size_t length = d->text_length;
    memcpy(text, d->text, length);
    d->text_length = 0;
    pthread_cond_broadcast(&d->text_taken);
    pthread_mutex_unlock(&d->text_lock);
    if (length && gdb_server_connected(d->server))
        gdb_server_console(d->server, text, length);
    else if (length)
        d->machines->owner.output(d->machines->owner.context, 1, text, length);
}

static void release(void *program) { gdb_program_free(program); }

void bridge_open_points(struct debug *d) {
    pthread_mutex_init(&d->text_lock, NULL);
    pthread_cond_init(&d->text_taken, NULL);
    for (unsigned i = 0; i < d->count; i++) {
        d->machines[i].points.release = release;
        d->machines[i].stops_at = stops_at;
        d->machines[i].stepped = stepped;
        d->machines[i].stops_context = d;
    }
}

/* After a detach only those stay that gdb wants to: `set disconnected-dprintf`. */
void bridge_clear_points(struct machine *m) {
    for (size_t i = m->points.count; i-- > 0;) {
        const struct point p = m->points.list[i];
        if (!p.attached || !gdb_program_persists(p.attached))
            points_remove(&m->points, p.kind, p.address, p.length);
    }
}
