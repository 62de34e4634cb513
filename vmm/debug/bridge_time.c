/* Monitor commands about time: where we are, going elsewhere, when something was.
 *
 * Rule: gdb believes what it has read at a stop. After a command that moves the
 * machine it has to be told to read again; the answer says how.
 */
#include "vmm/debug/bridge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/cpu/engine.h"
#include "vmm/host/broker.h"
#include "vmm/machine/recorder.h"
#include "vmm/machine/virtual_clock.h"
#include "vmm/replay/replay.h"
#include "vmm/replay/reverse.h"
#include "vmm/replay/snapshot.h"
#include "vmm/x86/x86.h"

typedef unsigned long long ull;

void bridge_change(struct debug *d, struct machine *m) {
    if (history_discard_future(m))
        debug_message(d, m->number,
                      "past modified: the recorded execution after this point was discarded");
}

/* No snapshot holds the ROM, so it would be another one in the past, too. */
void bridge_rom_changed(struct debug *d, struct machine *m) {
    if (!m->history)
        return;
    history_close(m);
    debug_message(d, m->number,
                  "ROM modified: the recorded execution before this point was discarded");
}

/* A history, or the sentence that says how to have one. */
static bool has_history(struct machine *m, const struct text *t) {
    history_begin(m);
    if (m->history)
        return true;
    text_print(t, "%s\n", recorder_why_none(m));
    return false;
}

void bridge_icount(struct machine *m, const char *rest, const struct text *t) {
    (void)rest;
    if (!cpu_can(&shown_vcpu(m)->cpu, ENGINE_DETERMINISTIC))
        text_print(t, "KVM counts no instructions; --cpu=soft does\n");
    else
        text_print(t, "%llu\nvirtual clock: %llu.%06llu s\n", (ull)cpu_icount(&shown_vcpu(m)->cpu),
                   (ull)(virtual_clock_now(m) / 1000000000),
                   (ull)(virtual_clock_now(m) / 1000 % 1000000));
}

/* "N" or "-N" */
static bool parse_count(const struct machine *m, const char *word, uint64_t *count) {
    char *end;
    bool back = *word == '-';
    uint64_t now = cpu_icount(&shown_vcpu(m)->cpu);
    *count = strtoull(word + back, &end, 0);
    if (word[back] < '0' || word[back] > '9' || *end)
        return false;
    if (back)
        *count = *count < now ? now - *count : 0;
    return true;
}

/* false: interrupted. */
static bool go_to_icount(struct machine *m, const char *rest, const struct text *t) {
    uint64_t to;
    bool start = !strcmp(rest, "start"), end = !strcmp(rest, "end");
    if (start || end)
        return reverse_goto(m, start ? m->history->list[0]->ticks : m->history->end);
    if (!parse_count(m, rest, &to)) {
        text_print(t, "goto takes a count, -N for N instructions back, start or end\n");
        return true;
    }
    if (to <= cpu_icount(&shown_vcpu(m)->cpu) || history_in_past(m))
        return reverse_goto_count(m, to);
    text_print(t, "cannot go forward: this is the end of what has run; `continue` to run on\n");
    return true;
}

void bridge_goto(struct machine *m, const char *rest, const struct text *t) {
    struct cpu *cpu = &shown_vcpu(m)->cpu;
    if (!has_history(m, t))
        return;
    if (!go_to_icount(m, rest, t))
        text_print(t, "interrupted\n");
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    text_print(t, "at %llu, %04x:%08llx; type `maintenance flush register-cache` to see it\n",
               (ull)cpu_icount(cpu), s->sregs.cs.selector, (ull)s->regs.rip);
}

void bridge_history(struct machine *m, const char *rest, const struct text *t) {
    (void)rest;
    if (!has_history(m, t))
        return;
    const struct history *h = m->history;
    text_print(t, "history: %llu to %llu, now %llu%s\n", (ull)snapshot_icount(h->list[0]),
               (ull)history_end_count(m), (ull)cpu_icount(&shown_vcpu(m)->cpu),
               history_in_past(m) ? "" : " (the present)");
    text_print(t, "snapshots: %zu, %llu KiB of %llu\n", h->count, (ull)h->bytes >> 10,
               (ull)h->bound >> 10);
    text_print(t, "inputs: %zu, clock: %zu\n", h->inputs.count, h->clocks.count);
}

static void print_write(struct machine *m, const struct reverse_write *w, const struct text *t) {
    struct cpu *cpu = &shown_vcpu(m)->cpu;
    static const char *const by[] = {
        [BY_INSTRUCTION] = "by the instruction at",
        [BY_DELIVERY] = "by an interrupt or fault that is delivered at",
        [BY_PAGING] = "by the CPU's paging (accessed or dirty bit), for the instruction at"};
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    text_print(t, "at %llu, %s %04x:%08llx (monitor goto %llu)\n", (ull)cpu_icount(cpu), by[w->by],
               s->sregs.cs.selector, (ull)s->regs.rip, (ull)cpu_icount(cpu));
}

static void when_written(struct machine *m, uint64_t address, uint32_t length, bool physical,
                         const struct text *t) {
    struct cpu *cpu = &shown_vcpu(m)->cpu;
    uint64_t now = cpu->ticks;
    struct cpu_arrival here = cpu->arrival;
    struct reverse_write w = reverse_find_write(m, address, length, physical);
    if (w.outcome == WRITE_UNMAPPED) {
        text_print(t, "no memory is mapped there now; with `monitor phys on`, when-written goes by "
                      "physical addresses\n");
    } else if (w.outcome == WRITE_INTERRUPTED) {
        text_print(t, "interrupted\n");
    } else if (w.outcome == WRITE_NONE) {
        text_print(t, "not written since %llu\n", (ull)snapshot_icount(m->history->list[0]));
    } else if (reverse_goto(m, w.ticks)) {
        print_write(m, &w, t);
        reverse_goto(m, now);
        cpu->arrival = here;
    }
}

void bridge_when_written(struct machine *m, const char *rest, bool physical, const struct text *t) {
    char *end;
    uint64_t address = strtoull(rest, &end, 0), length = 1;
    bool good = end != rest;
    if (good && *end == ' ')
        length = strtoull(end, &end, 0);
    if (!good || *end || length == 0 || length > 64 << 10)
        text_print(t, "when-written takes an address and a length: 0x1000 4\n");
    else if (has_history(m, t))
        when_written(m, physical ? address : addresses_linear(address, bridge_shift(shown_vcpu(m))),
                     (uint32_t)length, physical, t);
}

void bridge_when_mode(struct machine *m, const char *rest, const struct text *t) {
    (void)rest;
    if (has_history(m, t))
        reverse_list_modes(m, t);
}

static void print_saved(const struct machine *m, const char *name, const struct text *t) {
    text_print(t, "saved; minikvm --replay=%s IMAGE does it again\n", name);
    if (history_in_past(m))
        text_print(
            t,
            "it is the run up to here, count %llu; all of it is there after `monitor goto end`\n",
            (ull)cpu_icount(&shown_vcpu(m)->cpu));
}

void bridge_save(struct machine *m, const char *rest, const struct text *t) {
    char error[512], name[PATH_MAX];
    if (!*rest)
        text_print(t, "save takes a file's name\n");
    else if (!bridge_file_name(m, rest, SAVED_SUFFIX, name, sizeof name))
        text_print(t, "save" BRIDGE_NEW_FILE "\n", SAVED_SUFFIX);
    else if (has_history(m, t) && !replay_save(m, name, error, sizeof error))
        text_print(t, "%s\n", error);
    else if (m->history)
        print_saved(m, name, t);
}
