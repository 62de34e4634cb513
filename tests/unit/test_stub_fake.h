/* A target that is no machine, to test the stub with: two processes of one
 * thread each, whose CPU knows one instruction, one byte long, that does
 * nothing. fake_tick() lets all that runs do one of them.
 *
 * Rule: it checks the stub as well: a call about a running thread counts as an
 * error in `misuse`.
 */
#ifndef TEST_STUB_FAKE_H
#define TEST_STUB_FAKE_H

#include "gdbstub/agent/agent.h"
#include "gdbstub/gdbstub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAKE_PROCESSES = 2, FAKE_BASE = 0x1000, FAKE_SIZE = 0x20000, FAKE_POINTS = 8, FAKE_PC = 8 };

struct fake_point {
    bool used;
    enum gdb_bp_kind type;
    uint64_t address, length;
    struct gdb_program *program;
};
struct fake_process {
    uint32_t registers[16];
    uint8_t memory[FAKE_SIZE];
    struct fake_point breakpoints[FAKE_POINTS];
    struct gdb_action action; /* the latest */
    bool running, interrupted, dead, long_mode;
    unsigned resumed, detached, killed, restarted, traced;
};
struct fake {
    struct gdb_server *server;
    struct fake_process process[FAKE_PROCESSES];
    char monitor[256];
    char readable[256];  /* the one file that a client may read */
    char exec_file[256]; /* of the first process; the second has none */
    bool connected;
    size_t libraries; /* of the first process */
    const char *library_architecture;
    bool tells_core, physical, step_irqs;
    unsigned misuse;
};

#define FAKE_CORE "org.gnu.gdb.i386.core"
#define FAKE_GP(name, type)                                                                        \
    { name, 32, type, FAKE_CORE, NULL, true, false, false }
#define FAKE_X87(name)                                                                             \
    { name, 80, "i387_ext", FAKE_CORE, NULL, true, false, false }
static const struct gdb_register fake_registers[] = {
    FAKE_GP("eax", "int32"),
    FAKE_GP("ecx", "int32"),
    FAKE_GP("edx", "int32"),
    FAKE_GP("ebx", "int32"),
    {"esp", 32, "data_ptr", FAKE_CORE, NULL, true, true, false},
    {"ebp", 32, "data_ptr", FAKE_CORE, NULL, true, true, false},
    FAKE_GP("esi", "int32"),
    FAKE_GP("edi", "int32"),
    {"eip", 32, "code_ptr", FAKE_CORE, NULL, true, true, false},
    FAKE_GP("eflags", "int32"),
    FAKE_GP("cs", "int32"),
    FAKE_GP("ss", "int32"),
    FAKE_GP("ds", "int32"),
    FAKE_GP("es", "int32"),
    FAKE_GP("fs", "int32"),
    FAKE_GP("gs", "int32"),
    FAKE_X87("st0"),
    FAKE_X87("st1"),
    FAKE_X87("st2"),
    FAKE_X87("st3"),
    FAKE_X87("st4"),
    FAKE_X87("st5"),
    FAKE_X87("st6"),
    FAKE_X87("st7"),
    FAKE_GP("fctrl", "int"),
    FAKE_GP("fstat", "int"),
    FAKE_GP("ftag", "int"),
    FAKE_GP("fiseg", "int"),
    FAKE_GP("fioff", "int"),
    FAKE_GP("foseg", "int"),
    FAKE_GP("fooff", "int"),
    FAKE_GP("fop", "int"),
    {"cr0", 32, "fake_cr0", "fake.system", "system", false, false, false},
    {"gdtr", 48, "fake_gdtr", "fake.system", "system", false, false, false},
};
enum { FAKE_REGISTERS = sizeof fake_registers / sizeof *fake_registers, FAKE_G_BYTES = 176 };
static const struct gdb_field fake_cr0_bits[] = {
    {"PE", 0, 0, NULL}, {"PG", 31, 31, NULL}, {NULL, 0, 0, NULL}};
static const struct gdb_field fake_gdtr_fields[] = {
    {"limit", -1, 0, "uint16"}, {"base", -1, 0, "uint32"}, {NULL, 0, 0, NULL}};
