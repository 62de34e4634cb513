/* The built-in CPU as an engine: the operations of struct engine (engine.h). */
#include "vmm/engines/soft/soft.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/cpu/engine.h"
#include "vmm/engines/soft/access.h"

static struct soft *soft_of(const struct cpu *cpu) {
    return cpu->priv;
}

static void soft_run(struct cpu *cpu, struct cpu_exit *out) {
    soft_go(cpu, out, false);
}

static void soft_step(struct cpu *cpu, struct cpu_exit *out) {
    soft_go(cpu, out, true);
}

static void soft_kick(struct cpu *cpu) {
    pend(soft_of(cpu), PENDING_KICK);
}

static const char *soft_refuses(struct cpu *cpu, enum bp_kind kind, uint64_t address,
                                uint32_t length) {
    (void)cpu, (void)kind, (void)address, (void)length;
    return NULL;
}

static void soft_flush(struct cpu *cpu) {
    tlb_flush(soft_of(cpu), true);
}

static void *soft_save_tlb(struct cpu *cpu, size_t *size) {
    return tlb_save(soft_of(cpu), size);
}

static void soft_load_tlb(struct cpu *cpu, const void *saved) {
    tlb_load(soft_of(cpu), saved);
}

static void soft_see_writes(struct cpu *cpu) {
    tlb_see_writes(soft_of(cpu));
}

/* Virtual time stands still whenever the CPU does. */
static void soft_freeze(struct cpu *cpu, bool frozen) {
    (void)cpu, (void)frozen;
}

static void soft_memory_changed(struct cpu *cpu, uint64_t phys, uint64_t length) {
    cache_written(soft_of(cpu), phys, length);
}

static void soft_describe(struct cpu *cpu, char *out, unsigned size) {
    snprintf(out, size,
             "engine: the built-in CPU\n"
             "  an x86-64 with x87, MMX and SSE: real, virtual-8086, protected and long mode\n"
             "  exact and deterministic; any number of breakpoints and watchpoints\n"
             "  instructions done: %llu\n",
             (unsigned long long)cpu_icount(cpu));
}

static void soft_close(struct cpu *cpu) {
    struct soft *s = soft_of(cpu);
    if (!s)
        return;
    cache_close(s);
    free(s);
    cpu->priv = NULL;
}

uint64_t soft_choose_features(struct cpu *cpu) {
    return features_choose(soft_of(cpu));
}

static int engine_open(struct cpu *cpu, const struct engine_options *options, char *error, size_t size) {
    (void)options;
    int err = soft_open(cpu);
    if (err) {
        snprintf(error, size, "cannot make the built-in CPU: %s", strerror(-err));
        return err;
    }
    uint64_t missing = soft_choose_features(cpu);
    if (!missing)
        return 0;
    char names[200];
    cpuid_names(missing, names, sizeof names);
    snprintf(error, size, "--cpuid: the built-in CPU does not have %s", names);
    soft_close(cpu);
    return -ENOTSUP;
}

const struct engine engine_soft = {
    .name = "soft",
    .capabilities = ENGINE_ANY_THREAD | ENGINE_DETERMINISTIC | ENGINE_EXACT_EVENTS,
    .open = engine_open,
    .ops = {.fetch = soft_fetch, .store = soft_store, .run = soft_run},
    .step = soft_step,
    .kick = soft_kick,
    .refuses = soft_refuses,
    .freeze = soft_freeze,
    .memory_changed = soft_memory_changed,
    .flush = soft_flush,
    .save_tlb = soft_save_tlb,
    .load_tlb = soft_load_tlb,
    .see_writes = soft_see_writes,
    .describe = soft_describe,
    .close = soft_close,
};

int soft_open(struct cpu *cpu) {
    struct soft *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->cpu = cpu;
    s->op = s->nothing;
    new_epoch(s);
    s->breakpoints_seen = cpu->breakpoints->generation - 1;
    int error = cache_open(s);
    if (error) {
        free(s);
        return error;
    }
    cpu_set_engine(cpu, &engine_soft);
    cpu->priv = s;
    features_choose(s);
    soft_reset(s);
    return 0;
}
