/* See guest.h. */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "vmm/cpu/engine.h"

extern const struct engine __real_engine_soft;
extern struct engine __wrap_engine_soft;
int __wrap_pthread_cond_timedwait(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);

/* --- an engine that does so much and no more ------------------------------------------------ */

enum { MACHINES = 2 };
struct engine __wrap_engine_soft; /* what everybody else takes for engine_soft */
static uint64_t spent[MACHINES + 1]; /* by number, since the latest interrupt */

static void use_up(struct cpu *cpu, uint64_t since) {
    if (!engine_host_of(cpu)->deadline) /* a scratch CPU, of no machine and for one instruction */
        return;
    struct machine *m = vcpu_of(cpu)->machine;
    spent[m->number] += cpu->ticks - since + 1; /* one for a call that did nothing */
    if (spent[m->number] < BUDGET)
        return;
    spent[m->number] = 0;
    machine_interrupt(m);
}

static void bounded_run(struct cpu *cpu, struct cpu_exit *out) {
    uint64_t before = cpu->ticks, limit = cpu->limit, end = before + BUDGET;
    bool ours = !limit || limit > end;
    cpu->limit = ours ? end : limit;
    __real_engine_soft.ops.run(cpu, out);
    cpu->limit = limit;
    use_up(cpu, before);
    if (ours && out->kind == CPU_EXIT_LIMIT)
        out->kind = CPU_EXIT_KICKED;
}

static void bounded_step(struct cpu *cpu, struct cpu_exit *out) {
    uint64_t before = cpu->ticks;
    __real_engine_soft.step(cpu, out);
    use_up(cpu, before);
}

static int bounded_open(struct cpu *cpu, const struct engine_options *options, char *error, size_t size) {
    int err = __real_engine_soft.open(cpu, options, error, size);
    if (!err)
        cpu_set_engine(cpu, &__wrap_engine_soft);
    return err;
}

/* --- the world outside ------------------------------------------------ */

static int no_kvm(struct cpu *cpu, const struct engine_options *options, char *error, size_t size) {
    (void)cpu, (void)options;
    snprintf(error, size, "no KVM here");
    return -ENODEV;
}

/* In place of the library's. */
const struct engine engine_kvm = {.name = "kvm", .open = no_kvm};

int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *t) {
    (void)c, (void)t;
    pthread_mutex_unlock(m);
    sched_yield();
    pthread_mutex_lock(m);
    return ETIMEDOUT;
}

static void ignore_output(void *context, unsigned number, const char *text, size_t length) {
    (void)context, (void)number, (void)text, (void)length;
}
static void ignore_notice(void *context) { (void)context; }
static void ignore_message(void *context, unsigned number, const char *text) {
    (void)context, (void)number, (void)text;
}

/* --- machines and files ------------------------------------------------ */

bool guest_open(struct machine *m, unsigned number, const char *path,
                const struct machine_options *options) {
    static const struct machine_owner owner = {NULL, ignore_output, ignore_notice, ignore_message};
    char error[512];
    __wrap_engine_soft = __real_engine_soft;
    __wrap_engine_soft.open = bounded_open;
    __wrap_engine_soft.ops.run = bounded_run;
    __wrap_engine_soft.step = bounded_step;
    spent[number] = 0;
    int err = machine_open(m, number, path, options, &owner, error, sizeof error);
    if (err)
        machine_close(m);
    else
        machine_end_input(m);
    return !err;
}

/* TMPDIR is for those that a crash leaves behind; tests/fuzz/run removes it. */
static char folder[64];
static char paths[GUEST_FILES][96];

static void remove_folder(void) {
    for (int i = 0; i < GUEST_FILES; i++)
        unlink(paths[i]);
    rmdir(folder);
}

static void make_folder(void) {
    static const char *const names[] = {"kernel.elf", "shell.elf", "rom.bin", "run.replay"};
    const char *where = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.40s/minikvm-XXXXXX", where ? where : "/tmp");
    if (!mkdtemp(folder))
        abort();
    for (int i = 0; i < GUEST_FILES; i++)
        snprintf(paths[i], sizeof paths[i], "%s/%s", folder, names[i]);
    atexit(remove_folder);
}

const char *guest_file(enum guest_file which, const void *bytes, size_t size) {
    if (!*folder)
        make_folder();
    int fd = open(paths[which], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
        abort();
    close(fd);
    return paths[which];
}

const char *guest_no_file(enum guest_file which) {
    const char *path = guest_file(which, "", 0);
    unlink(path);
    return path;
}

struct machine_stop guest_do(struct machine *m, enum machine_command command) {
    struct machine_stop stop = {0};
    machine_resume(m, command);
    machine_wait(m);
    machine_take_stop(m, &stop);
    return stop;
}
