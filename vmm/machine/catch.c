/* `monitor catch`; see catch.h. */
#include "vmm/machine/catch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/machine/engines.h"

enum { HYPERCALL_PORT = 0x500 };

static bool any(const uint64_t *bits, unsigned words) {
    for (unsigned i = 0; i < words; i++)
        if (bits[i])
            return true;
    return false;
}

bool catch_needs_soft(const struct machine *m) {
    const struct cpu_catch *c = &m->cpu.catch;
    return c->mode || c->cr3 || any(c->exception, 4) || any(c->interrupt, 4);
}

bool catch_port(struct machine *m, const struct access *a) {
    uint32_t value = 0;
    bool hypercall = m->catch_hypercall && a->port == HYPERCALL_PORT && a->out;
    if (!hypercall && !(m->catch_ports[a->port / 64] >> a->port % 64 & 1))
        return false;
    memcpy(&value, a->data, a->size < 4 ? a->size : 4);
    if (hypercall)
        snprintf(m->stop_text, sizeof m->stop_text, "caught: hypercall %u", value & 0xff);
    else
        snprintf(m->stop_text, sizeof m->stop_text, "caught: port 0x%x %s, %u byte%s: 0x%x",
                 a->port, a->out ? "written" : "read", a->size, a->size > 1 ? "s" : "", value);
    return true;
}

/* --- the command -------------------------------------------------------------------- */

static void set_bits(uint64_t *bits, unsigned count, long which) {
    for (unsigned i = 0; i < count; i++)
        if (which < 0 || (unsigned)which == i)
            bits[i / 64] |= 1ull << i % 64;
}

static void set_mode(struct machine *m, long n) { (void)n, m->cpu.catch.mode = true; }
static void set_cr3(struct machine *m, long n) { (void)n, m->cpu.catch.cr3 = true; }
static void set_hypercall(struct machine *m, long n) { (void)n, m->catch_hypercall = true; }
static void set_exception(struct machine *m, long n) { set_bits(m->cpu.catch.exception, 256, n); }
static void set_interrupt(struct machine *m, long n) { set_bits(m->cpu.catch.interrupt, 256, n); }
static void set_port(struct machine *m, long n) { set_bits(m->catch_ports, 65536, n); }

static void set_off(struct machine *m, long n) {
    (void)n;
    m->cpu.catch = (struct cpu_catch){0};
    memset(m->catch_ports, 0, sizeof m->catch_ports);
    m->catch_hypercall = false;
}

static const struct event {
    const char *name, *stops;
    long limit; /* numbers below it may follow; 0: none */
    bool soft;
    void (*set)(struct machine *, long which); /* which < 0: all */
} events[] = {
    {"mode", "after a change of the CPU's mode", 0, true, set_mode},
    {"exception", "at the handler's first instruction", 256, true, set_exception},
    {"interrupt", "at the handler's first instruction", 256, true, set_interrupt},
    {"port", "after the access", 65536, false, set_port},
    {"cr3", "after CR3 is loaded", 0, true, set_cr3},
    {"hypercall", "after the hypercall", 0, false, set_hypercall},
    {"off", NULL, 0, false, set_off},
};
enum { EVENTS = sizeof events / sizeof *events };

static void usage(const struct text *t) {
    text_print(t, "catch takes one of:\n");
    for (int i = 0; i < EVENTS; i++)
        text_print(t, "  %s%s\n", events[i].name, events[i].limit ? " [NUMBER]" : "");
}

static void list(const struct machine *m, const struct text *t) {
    const struct cpu_catch *c = &m->cpu.catch;
    text_print(t, "caught: %s%s%s%s%s%s%s\n", c->mode ? "mode " : "", c->cr3 ? "cr3 " : "",
               any(c->exception, 4) ? "exceptions " : "", any(c->interrupt, 4) ? "interrupts " : "",
               any(m->catch_ports, 1024) ? "ports " : "", m->catch_hypercall ? "hypercalls " : "",
               catch_needs_soft(m) || any(m->catch_ports, 1024) || m->catch_hypercall ? "" : "nothing");
}

static bool impossible(struct machine *m, const struct event *e, const struct text *t) {
    if (!e->soft || !m->cpu.engine->strained || engines_may_take_over(m))
        return false;
    text_print(t, "only the built-in CPU sees every %s; use `monitor engine soft` first\n", e->name);
    return true;
}

static void set(struct machine *m, const struct event *e, const char *number,
                const struct text *t) {
    char *end;
    long which = *number ? strtol(number, &end, 0) : -1;
    if (*number && (*end || which < 0 || which >= e->limit)) {
        text_print(t, "%s: not a number that %s takes\n", number, e->name);
        return;
    }
    if (impossible(m, e, t))
        return;
    e->set(m, which);
    if (e->stops)
        text_print(t, "stops %s\n", e->stops);
    else
        text_print(t, "nothing is caught any more\n");
}

void catch_command(struct machine *m, const char *words, const struct text *t) {
    size_t n = strcspn(words, " ");
    if (n == 0) {
        list(m, t);
        return;
    }
    for (int i = 0; i < EVENTS; i++) {
        if (strlen(events[i].name) != n || strncmp(events[i].name, words, n))
            continue;
        set(m, &events[i], words + n + strspn(words + n, " "), t);
        return;
    }
    usage(t);
}