static const struct gdb_type fake_types[] = {
    {.kind = GDB_TYPE_FLAGS, .id = "fake_cr0", .size = 4, .fields = fake_cr0_bits},
    {.kind = GDB_TYPE_STRUCT, .id = "fake_gdtr", .fields = fake_gdtr_fields},
    {.id = NULL},
};
static const struct gdb_description fake_i386 = {
    .architecture = "i386",
    .registers = fake_registers,
    .count = FAKE_REGISTERS,
    .types = fake_types,
    .types_feature = "fake.system",
};
static const struct gdb_register fake_wide_registers[] = {
    {"rax", 64, "int64", "org.gnu.gdb.i386.core", NULL, true, false, false},
    {"rip", 64, "code_ptr", "org.gnu.gdb.i386.core", NULL, true, true, false},
};
static const struct gdb_description fake_wide = {
    .architecture = "i386:x86-64", .registers = fake_wide_registers, .count = 2};

static inline struct fake_process *fake_process(struct fake *f, int pid) {
    if (pid >= 1 && pid <= FAKE_PROCESSES)
        return &f->process[pid - 1];
    f->misuse++;
    return &f->process[0];
}

/* As above, of a process that must stand still. */
static inline struct fake_process *fake_stopped(struct fake *f, int pid) {
    struct fake_process *p = fake_process(f, pid);
    f->misuse += p->running || p->dead;
    return p;
}

/* An interrupt that did not come true is void. */
static inline void fake_halt(struct fake *f, int pid) {
    fake_process(f, pid)->running = fake_process(f, pid)->interrupted = false;
}

static inline void fake_tell(struct fake *f, int pid, int signal) {
    fake_halt(f, pid);
    gdb_server_stopped(f->server, &(struct gdb_stop){.thread = {pid, 1}, .status = signal});
}

static inline void fake_tell_point(struct fake *f, int pid, enum gdb_bp_kind point, uint64_t at) {
    struct gdb_stop stop = {.thread = {pid, 1}, .status = GDB_SIGNAL_TRAP, .has_breakpoint = true};
    stop.point = point;
    stop.address = at;
    fake_halt(f, pid);
    gdb_server_stopped(f->server, &stop);
}

static inline void fake_exit(struct fake *f, int pid, int status) {
    fake_halt(f, pid);
    fake_process(f, pid)->dead = true;
    gdb_server_stopped(
        f->server, &(struct gdb_stop){.kind = GDB_EXITED, .thread = {pid, 1}, .status = status});
}

static inline const struct fake_point *fake_point_at(const struct fake_process *p, uint64_t pc) {
    for (unsigned i = 0; i < FAKE_POINTS; i++)
        if (p->breakpoints[i].used && p->breakpoints[i].type != GDB_TRACE &&
            p->breakpoints[i].type <= GDB_HWBREAK && p->breakpoints[i].address == pc)
            return &p->breakpoints[i];
    return NULL;
}

/* --- tracepoints: what their programs can reach ---------------------------------- */

static bool fake_agent_register(void *context, unsigned number, uint64_t *value) {
    const struct fake_process *p = context;
    *value = number < 16 ? p->registers[number] : 0;
    return number < 16;
}
static bool fake_agent_whole(void *context, unsigned number, uint8_t *value) {
    const struct fake_process *p = context;
    memset(value, 0, (fake_registers[number].bits + 7) / 8);
    if (number < 16)
        memcpy(value, &p->registers[number], 4);
    return number != FAKE_REGISTERS - 1;
}
static bool fake_agent_memory(void *context, uint64_t at, void *to, size_t length) {
    const struct fake_process *p = context;
    if (at < FAKE_BASE || at - FAKE_BASE > FAKE_SIZE || length > FAKE_SIZE - (at - FAKE_BASE))
        return false;
    memcpy(to, p->memory + (at - FAKE_BASE), length);
    return true;
}

