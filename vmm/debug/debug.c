/* Machines as a target of the gdb stub; see debug.h. */
#include "vmm/debug/debug.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/debug/bridge.h"
#include "vmm/machine/engines.h"
#include "vmm/host/files.h"
#include "vmm/host/stderr.h"
#include "vmm/x86/x86.h"

enum { GDB_SIGNAL_STOP = 17, GDB_SIGNAL_SYS = 12 };
enum { WATCH_MAX = 64 << 10, WATCH_TOTAL = 1 << 20 }; /* bytes: of one, of all of a machine */

/* --- threads ------------------------------------------------------------------------- */

static bool alive(void *target, int pid) {
    struct debug *d = target;
    return bridge_machine(d, pid) && !d->over[pid - 1];
}

static bool running(void *target, int pid) {
    struct machine *m = bridge_machine(target, pid);
    return m && alive(target, pid) && (machine_busy(m) || machine_has_stop(m));
}

static size_t threads(void *target, struct gdb_thread *list, size_t max) {
    struct debug *d = target;
    size_t n = 0;
    for (unsigned pid = 1; pid <= d->count; pid++)
        for (unsigned i = 0; alive(d, pid) && i < VCPUS_MAX; i++, n++)
            if (n < max)
                list[n] = bridge_thread(&d->machines[pid - 1].vcpu[i]);
    return n;
}

static void thread_name(void *target, struct gdb_thread thread, char *out, size_t size) {
    (void)target;
    snprintf(out, size, "vcpu%d", thread.tid - 1);
}

static void thread_extra(void *target, struct gdb_thread thread, char *out, size_t size) {
    struct vcpu *v = bridge_vcpu(target, thread);
    if (v && !machine_busy(v->machine))
        inspect_cpu(v, out, size);
    else
        snprintf(out, size, "running");
}

static int core(void *target, struct gdb_thread thread) {
    (void)target;
    return thread.tid - 1;
}

/* --- what QEMU's clients switch ------------------------------------------------------------ */

static int step_irqs(void *target, struct gdb_thread thread, int set) {
    struct vcpu *v = bridge_vcpu(target, thread);
    if (v && set >= 0)
        v->cpu.step_irqs = set;
    return v && v->cpu.step_irqs;
}

/* --- points -------------------------------------------------------------------------------- */

static const char *insert_breakpoint(void *target, int pid, enum gdb_bp_kind point,
                                     uint64_t address, uint64_t length,
                                     struct gdb_program *program) {
    struct machine *m = bridge_machine(target, pid);
    enum bp_kind kind = (enum bp_kind)point; /* the same order */
    if (!m)
        return "no such machine";
    if (kind >= BP_WRITE && (length == 0 || length > WATCH_MAX))
        return "a watchpoint has from 1 byte to 64 KiB";
    if (kind >= BP_WRITE && points_watched(&m->breakpoints) + length > WATCH_TOTAL)
        return "all watchpoints together have up to 1 MiB; delete some";
    struct cpu *cpu = &shown_vcpu(m)->cpu; /* all have the same engine */
    const char *why = cpu->engine->refuses(cpu, kind, address, length);
    if (why && !engines_may_take_over(m)) /* else another engine holds it, when it runs */
        return why;
    int err = bridge_add_point(m, kind, address, length);
    if (err)
        return err == -ENOMEM ? "no memory for a breakpoint"
                              : "too many breakpoints (16384 at most); delete some";
    if (kind <= BP_HARD)
        breakpoints_attach(&m->breakpoints, kind, address, length, program);
    return NULL;
}

static const char *remove_point(void *target, int pid, enum gdb_bp_kind point, uint64_t address,
                                uint64_t length) {
    struct machine *m = bridge_machine(target, pid);
    if (m && length <= WATCH_MAX)
        points_remove_shifted(&m->breakpoints, (enum bp_kind)point, address, length);
    return NULL;
}

static bool is_not_traced(const struct breakpoint *p) { return p->kind != BP_TRACE; }

