/* Time travel: at random points of the runs of guests, with interrupts and input,
 * going back and forward again leads to the same machine, to the last bit. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/elf_build.h"
#include "vmm/board/boot/image.h"
#include "vmm/cpu/engine.h"
#include "vmm/replay/snapshot.h"
#include "vmm/replay/reverse.h"
#include "vmm/replay/replay.h"
#include "vmm/replay/recorder.h"

static char error[512];

static void ignore_output(void *context, unsigned number, const char *text, size_t length) {
    size_t *total = context;
    (void)number, (void)text;
    *total += length;
}
static void ignore_notice(void *context) { (void)context; }
static void print_message(void *context, unsigned number, const char *text) {
    (void)context, (void)number;
    printf("# %s\n", text);
}

static size_t printed;
static const struct machine_owner owner = {.context = &printed, .output = ignore_output,
                                           .notify = ignore_notice, .message = print_message};

static uint64_t hash_bytes(uint64_t hash, const void *from, size_t size) {
    const uint8_t *b = from;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ b[i]) * 0x100000001b3ull;
    return hash;
}

/* Eight bytes at a time, four sums: memory is most of it. */
static uint64_t hash_memory(const struct memory *m) {
    uint64_t sums[4] = {1, 2, 3, 4};
    const uint64_t *w = (const uint64_t *)(void *)m->ram;
    for (size_t i = 0; i < m->ram_size / 8; i += 4)
        for (int j = 0; j < 4; j++)
            sums[j] = (sums[j] ^ w[i + j]) * 0x9e3779b97f4a7c15ull;
    return hash_bytes(0, sums, sizeof sums);
}

/* CPU, memory, devices and what they have not read yet. */
static uint64_t hash_of(struct machine *m) {
    const struct cpu_state *s = cpu_read(&m->vcpu[0].cpu, CPU_ALL);
    uint64_t h = hash_bytes(0xcbf29ce484222325ull, &s->regs, sizeof s->regs);
    h = hash_bytes(h, &s->sregs, sizeof s->sregs);
    h = hash_bytes(h, &s->events, sizeof s->events);
    h = hash_bytes(h, &s->msrs, sizeof s->msrs);
    h = hash_bytes(h, &s->mp, sizeof s->mp);
    h = hash_bytes(h, &m->board.devices.pic.chip, sizeof m->board.devices.pic.chip);
    h = hash_bytes(h, &m->board.devices.pit.state, sizeof m->board.devices.pit.state);
    h = hash_bytes(h, m->board.devices.keyboard.queue, sizeof m->board.devices.keyboard.queue);
    h = hash_bytes(h, &m->board.devices.uart.ier, 7);
    h = hash_bytes(h, &m->vcpu[0].cpu.ticks, sizeof m->vcpu[0].cpu.ticks);
    h = hash_bytes(h, &m->history->arrived.count, sizeof m->history->arrived.count);
    return h ^ hash_memory(&m->memory);
}

static char build[256]; /* the tree that this program is in */

static const char *guest_path(const char *name) {
    static char path[400];
    if (!strcmp(name, "os-1k"))
        snprintf(path, sizeof path, "%s/os-1k/kernel.elf", build);
    else
        snprintf(path, sizeof path, "%s/%sguests/%s.elf", build,
                 strcmp(name, "stale-tlb") ? "" : "tests/", name);
    return path;
}

static void use_history(struct machine_options *o) {
    o->engine = ENGINE_SOFT;
    o->debugged = true;
    o->recorder = &replay_recorder;
    if (!o->history)
        o->history = 64 << 20;
}

static bool open_guest(struct machine *m, const char *name, struct machine_options *o) {
    use_history(o);
    int err = machine_open(m, 1, guest_path(name), o, &owner, error, sizeof error);
    CHECK(err == 0);
    if (err)
        printf("# %s: %s\n", name, error);
    return !err;
}

/* On for so many instructions, as `continue` and Ctrl-C would; by a limit, so that
 * it ends where we want. false: it is dead. */