/* After an instruction: the steps of those that were hit before, and what is hit now. */
static inline void fake_trace(struct fake_process *p) {
    struct gdb_agent_host host = {.context = p,
                                  .read_register = fake_agent_register,
                                  .read_whole = fake_agent_whole,
                                  .read_memory = fake_agent_memory};
    for (unsigned i = 0; i < FAKE_POINTS; i++)
        if (p->breakpoints[i].type == GDB_TRACE && gdb_program_follows(p->breakpoints[i].program))
            gdb_program_stepped(p->breakpoints[i].program, &host);
    for (unsigned i = 0; i < FAKE_POINTS; i++)
        if (p->breakpoints[i].type == GDB_TRACE && p->breakpoints[i].address == p->registers[FAKE_PC])
            p->traced += !gdb_program_stops(p->breakpoints[i].program, &host);
}

/* One instruction of one process; it wraps in its memory. */
static inline void fake_step(struct fake *f, int pid) {
    struct fake_process *p = fake_process(f, pid);
    uint32_t *pc = &p->registers[FAKE_PC];
    if (p->interrupted) {
        p->interrupted = false;
        fake_tell(f, pid, GDB_SIGNAL_INT);
        return;
    }
    *pc = *pc + 1 < FAKE_BASE + FAKE_SIZE ? *pc + 1 : FAKE_BASE;
    fake_trace(p);
    const struct fake_point *point = fake_point_at(p, *pc);
    bool inside = *pc >= p->action.start && *pc < p->action.end;
    if (point)
        fake_tell_point(f, pid, point->type, *pc);
    else if (p->action.how == GDB_STEP || (p->action.how == GDB_RANGE && !inside))
        fake_tell(f, pid, GDB_SIGNAL_TRAP);
}

static inline void fake_tick(struct fake *f) {
    for (int pid = 1; pid <= FAKE_PROCESSES; pid++)
        if (f->process[pid - 1].running)
            fake_step(f, pid);
}

/* --- the target's operations --------------------------------------------------- */