static void remove_breakpoints(void *target, int pid) {
    struct machine *m = bridge_machine(target, pid);
    if (m)
        points_remove_if(&m->breakpoints, is_not_traced);
}

/* --- running ---------------------------------------------------------------------------------- */

static void resume(void *target, const struct gdb_action *action) {
    static const enum machine_command commands[] = {[GDB_CONTINUE] = COMMAND_RUN,
                                                    [GDB_STEP] = COMMAND_STEP,
                                                    [GDB_RANGE] = COMMAND_RANGE,
                                                    [GDB_REVERSE_STEP] = COMMAND_BACK_STEP,
                                                    [GDB_REVERSE_CONTINUE] = COMMAND_BACK_RUN};
    struct debug *d = target;
    struct vcpu *v = bridge_vcpu(d, action->thread);
    if (!v || !alive(d, action->thread.pid))
        return;
    struct machine *m = v->machine;
    if (machine_busy(m)) /* a client may resume what runs */
        return;
    d->detached[action->thread.pid - 1] = false;
    uint64_t shift = bridge_shift(v);
    v->range_start = addresses_linear(action->start, shift);
    v->range_end = addresses_linear(action->end, shift);
    if (action->how == GDB_STEP && machine_step_here(m))
        d->stepped_here = true;
    else
        machine_resume(m, commands[action->how]);
}

static void interrupt(void *target, int pid) {
    struct machine *m = bridge_machine(target, pid);
    if (m)
        machine_interrupt(m);
}

/* A machine that waits for its text to be taken must not be waited for. */
static void halt_machines(struct debug *d, struct machine *m) {
    bridge_drop_text(d, true);
    machine_halt(m);
    bridge_drop_text(d, false);
}

static void detach(void *target, int pid) {
    struct debug *d = target;
    struct machine *m = bridge_machine(d, pid);
    if (!m || !alive(d, pid))
        return;
    halt_machines(d, m);
    bridge_clear_points(m);
    d->detached[pid - 1] = true;
    machine_resume(m, COMMAND_RUN);
}

static void kill_machine(void *target, int pid) {
    struct debug *d = target;
    struct machine *m = bridge_machine(d, pid);
    if (!m)
        return;
    halt_machines(d, m);
    breakpoints_clear(&m->breakpoints);
    d->over[pid - 1] = true;
}

/* A client reaches guests only: the images of the command line, as they were spelled
 * there or by their whole path, and built ones. */
static struct machine *made_with(struct debug *d, const char *name) {
    for (unsigned i = 0; i < d->count; i++) {
        const struct machine *m = &d->machines[i];
        if (m->initial_path && (!strcmp(m->initial_path, name) || !strcmp(m->spelled, name)))
            return &d->machines[i];
    }
    return NULL;
}

/* Any other name is refused with the same sentence whether there is such a file or not,
 * and is not even looked for. */
static char *find_image(struct debug *d, const char *name) {
    char *guest = strchr(name, '/') ? NULL : image_find_guest(name);
    struct machine *m = made_with(d, name);
    if (guest || m)
        return guest ? guest : strdup(m->initial_path);
    if (d->machines[0].options->unconfined)
        return image_find(name, d->error, sizeof d->error);
    snprintf(d->error, sizeof d->error,
             "%.200s is neither an image of the command line nor a "
             "built guest; start minikvm with it, or with --sandbox=off",
             name);
    return NULL;
}

static const char *restart(void *target, int pid, const char *name) {
    struct debug *d = target;
    struct machine *m = bridge_machine(d, pid);
    char *path = NULL;
    if (!m)
        return "no such machine";
    if (*name && !(path = find_image(d, name)))
        return d->error;
    else if (!*name && m->image.path && !m->options->replay)
        path = strdup(m->image.path); /* it may have been built anew */
    bridge_drop_text(d, true);
    int err = machine_reset(m, path, d->error, sizeof d->error);
    bridge_drop_text(d, false);
    free(path);
    if (err)
        return d->error;
    breakpoints_clear(&m->breakpoints);
    d->over[pid - 1] = false;
    return NULL;
}

