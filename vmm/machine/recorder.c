/* A machine whose past nobody records; see recorder.h. */
#include "vmm/machine/recorder.h"

#include <stdio.h>
#include <time.h>

#include "vmm/machine/machine.h"
#include "vmm/machine/virtual_clock.h"

static void nothing(struct machine *m) { (void)m; }

static bool is_not(const struct machine *m) {
    (void)m;
    return false;
}

static int nothing_to_read(struct machine *m, char *error, size_t size) {
    (void)m, (void)error, (void)size;
    return 0;
}

const struct recorder *recorder_offered(const struct machine *m) {
    return m->options->recorder ? m->options->recorder : &recorder_none;
}

const char *recorder_why_none(const struct machine *m) {
    return cpu_can(&boot_vcpu(m)->cpu, ENGINE_DETERMINISTIC)
               ? "no history is kept (--history=0)"
               : "KVM keeps no history: `monitor engine soft` has one from here on, "
                 "--cpu=soft from the start";
}

static void refuse_back(struct machine *m, bool run, struct cpu_exit *exit) {
    (void)run;
    *exit = (struct cpu_exit){.kind = CPU_EXIT_STEPPED};
    boot_vcpu(m)->edge = EDGE_BEGIN;
    snprintf(exit->text, sizeof exit->text, "%s", recorder_why_none(m));
}

static void no_limit(struct machine *m) { boot_vcpu(m)->cpu.limit = 0; }

static bool stop_at_limit(struct machine *m, struct cpu_exit *exit, bool running) {
    (void)m, (void)exit, (void)running;
    return false;
}

static bool has_noticed(struct machine *m) { return m->run.noticed; }

static bool is_over(struct machine *m) { return input_peek(&m->board.input) == INPUT_END; }

static uint64_t look_regularly(struct machine *m, uint64_t ticks, bool *came) {
    (void)m;
    *came = true;
    return ticks + NOTICE_EVERY;
}

static uint64_t never(struct machine *m, uint64_t ticks) {
    (void)m, (void)ticks;
    return UINT64_MAX;
}

static bool defer_while_stepping(struct machine *m, uint64_t ticks, bool halted, bool stepping) {
    (void)m, (void)ticks, (void)halted;
    return stepping;
}

static int64_t host_time(struct machine *m) {
    (void)m;
    return time(NULL);
}

/* Devices look for input before the CPU sleeps. */
static bool look_and_sleep(struct machine *m, uint64_t ticks) {
    (void)ticks;
    devices_notice(&m->board.devices);
    return true;
}

/* Never asked: there is no past. */
static uint64_t sleep_on(struct machine *m, uint64_t ticks, uint64_t due) {
    (void)m, (void)ticks;
    return due;
}

static uint64_t woken(struct machine *m, uint64_t ticks, uint64_t due, bool early) {
    (void)m;
    return early ? ticks : due;
}

const struct recorder recorder_none = {
    .open = nothing_to_read, .check = nothing_to_read, .begin = nothing, .close = nothing, .forget = nothing,
    .in_past = is_not, .is_silent = is_not, .resume_back = refuse_back,
    .before_run = no_limit, .at_limit = stop_at_limit, .stopped = nothing,
    .wants_input = has_noticed, .input_is_over = is_over,
    .deliver = look_regularly, .tick = never, .defer_irq = defer_while_stepping,
    .clock = host_time, .wait = nothing,
    .may_sleep = look_and_sleep, .idle = sleep_on, .woken = woken,
};