static bool run_for(struct machine *m, uint64_t count) {
    struct cpu_exit exit = {0};
    history_begin(m);
    m->vcpu[0].cpu.limit = m->vcpu[0].cpu.ticks + count;
    do
        m->vcpu[0].cpu.ops->run(&m->vcpu[0].cpu, &exit);
    while (exit.kind == CPU_EXIT_DEVICE);
    m->vcpu[0].ended = false;
    history_stopped(m);
    m->vcpu[0].cpu.limit = 0;
    return exit.kind != CPU_EXIT_SHUTDOWN;
}

static void step(struct machine *m) {
    struct machine_stop stop;
    machine_resume(m, COMMAND_STEP);
    machine_wait(m);
    machine_take_stop(m, &stop);
}

static struct machine_stop back(struct machine *m, bool run) {
    struct machine_stop stop = {0};
    machine_resume(m, run ? COMMAND_BACK_RUN : COMMAND_BACK_STEP);
    machine_wait(m);
    CHECK(machine_take_stop(m, &stop));
    return stop;
}

static uint64_t seed = 88172645463325252ull;
static uint64_t any(uint64_t below) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

static void type_text(struct machine *m, const char *text) {
    machine_input(m, (const uint8_t *)text, strlen(text));
}

/* --- the property ----------------------------------------------------------------------------- */

enum { MARKS = 64 };

/* Hashes of the first run, at places that are visited again and again. false: there is none, the guest
 * dies or waits at once. */
static bool visit(struct machine *m, unsigned rounds, unsigned stride, const char *typed) {
    struct { uint64_t at, hash; } marks[MARKS];
    unsigned count = 0;
    for (unsigned i = 0; i < MARKS; i++) {
        if (!run_for(m, any(i % 2 ? 300 : stride) + 1))
            break; /* each try from there on would be a tick of its own */
        if (typed && i % 4 == 3)
            type_text(m, typed);
        if (i % 5 == 2) /* steps let no interrupt in: that is an input, too */
            for (unsigned n = 0; n < 20; n++)
                step(m);
        if (count && m->vcpu[0].cpu.ticks == marks[count - 1].at) {
            count--; /* it waits for ever; what comes now comes all at one count */
            break;
        }
        count = i + 1;
        marks[i].at = m->vcpu[0].cpu.ticks;
        marks[i].hash = hash_of(m);
    }
    unsigned wrong = 0;
    for (unsigned i = 0; count && i < rounds; i++) {
        unsigned n = (unsigned)any(count);
        CHECK(reverse_goto(m, marks[n].at));
        if (m->vcpu[0].cpu.ticks == marks[n].at && hash_of(m) != marks[n].hash)
            wrong++;
        uint64_t target = any(marks[count - 1].at + 1), first;
        reverse_goto(m, target);
        first = hash_of(m);
        reverse_goto(m, target > 5000 ? target - any(5000) : 0);
        reverse_goto(m, target);
        wrong += hash_of(m) != first;
    }
    CHECK(wrong == 0);
    if (wrong)
        printf("# %s: %u of %u differ\n", m->image.path, wrong, rounds);
    machine_close(m);
    return count;
}

static void a_guest_there_and_back(const char *name, unsigned rounds, const char *typed) {
    static struct machine m;
    struct machine_options o = {0};
    if (open_guest(&m, name, &o))
        CHECK(visit(&m, rounds, 60000, typed));
}

/* Of random bytes: everything that a real-mode program can do, ports too. */
static void random_guests_there_and_back(void) {
    const unsigned guests = unit_tries(18);
    static struct machine m;
    uint8_t code[4096];
    unsigned lived = 0;
    for (unsigned n = 0; lived < guests && n < 10 * guests; n++) {
        /* With a BIOS each of their faults is a stop, and they do little else. */
        struct machine_options o = {.engine = ENGINE_SOFT, .debugged = true,
                                    .recorder = &replay_recorder, .history = 8 << 20,
                                    .memory = 64 << 10, .no_bios = n % 6 != 0};
        for (size_t i = 0; i < sizeof code; i++)
            code[i] = (uint8_t)any(256);
        int err = machine_open(&m, 1, scratch_write(code, sizeof code), &o, &owner, error, sizeof error);
        CHECK(err == 0);
        if (!err)
            lived += visit(&m, 100, 3000, n % 2 ? "abc" : NULL);
    }
    CHECK(lived == guests);
}