static void takes_text(void *target) { stderr_divert(bridge_put_text, target); }

static void session(void *target, bool connected) {
    struct debug *d = target;
    if (connected)
        memset(d->told_addresses, 0, sizeof d->told_addresses);
    else
        bridge_forget_text(d);
}

/* --- stops ------------------------------------------------------------------------------------ */

static const struct {
    int signal;
    bool point;
} outcomes[] = {
    [CPU_EXIT_KICKED] = {GDB_SIGNAL_INT, false},
    [CPU_EXIT_STEPPED] = {GDB_SIGNAL_TRAP, false},
    [CPU_EXIT_BREAKPOINT] = {GDB_SIGNAL_TRAP, true},
    [CPU_EXIT_WATCHPOINT] = {GDB_SIGNAL_TRAP, true},
    [CPU_EXIT_HALTED] = {GDB_SIGNAL_STOP, false},
    [CPU_EXIT_WAITING] = {GDB_SIGNAL_INT, false},
    [CPU_EXIT_DEVICE] = {GDB_SIGNAL_SYS, false},
    [CPU_EXIT_SHUTDOWN] = {GDB_SIGNAL_SEGV, false},
    [CPU_EXIT_CANNOT] = {GDB_SIGNAL_ILL, false},
    [CPU_EXIT_EVENT] = {GDB_SIGNAL_TRAP, false},
    [CPU_EXIT_RUNAWAY] = {GDB_SIGNAL_SEGV, false},
    [CPU_EXIT_LIMIT] = {GDB_SIGNAL_TRAP, false},
};

static struct gdb_stop translate(struct machine *m, const struct machine_stop *s) {
    struct gdb_stop stop = {.thread = bridge_thread(shown_vcpu(m))};
    if (s->ended) {
        stop.kind = GDB_EXITED;
        stop.status = s->status;
        return stop;
    }
    stop.kind = GDB_STOPPED;
    stop.status = outcomes[s->exit.kind].signal;
    stop.has_breakpoint = outcomes[s->exit.kind].point;
    stop.point = (enum gdb_bp_kind)s->exit.point;
    stop.address = bridge_clients_address(m, s->exit.address);
    stop.stuck = s->stuck;
    stop.log = (int)s->edge; /* the same order */
    return stop;
}

static void tell(struct debug *d, unsigned pid, const struct machine_stop *s) {
    bool is_known = s->stuck && !gdb_server_looked(d->server);
    if (s->exit.text[0] && !s->ended && !is_known)
        debug_message(d, pid, s->exit.text);
    if (!s->ended)
        bridge_tell_addresses(d, pid);
    if (s->ended) {
        d->over[pid - 1] = true;
        d->status[pid - 1] = s->status;
    }
    struct gdb_stop stop = translate(&d->machines[pid - 1], s);
    gdb_server_stopped(d->server, &stop);
}

static bool all_over(const struct debug *d) {
    for (unsigned i = 0; i < d->count; i++)
        if (!d->over[i])
            return false;
    return true;
}

static void report_stops(struct debug *d) {
    struct machine_stop s;
    bridge_take_text(d, false);
    for (unsigned i = 0; i < d->count; i++)
        if (machine_take_stop(&d->machines[i], &s)) {
            bridge_take_text(d, true); /* what was printed on the way to this stop */
            tell(d, i + 1, &s);
        }
    for (unsigned i = 0; i < d->count; i++)
        if (machine_take_done(&d->machines[i])) {
            d->commands--;
            bridge_take_text(d, true);
            gdb_server_monitor_done(d->server);
        }
}

/* A step that was done while its packet was read is reported at once, without a poll(). Text that was
 * not taken, since the client was behind, is taken once what it was behind with has been sent: a
 * machine that waits for room has called for it, and does not again. */