static size_t fake_threads(void *target, struct gdb_thread *list, size_t max) {
    struct fake *f = target;
    size_t count = 0;
    for (int pid = 1; pid <= FAKE_PROCESSES; pid++) {
        if (f->process[pid - 1].dead)
            continue;
        if (count < max)
            list[count] = (struct gdb_thread){pid, 1};
        count++;
    }
    return count;
}
static bool fake_running(void *target, int pid) {
    return fake_process(target, pid)->running;
}
static void fake_thread_name(void *target, struct gdb_thread t, char *out, size_t size) {
    (void)target;
    snprintf(out, size, "vcpu%d<&>", t.pid);
}
static void fake_thread_extra(void *target, struct gdb_thread t, char *out, size_t size) {
    (void)target, (void)t;
    snprintf(out, size, "ring0");
}
static const struct gdb_description *fake_describe(void *target, struct gdb_thread t) {
    return fake_stopped(target, t.pid)->long_mode ? &fake_wide : &fake_i386;
}
static const struct gdb_description *fake_description_of(void *target, const char *architecture) {
    (void)target;
    return strcmp(architecture, fake_wide.architecture) ? &fake_i386 : &fake_wide;
}
static const char *fake_mode_name(void *target, struct gdb_thread t) {
    return fake_stopped(target, t.pid)->long_mode ? "64-bit" : "32-bit";
}
static bool fake_read_register(void *target, struct gdb_thread t, const struct gdb_description *d,
                               unsigned number, uint8_t *value) {
    struct fake_process *p = fake_stopped(target, t.pid);
    if (d == &fake_i386 && number == FAKE_REGISTERS - 1)
        return false; /* gdtr is unavailable */
    memset(value, 0, (d->registers[number].bits + 7) / 8);
    if (number < 16)
        memcpy(value, &p->registers[number], 4);
    return true;
}
static bool fake_write_register(void *target, struct gdb_thread t, const struct gdb_description *d,
                                unsigned number, const uint8_t *value) {
    (void)d;
    if (number < 16)
        memcpy(&fake_stopped(target, t.pid)->registers[number], value, 4);
    return number != FAKE_REGISTERS - 1;
}
static size_t fake_within(uint64_t address, size_t length) {
    if (address < FAKE_BASE || address - FAKE_BASE >= FAKE_SIZE)
        return 0;
    size_t left = FAKE_SIZE - (size_t)(address - FAKE_BASE);
    return length < left ? length : left;
}
static size_t fake_read(void *target, struct gdb_thread t, uint64_t at, void *to, size_t length) {
    size_t size = fake_within(at, length);
    if (size)
        memcpy(to, fake_stopped(target, t.pid)->memory + (at - FAKE_BASE), size);
    return size;
}
static size_t fake_write(void *target, struct gdb_thread t, uint64_t at, const void *from,
                         size_t length) {
    size_t size = fake_within(at, length);
    if (size)
        memcpy(fake_stopped(target, t.pid)->memory + (at - FAKE_BASE), from, size);
    return size;
}
static void fake_clear_points(struct fake_process *p) {
    for (unsigned i = 0; i < FAKE_POINTS; i++)
        gdb_program_free(p->breakpoints[i].program);
    memset(p->breakpoints, 0, sizeof p->breakpoints);
}
/* What the client has let go of: only what wants to stays. */
static void fake_clear_some(struct fake_process *p, bool traces_stay, bool persistent_stay) {
    for (unsigned i = 0; i < FAKE_POINTS; i++) {
        struct fake_point *point = &p->breakpoints[i];
        bool stays = (traces_stay && point->type == GDB_TRACE) ||
                     (persistent_stay && point->program && gdb_program_persists(point->program));
        if (!point->used || stays)
            continue;
        gdb_program_free(point->program);
        *point = (struct fake_point){0};
    }
}
static const char *fake_insert(void *target, int pid, enum gdb_bp_kind type, uint64_t address,
                               uint64_t length, struct gdb_program *program) {
    struct fake_process *p = fake_process(target, pid);
    if (length > 8 && type != GDB_TRACE)
        return "no point can be as wide as #$*} that";
    for (unsigned i = 0; i < FAKE_POINTS; i++) {
        struct fake_point *point = &p->breakpoints[i];
        if (!point->used || point->type != type || point->address != address ||
            (type == GDB_TRACE && point->length != length))
            continue;
        gdb_program_free(point->program);
        point->program = program;
        return NULL;
    }
    for (unsigned i = 0; i < FAKE_POINTS; i++) {
        if (p->breakpoints[i].used)
            continue;
        p->breakpoints[i] = (struct fake_point){true, type, address, length, program};
        return NULL;
    }
    return "no room";
}
static const char *fake_remove(void *target, int pid, enum gdb_bp_kind type, uint64_t address,
                               uint64_t length) {
    struct fake_process *p =
        type == GDB_TRACE ? fake_stopped(target, pid) : fake_process(target, pid);
    for (unsigned i = 0; i < FAKE_POINTS; i++) {
        if (!p->breakpoints[i].used || p->breakpoints[i].type != type || p->breakpoints[i].address != address ||
            (type == GDB_TRACE && p->breakpoints[i].length != length))
            continue;
        gdb_program_free(p->breakpoints[i].program);
        p->breakpoints[i] = (struct fake_point){0};
        return NULL;
    }
    return "no such point";
}
static void fake_remove_all(void *target, int pid) {
    fake_clear_some(fake_stopped(target, pid), true, false);
}
static void fake_resume(void *target, const struct gdb_action *action) {
    struct fake_process *p = fake_stopped(target, action->thread.pid);
    p->action = *action;
    p->running = true;
    p->resumed++;
}
static void fake_interrupt(void *target, int pid) {
    fake_process(target, pid)->interrupted = true;
}
static void fake_detach(void *target, int pid) {
    struct fake_process *p = fake_process(target, pid);
    fake_clear_some(p, false, true);
    p->action = (struct gdb_action){.thread = {pid, 1}};
    p->interrupted = false;
    p->running = true;
    p->detached++;
}
static void fake_kill(void *target, int pid) {
    struct fake_process *p = fake_process(target, pid);
    p->dead = true;
    p->running = false;
    fake_clear_points(p);
    p->killed++;
}
static const char *fake_restart(void *target, int pid, const char *image) {
    struct fake_process *p = fake_process(target, pid);
    if (!strcmp(image, "missing"))
        return "no such image";
    p->dead = p->running = false;
    p->registers[FAKE_PC] = FAKE_BASE;
    fake_clear_points(p);
    p->restarted++;
    return NULL;
}
static bool fake_alive(void *target, int pid) {
    return !fake_process(target, pid)->dead;
}
static const char *fake_exec_file(void *target, int pid) {
    return pid == 1 ? ((struct fake *)target)->exec_file : NULL;
}
static bool fake_may_read(void *target, const char *path) {
    return !strcmp(path, ((struct fake *)target)->readable);
}
static size_t fake_libraries(void *target, int pid, struct gdb_library *list, size_t max) {
    struct fake *f = target;
    for (size_t i = 0; i < max && i < f->libraries; i++)
        list[i] = (struct gdb_library){"/images/<user>", 0x1000 * (i + 1), f->library_architecture};
    return pid == 1 ? f->libraries : 0;
}
static bool fake_table_type(void *target, unsigned number, const char **name, const char **help) {
    (void)target;
    *name = number ? "big" : "gdt";
    *help = number ? "a long one" : "<segments> & \"gates\"";
    return number < 2;
}
static bool fake_table(void *target, struct gdb_thread t, const char *name, struct gdb_table *out) {
    char text[32];
    fake_stopped(target, t.pid);
    unsigned rows = !strcmp(name, "gdt") ? 2 : !strcmp(name, "big") ? 20000 : 0;
    for (unsigned i = 0; i < rows; i++) {
        snprintf(text, sizeof text, "0x%x", 8 * i);
        gdb_table_row(out);
        gdb_table_cell(out, "Selector", text);
        gdb_table_cell(out, "Type", "code & <data>");
    }
    return rows;
}
static bool fake_monitor(void *target, struct gdb_thread t, const char *line, struct gdb_out *out) {
    struct fake *f = target;
    snprintf(f->monitor, sizeof f->monitor, "%s", line);
    if (!strcmp(line, "flood")) {
        for (unsigned i = 0; i < 200000; i++)
            gdb_print(out, "line %u of a very long answer that is only there to be long\n", i);
        return true;
    }
    if (strcmp(line, "hello"))
        return false;
    gdb_print(out, "hello from p%d\n", t.pid);
    return true;
}
static void fake_session(void *target, bool connected) {
    ((struct fake *)target)->connected = connected;
}

