/* Events that a user stops at; see catch.h. */
#include "vmm/machine/catch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HYPERCALL_PORT = 0x500, PORT_WORDS = 65536 / 64 };

static bool any(const uint64_t *bits, unsigned words) {
    for (unsigned i = 0; i < words; i++)
        if (bits[i])
            return true;
    return false;
}

bool catch_needs_soft(const struct vcpu *v) {
    const struct cpu_catch *c = &v->cpu.catch;
    return c->mode || c->cr3 || any(c->exception, 4) || any(c->interrupt, 4);
}

bool catch_port(struct vcpu *v, const struct access *a) {
    uint32_t value = 0;
    const struct bus_catch *c = &v->machine->catch;
    bool hypercall = c->hypercall && a->address == HYPERCALL_PORT && a->write;
    if (!hypercall && !(c->ports[a->address / 64] >> a->address % 64 & 1))
        return false;
    memcpy(&value, a->data, a->size < 4 ? a->size : 4);
    if (hypercall)
        snprintf(v->stop_text, sizeof v->stop_text, "caught: hypercall %u", value & 0xff);
    else
        snprintf(v->stop_text, sizeof v->stop_text, "caught: port 0x%x %s, %u byte%s: 0x%x",
                 (unsigned)a->address, a->write ? "written" : "read", a->size, a->size > 1 ? "s" : "", value);
    return true;
}

/* --- one row an event --------------------------------------------------------------- */

static void set_bits(uint64_t *bits, unsigned count, long which) {
    for (unsigned i = 0; i < count; i++)
        if (which < 0 || (unsigned)which == i)
            bits[i / 64] |= 1ull << i % 64;
}

static void catch_mode(struct machine *m, long bits) {
    boot_vcpu(m)->cpu.catch.mode = true;
    boot_vcpu(m)->cpu.catch.mode_bits = bits < 0 ? 0 : (uint8_t)bits;
}
static void catch_cr3(struct machine *m, long n) { (void)n, boot_vcpu(m)->cpu.catch.cr3 = true; }
static void catch_hypercalls(struct machine *m, long n) { (void)n, m->catch.hypercall = true; }
static void catch_exceptions(struct machine *m, long n) {
    set_bits(boot_vcpu(m)->cpu.catch.exception, 256, n);
}
static void catch_interrupts(struct machine *m, long n) {
    set_bits(boot_vcpu(m)->cpu.catch.interrupt, 256, n);
}
static void catch_ports(struct machine *m, long n) { set_bits(m->catch.ports, 65536, n); }

static long parse_bits(const char *text, char **end) {
    long bits = strtol(text, end, 10);
    return bits == 16 || bits == 32 || bits == 64 ? bits : -1;
}

enum { CATCH_FUNCTION = 1 << 16, CATCH_BIOS_MAX = 1 << 17 };

/* "13" or "13/02", as people write vectors. */
static long parse_bios(const char *text, char **end) {
    long vector = strtol(text, end, 16);
    if (**end != '/' || vector > 0xff)
        return vector > 0xff ? -1 : vector;
    long function = strtol(*end + 1, end, 16);
    return function < 0 || function > 0xff ? -1 : vector | function << 8 | CATCH_FUNCTION;
}

static void catch_bios(struct machine *m, long n) {
    boot_vcpu(m)->cpu.catch.calls = true;
    m->bios.catch.vector = n < 0 ? -1 : (int)(n & 0xff);
    m->bios.catch.function = n < 0 || !(n & CATCH_FUNCTION) ? -1 : (int)(n >> 8 & 0xff);
}

static bool catches_bios(const struct machine *m) { return boot_vcpu(m)->cpu.catch.calls; }

static void catch_nothing(struct machine *m, long n) {
    (void)n;
    boot_vcpu(m)->cpu.catch = (struct cpu_catch){0};
    memset(m->catch.ports, 0, sizeof m->catch.ports);
    m->catch.hypercall = false;
}

static bool has_mode(const struct machine *m) { return boot_vcpu(m)->cpu.catch.mode; }
static bool has_cr3(const struct machine *m) { return boot_vcpu(m)->cpu.catch.cr3; }
static bool has_hypercall(const struct machine *m) { return m->catch.hypercall; }
static bool has_exception(const struct machine *m) {
    return any(boot_vcpu(m)->cpu.catch.exception, 4);
}
static bool has_interrupt(const struct machine *m) {
    return any(boot_vcpu(m)->cpu.catch.interrupt, 4);
}
static bool has_port(const struct machine *m) { return any(m->catch.ports, PORT_WORDS); }

static const struct catch_event events[] = {
    {"mode", "mode", "after a change of the CPU's mode", 65, true, catch_mode, has_mode, parse_bits,
     "16|32|64", false},
    {"exception", "exceptions", "at the handler's first instruction", 256, true, catch_exceptions,
     has_exception, NULL, "NUMBER", false},
    {"interrupt", "interrupts", "at the handler's first instruction", 256, true, catch_interrupts,
     has_interrupt, NULL, "NUMBER", false},
    {"port", "ports", "after the access", 65536, false, catch_ports, has_port, NULL, "NUMBER", false},
    {"cr3", "cr3", "after CR3 is loaded", 0, true, catch_cr3, has_cr3, NULL, NULL, false},
    {"hypercall", "hypercalls", "after the hypercall", 0, false, catch_hypercalls, has_hypercall, NULL, NULL,
     false},
    {"bios", "calls of the BIOS", "at the int, before the call", CATCH_BIOS_MAX, false, catch_bios, catches_bios,
     parse_bios, "INT[/AH]", true},
    {"off", NULL, NULL, 0, false, catch_nothing, NULL, NULL, NULL, false},
};

const struct catch_event *catch_events(unsigned *count) {
    *count = sizeof events / sizeof *events;
    return events;
}