bool debug_handle(struct debug *d) {
    bool more;
    do {
        d->stepped_here = false;
        report_stops(d);
        more = gdb_server_handle(d->server);
        bridge_take_text(d, false);
    } while (more && d->stepped_here);
    return more && !d->quit && !(all_over(d) && !gdb_server_connected(d->server));
}

/* --- the whole ---------------------------------------------------------------------------------- */

static const struct gdb_target_ops ops = {
    .threads = threads,
    .running = running,
    .thread_name = thread_name,
    .thread_extra = thread_extra,
    .describe = bridge_describe,
    .description_of = bridge_description_of,
    .mode_name = bridge_mode_name,
    .read_register = bridge_read_register,
    .write_register = bridge_write_register,
    .read_only = bridge_read_only,
    .read_memory = bridge_read_memory,
    .write_memory = bridge_write_memory,
    .insert = insert_breakpoint,
    .remove = remove_point,
    .remove_all = remove_breakpoints,
    .resume = resume,
    .interrupt = interrupt,
    .detach = detach,
    .kill = kill_machine,
    .restart = restart,
    .alive = alive,
    .exec_file = bridge_exec_file,
    .may_read = bridge_may_read,
    .is_label = bridge_is_label,
    .libraries = bridge_libraries,
    .table_type = bridge_table_type,
    .table = bridge_table,
    .physical = bridge_physical_memory,
    .step_irqs = step_irqs,
    .core = core,
    .monitor = bridge_monitor,
    .takes_text = takes_text,
    .session = session,
};

struct debug *debug_open(const char *address, struct machine *machines, unsigned count, char *error,
                         size_t size) {
    struct debug *d = calloc(1, sizeof *d);
    if (!d) {
        snprintf(error, size, "no memory");
        return NULL;
    }
    d->machines = machines;
    d->count = count;
    d->target = (struct gdb_target){.ops = &ops,
                                    .context = d,
                                    .name = "minikvm",
                                    .version = MINIKVM_VERSION,
                                    .extension = &gdb_tracepoints};
    bridge_make_descriptions(d);
    bridge_open_text(d);
    d->server = gdb_server_open(address, &d->target, error, size);
    if (d->server)
        return d;
    bridge_free_descriptions(d);
    free(d);
    return NULL;
}

void debug_begin(struct debug *d) { bridge_open_points(d); }

void debug_admit_all(struct debug *d) { gdb_server_admit_all(d->server); }
const char *debug_warning(const struct debug *d) { return gdb_server_warning(d->server); }

static void say_line(void *context, const char *line) {
    (void)context;
    say("%s", line);
}

void debug_log_packets(struct debug *d) { gdb_server_log_packets(d->server, say_line, NULL); }

const char *debug_leave_socket(struct debug *d) { return gdb_server_leave_socket(d->server); }

void debug_close(struct debug *d) {
    for (unsigned i = 0; i < d->count; i++)
        halt_machines(d, &d->machines[i]); /* what they are at may print here */
    gdb_server_close(d->server);
    bridge_free_descriptions(d);
    free(d);
}

const char *debug_address(const struct debug *d) { return gdb_server_address(d->server); }

unsigned debug_poll_fds(struct debug *d, struct pollfd *fds, unsigned max) {
    return gdb_server_poll_fds(d->server, fds, max);
}

void debug_polled(struct debug *d, const struct pollfd *fds, unsigned count) {
    gdb_server_polled(d->server, fds, count);
}

int debug_status(const struct debug *d) {
    for (unsigned i = 0; i < d->count; i++)
        if (d->status[i])
            return d->status[i];
    return 0;
}

void debug_list_packets(void) {
    struct gdb_packet_doc doc;
    printf("| packet | served | what, or why not |\n|---|---|---|\n");
    for (size_t i = 0; gdb_packet_doc(&gdb_tracepoints, i, &doc); i++)
        printf("| `%s` | %s | %s |\n", doc.name, doc.supported, doc.note);
}