static int fake_physical(void *target, int set) {
    struct fake *f = target;
    if (set >= 0)
        f->physical = set;
    return f->physical;
}

static int fake_step_irqs(void *target, struct gdb_thread thread, int set) {
    struct fake *f = target;
    (void)thread;
    if (set >= 0)
        f->step_irqs = set;
    return f->step_irqs;
}

static int fake_core(void *target, struct gdb_thread thread) {
    return ((struct fake *)target)->tells_core ? thread.pid + 9 : -1;
}

static const struct gdb_target_ops fake_ops = {
    .threads = fake_threads,
    .running = fake_running,
    .thread_name = fake_thread_name,
    .thread_extra = fake_thread_extra,
    .describe = fake_describe,
    .description_of = fake_description_of,
    .mode_name = fake_mode_name,
    .read_register = fake_read_register,
    .write_register = fake_write_register,
    .read_memory = fake_read,
    .write_memory = fake_write,
    .insert = fake_insert,
    .remove = fake_remove,
    .remove_all = fake_remove_all,
    .resume = fake_resume,
    .interrupt = fake_interrupt,
    .detach = fake_detach,
    .kill = fake_kill,
    .restart = fake_restart,
    .alive = fake_alive,
    .exec_file = fake_exec_file,
    .may_read = fake_may_read,
    .libraries = fake_libraries,
    .table_type = fake_table_type,
    .table = fake_table,
    .physical = fake_physical,
    .step_irqs = fake_step_irqs,
    .core = fake_core,
    .monitor = fake_monitor,
    .session = fake_session,
};

static inline struct fake *fake_new(void) {
    struct fake *f = calloc(1, sizeof *f);
    if (f)
        strcpy(f->exec_file, "/images/hello#1.elf");
    for (int pid = 1; f && pid <= FAKE_PROCESSES; pid++) {
        struct fake_process *p = &f->process[pid - 1];
        p->registers[FAKE_PC] = FAKE_BASE;
        for (unsigned i = 0; i < 16; i++)
            p->registers[i] += 0x100u * (unsigned)pid * (i != FAKE_PC);
        for (unsigned i = 0; i < FAKE_SIZE; i++)
            p->memory[i] = 0x90;
    }
    return f;
}

#endif