static void steps_back_undo_steps(void) {
    static struct machine m;
    struct machine_options o = {0};
    uint64_t hashes[200], at[200];
    if (!open_guest(&m, "os-1k", &o))
        return;
    run_for(&m, 370800); /* a hlt is near */
    for (int i = 0; i < 200; i++) {
        hashes[i] = hash_of(&m);
        at[i] = m.vcpu[0].cpu.ticks;
        step(&m);
    }
    unsigned wrong = 0;
    for (int i = 199; i >= 0; i--) {
        back(&m, false);
        wrong += hash_of(&m) != hashes[i];
        while (i > 0 && at[i - 1] == at[i])
            i--; /* awake and asleep at the same count are one place */
    }
    CHECK(wrong == 0);
    machine_close(&m);
}

static void the_beginning_is_told(void) {
    static struct machine m;
    struct machine_options o = {0};
    if (!open_guest(&m, "hello", &o))
        return;
    CHECK(back(&m, false).edge == EDGE_BEGIN);
    step(&m);
    CHECK(m.vcpu[0].cpu.ticks == 1);
    CHECK(back(&m, false).edge == EDGE_NONE && m.vcpu[0].cpu.ticks == 0);
    CHECK(back(&m, true).edge == EDGE_BEGIN);
    machine_close(&m);
}

/* A recording may lack a reading of the clock, though it has later ones: the log stays in
 * order. */
static void a_missing_clock_is_not_added(void) {
    static const uint8_t loop[] = {0x40, 0xeb, 0xfd}; /* inc ax; jmp */
    static struct machine m;
    struct machine_options o = {.engine = ENGINE_SOFT, .debugged = true,
                                .recorder = &replay_recorder, .history = 8 << 20};
    CHECK(machine_open(&m, 1, scratch_write(loop, sizeof loop), &o, &owner, error, sizeof error) == 0);
    run_for(&m, 2000);
    CHECK(events_add(&m.history->clocks, 1000, 0, 951825845));
    CHECK(reverse_goto(&m, 10) && m.vcpu[0].cpu.ticks == 10);
    CHECK(history_clock(&m) == 951825845 && m.history->clocks.count == 1);
    machine_close(&m);
}

/* Without a recorder a machine runs as ever, and has nowhere to go back to. */
static void no_recorder_no_past(void) {
    static const uint8_t loop[] = {0x40, 0xeb, 0xfd}; /* inc ax; jmp */
    static struct machine m;
    struct machine_options o = {.engine = ENGINE_SOFT, .debugged = true, .history = 8 << 20};
    CHECK(machine_open(&m, 1, scratch_write(loop, sizeof loop), &o, &owner, error, sizeof error) == 0);
    step(&m);
    CHECK(m.vcpu[0].cpu.ticks == 1 && !m.history && m.recorder == &recorder_none);
    struct machine_stop stop = back(&m, false);
    CHECK(stop.edge == EDGE_BEGIN && strstr(stop.exit.text, "no history is kept"));
    CHECK(m.vcpu[0].cpu.ticks == 1);
    machine_close(&m);
}

