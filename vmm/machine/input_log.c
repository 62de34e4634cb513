/* See input_log.h. */
#include "vmm/machine/input_log.h"

#include <stdio.h>

#include "vmm/base/monotonic.h"
#include "vmm/machine/recorder.h"

static double seconds_since(uint64_t begun) { return (double)(monotonic_ns() - begun) / 1e9; }

static void log_input_byte(struct machine *m, const char *what, const char *who, uint8_t byte,
                           const char *where) {
    char shown[8] = "";
    if (byte >= ' ' && byte <= '~')
        snprintf(shown, sizeof shown, " '%c'", byte);
    fprintf(stderr, "minikvm: input %.6f m%u %s %s: %02x%s%s\n",
            seconds_since(m->input_log.begun), m->number, what, who, byte, shown, where);
}

/* What a way through the past takes again is not logged again. */
static void log_taken(void *machine, int byte) {
    struct machine *m = machine;
    const struct cpu *cpu = &boot_vcpu(m)->cpu;
    char where[48] = "";
    if (m->recorder->is_silent(m))
        return;
    if (cpu_can(cpu, ENGINE_DETERMINISTIC))
        snprintf(where, sizeof where, ", at icount %llu", (unsigned long long)cpu_icount(cpu));
    const char *device = m->input_log.device;
    log_input_byte(m, "taken by", device ? device : "a device that was told of it", byte, where);
}

void input_log_open(struct machine *m) {
    m->input_log = (struct input_log){.begun = monotonic_ns()};
    m->board.input.taken = m->options->log_input ? log_taken : NULL;
    m->board.input.taken_context = m;
}

void input_log_came(struct machine *m, const uint8_t *bytes, size_t length) {
    const char *from = m->options->log_input;
    for (size_t i = 0; from && i < length; i++)
        log_input_byte(m, "from", from, bytes[i], "");
    if (from && !length)
        fprintf(stderr, "minikvm: input %.6f m%u from %s: its end\n",
                seconds_since(m->input_log.begun), m->number, from);
}

void input_log_access(struct machine *m, const struct access *a) {
    if (!m->options->log_input)
        return;
    const struct bus_range *r = bus_find(&m->board.bus, a->mmio, a->address, a->address);
    m->input_log.device = r ? r->name : NULL;
}