/* A loop that counts in [0x3000]. */
static void the_last_write_is_found(void) {
    static const uint8_t loop[] = {0xff, 0x06, 0x00, 0x30,       /* inc word [0x3000] */
                                   0xb9, 0xe8, 0x03, 0xe2, 0xfe, /* mov cx,1000; loop */
                                   0xeb, 0xf5};
    static struct machine m;
    struct machine_options o = {.engine = ENGINE_SOFT, .debugged = true, .recorder = &replay_recorder, .history = 16 << 20};
    CHECK(machine_open(&m, 1, scratch_write(loop, sizeof loop), &o, &owner, error, sizeof error) == 0);
    run_for(&m, 3000000);
    uint64_t now = m.vcpu[0].cpu.ticks, hash = hash_of(&m);
    for (int i = 0; i < 3; i++) { /* the way there does not change what is found */
        struct reverse_write w = reverse_find_write(&m, 0x3000, 2, false);
        CHECK(w.outcome == WRITE_FOUND && w.ticks == (now - 1) / 1003 * 1003);
        CHECK(w.by == BY_INSTRUCTION && m.vcpu[0].cpu.ticks == now && hash_of(&m) == hash);
        CHECK(reverse_find_write(&m, 0x3100, 2, true).outcome == WRITE_NONE);
        if (i == 0)
            back(&m, false);
        reverse_goto(&m, now);
    }
    breakpoints_add(&m.breakpoints, BP_WRITE, 0x3000, 2);
    for (int i = 0; i < 3; i++) {
        uint64_t before = m.vcpu[0].cpu.ticks;
        CHECK(back(&m, true).exit.kind == CPU_EXIT_WATCHPOINT);
        CHECK(m.vcpu[0].cpu.ticks < before && m.vcpu[0].cpu.ticks % 1003 == 0);
    }
    breakpoints_clear(&m.breakpoints);
    breakpoints_add(&m.breakpoints, BP_SOFT, 0x1009, 1);
    uint64_t was = m.vcpu[0].cpu.ticks;
    CHECK(back(&m, true).exit.kind == CPU_EXIT_BREAKPOINT && was - m.vcpu[0].cpu.ticks == 1);
    breakpoints_clear(&m.breakpoints);
    machine_close(&m);
}

/* The guest maps 0x400000 to a page that it wrote before, reads there, and then maps
 * another one without a flush. */
static void writes_are_found_through_every_address(void) {
    static struct machine m;
    struct machine_options o = {0};
    if (!open_guest(&m, "stale-tlb", &o))
        return;
    while (m.vcpu[0].cpu.ticks < 100 && cpu_read(&m.vcpu[0].cpu, CPU_REGS)->regs.rbx != 'A')
        step(&m);
    uint64_t table = cpu_read(&m.vcpu[0].cpu, CPU_SREGS)->sregs.cr3 + PAGE_SIZE, now = m.vcpu[0].cpu.ticks;
    struct reverse_write w = reverse_find_write(&m, table, 4, true);
    CHECK(w.outcome == WRITE_FOUND && w.by == BY_PAGING && w.ticks == now - 1);
    w = reverse_find_write(&m, 0x400000, 4, false);
    CHECK(w.outcome == WRITE_FOUND && w.by == BY_INSTRUCTION && w.ticks < now - 1);
    CHECK(reverse_find_write(&m, 0x400000, 4, true).outcome == WRITE_NONE);
    CHECK(reverse_find_write(&m, 0x800000, 4, false).outcome == WRITE_UNMAPPED);
    step(&m);
    w = reverse_find_write(&m, table, 4, true);
    CHECK(w.outcome == WRITE_FOUND && w.by == BY_INSTRUCTION && w.ticks == now);
    CHECK(reverse_find_write(&m, 0x400000, 4, false).outcome == WRITE_FOUND);
    machine_close(&m);
}

static void looking_back_does_not_change_the_future(void) {
    static struct machine m;
    struct machine_options o = {0};
    if (!open_guest(&m, "stale-tlb", &o))
        return;
    run_for(&m, 100);
    for (int i = 0; i < 3; i++)
        step(&m);
    back(&m, false);
    cpu_write(&m.vcpu[0].cpu, CPU_REGS)->regs.rbx = 0;
    run_for(&m, 60);
    CHECK(cpu_read(&m.vcpu[0].cpu, CPU_REGS)->regs.rbx == 'A' || m.vcpu[0].cpu.ticks < 160);
    machine_close(&m);
}

/* An idle CPU lets the clock go on, and does nothing. */
static void sleep_is_no_instruction(void) {
    static struct machine m;
    struct machine_options o = {0};
    if (!open_guest(&m, "os-1k", &o))
        return;
    run_for(&m, 370800);
    run_for(&m, 2000000);
    uint64_t idle = cpu_icount(&m.vcpu[0].cpu), ticks = m.vcpu[0].cpu.ticks;
    CHECK(ticks >= 2370800 && idle < 400000 && m.vcpu[0].cpu.slept == ticks - idle);
    step(&m); /* sleeps, and ends behind the hlt */
    uint64_t behind = cpu_icount(&m.vcpu[0].cpu);
    back(&m, false);
    CHECK(cpu_icount(&m.vcpu[0].cpu) == behind - 1);
    CHECK(reverse_goto_count(&m, 1000) && cpu_icount(&m.vcpu[0].cpu) == 1000);
    CHECK(reverse_goto_count(&m, idle) && cpu_icount(&m.vcpu[0].cpu) == idle && m.vcpu[0].cpu.ticks < ticks);
    machine_close(&m);
}

static void a_change_in_the_past_begins_a_new_present(void) {
    static struct machine m;
    struct machine_options o = {0};
    if (!open_guest(&m, "os-1k", &o))
        return;
    run_for(&m, 2000);
    uint64_t end = m.vcpu[0].cpu.ticks;
    reverse_goto(&m, 1000);
    CHECK(history_in_past(&m));
    CHECK(history_discard_future(&m) && !history_discard_future(&m));
    cpu_write(&m.vcpu[0].cpu, CPU_REGS)->regs.rsi = 0x1234;
    run_for(&m, 10);
    CHECK(m.history->end == 1010 && end >= 1010);
    uint64_t hash = hash_of(&m);
    reverse_goto(&m, 500);
    reverse_goto(&m, 1010);
    CHECK(hash_of(&m) == hash);
    reverse_goto(&m, 1000);
    CHECK(cpu_read(&m.vcpu[0].cpu, CPU_REGS)->regs.rsi == 0x1234);
    reverse_goto(&m, 999);
    CHECK(cpu_read(&m.vcpu[0].cpu, CPU_REGS)->regs.rsi != 0x1234);
    machine_close(&m);
}

/* --- little memory ------------------------------------------------------------------------------- */

static void old_snapshots_are_thinned(void) {
    static const uint8_t filler[] = {0xfc, 0x31, 0xff, 0xb9, 0x00, 0x80, /* cld; xor di,di; mov cx,8000h */
                                     0xab, 0xe2, 0xfd, 0x40, 0xeb, 0xf4}; /* stosw; loop; inc ax; again */
    static struct machine m;
    struct machine_options o = {.engine = ENGINE_SOFT, .debugged = true, .recorder = &replay_recorder, .history = 4 << 20};
    static const uint8_t setup[] = {0xb8, 0x00, 0x20, 0x8e, 0xc0, 0x90}; /* es = 0x2000 */
    uint8_t image[sizeof setup + sizeof filler];
    memcpy(image, setup, sizeof setup);
    memcpy(image + sizeof setup, filler, sizeof filler);
    CHECK(machine_open(&m, 1, scratch_write(image, sizeof image), &o, &owner, error, sizeof error) == 0);
    uint64_t early = 0;
    for (int i = 0; i < 30; i++) {
        run_for(&m, 2000000);
        if (i == 0)
            early = hash_of(&m);
    }
    CHECK(m.history->bytes <= 4 << 20);
    CHECK(m.history->count >= 3);
    uint64_t end = m.vcpu[0].cpu.ticks, last = hash_of(&m);
    uint64_t start = m.history->list[0]->ticks;
    reverse_goto(&m, 2000000);
    CHECK(start > 0 || hash_of(&m) == early);
    CHECK(m.vcpu[0].cpu.ticks == (start > 2000000 ? start : 2000000));
    reverse_goto(&m, end);
    CHECK(hash_of(&m) == last);
    machine_close(&m);
}

/* --- files ------------------------------------------------------------------------------------------ */

static char folder[] = "/tmp/test-history-XXXXXX", saved[sizeof folder + 4];
static struct { /* the run that is saved, at its end */
    uint64_t ticks, memory;
    size_t printed;
} run_end;

static bool save_a_run(void) {
    static struct machine m;
    struct machine_options o = {0};
    CHECK(mkdtemp(folder) != NULL);
    snprintf(saved, sizeof saved, "%s/run", folder);
    if (!open_guest(&m, "os-1k", &o))
        return false;
    printed = 0;
    history_begin(&m);
    CHECK(!replay_save(&m, saved, error, sizeof error) && strstr(error, "nothing has run"));
    for (int i = 0; i < 40; i++) {
        run_for(&m, 150000);
        type_text(&m, i % 2 ? "help\n" : "x");
    }
    CHECK(replay_save(&m, saved, error, sizeof error));
    CHECK(!replay_save(&m, saved, error, sizeof error)); /* never over another */
    run_end.memory = hash_memory(&m.memory);
    run_end.ticks = m.vcpu[0].cpu.ticks;
    run_end.printed = printed;
    machine_close(&m);
    return true;
}

static void a_saved_run_is_the_same(void) {
    static struct machine m;
    struct machine_options o = {.replay = saved};
    struct machine_stop stop = {0};
    printed = 0;
    if (open_guest(&m, "os-1k", &o)) {
        machine_resume(&m, COMMAND_RUN);
        machine_wait(&m);
        CHECK(machine_take_stop(&m, &stop) && stop.edge == EDGE_END);
        CHECK(m.vcpu[0].cpu.ticks == run_end.ticks && hash_memory(&m.memory) == run_end.memory);
        CHECK(!strstr(stop.exit.text, "not what it was"));
        CHECK(printed == run_end.printed);
    }
    machine_close(&m);
}

static uint8_t recording[1 << 20];

static bool write_recording(size_t length) {
    FILE *f = fopen(saved, "wb");
    size_t written = f ? fwrite(recording, 1, length, f) : 0;
    return f && fclose(f) == 0 && written == length;
}

/* Whether a file with this bit changed, and cut here, is taken for a recording. */
static bool is_accepted(size_t at, size_t length) {
    static struct machine m;
    struct machine_options o = {.replay = saved};
    use_history(&o);
    recording[at] ^= 0x40;
    CHECK(write_recording(length));
    recording[at] ^= 0x40;
    int err = machine_open(&m, 1, guest_path("os-1k"), &o, &owner, error, sizeof error);
    CHECK(!err || strstr(error, "cannot be replayed"));
    machine_close(&m);
    return !err;
}

/* Each byte of the header, any of the others, and cuts. */
static void a_damaged_run_is_refused(void) {
    FILE *f = fopen(saved, "rb");
    size_t size = f ? fread(recording, 1, sizeof recording, f) : 0;
    CHECK(f && fclose(f) == 0 && size > 104);
    for (size_t i = 0; size && i < 160; i++) {
        size_t at = i < 104 ? i : any(size), length = i % 8 == 7 ? any(size) : size;
        bool in_result = at >= 64 && at < 72; /* only compared at the end */
        bool in_end = at >= 48 && at < 64;    /* a longer run may be claimed */
        CHECK(!is_accepted(at, length) || in_result || in_end);
    }
    CHECK(unlink(saved) == 0 && rmdir(folder) == 0);
}

int main(int argc, char **argv) {
    (void)argc;
    snprintf(build, sizeof build, "%.*s", (int)sizeof build - 1, argv[0]);
    for (int i = 0; i < 3; i++)
        *(strrchr(build, '/') ? strrchr(build, '/') : build) = 0;
    a_guest_there_and_back("os-1k", unit_tries(60), "ls\n");
    random_guests_there_and_back();
    steps_back_undo_steps();
    the_beginning_is_told();
    a_missing_clock_is_not_added();
    no_recorder_no_past();
    the_last_write_is_found();
    writes_are_found_through_every_address();
    looking_back_does_not_change_the_future();
    sleep_is_no_instruction();
    a_change_in_the_past_begins_a_new_present();
    old_snapshots_are_thinned();
    if (save_a_run()) {
        a_saved_run_is_the_same();
        a_damaged_run_is_refused();
    }
    return unit_end();
}
