/* What a client is told about segments with a base (addresses.h). */
#include "bridge.h"

#include <stdio.h>

#include "x86.h"

uint64_t bridge_shift(struct machine *m) {
    return addresses_shift(&m->addresses, cpu_read(&m->cpu, CPU_REGS | CPU_SREGS));
}

/* The base of CS in code that has one: 16-bit or 32-bit. */
static uint64_t base_of(struct machine *m) {
    const struct cpu_state *s = cpu_read(&m->cpu, CPU_REGS | CPU_SREGS);
    return x86_mode(&s->sregs, s->regs.rflags) == MODE_LONG ? 0 : s->sregs.cs.base;
}

static bool is_16bit(struct machine *m) {
    const struct cpu_state *s = cpu_read(&m->cpu, CPU_REGS | CPU_SREGS);
    return x86_mode_bits(x86_mode(&s->sregs, s->regs.rflags)) == 16;
}

void bridge_say_addresses(struct machine *m, char *out, size_t size) {
    unsigned long long base = base_of(m);
    if (!base)
        snprintf(out, size, "linear, which is the same: CS has base 0");
    else if (bridge_shift(m))
        snprintf(out, size, "offsets in CS, whose base is 0x%llx", base);
    else if (is_16bit(m))
        snprintf(out, size, "linear: the CS base 0x%llx is in $eip already ($raw_ip is without)",
                 base);
    else
        snprintf(out, size, "linear, with the CS base 0x%llx; what is on the stack is without, "
                 "so bt and finish want `monitor addresses offset`", base);
}

enum { FLAT, SIXTEEN_BITS, LINEAR, OFFSETS };

static unsigned kind_of(struct machine *m) {
    if (!base_of(m))
        return FLAT;
    return is_16bit(m) ? SIXTEEN_BITS : bridge_shift(m) ? OFFSETS : LINEAR;
}

/* Notes it; is it news? That addresses are others than a moment ago always is; that they
 * are linear in a segment with a base, once for each width. */
static bool is_news(struct told_addresses *told, unsigned kind, uint64_t base) {
    bool known = kind == FLAT || told->kinds >> kind & 1;
    bool moved = kind == OFFSETS ? told->kind != OFFSETS || told->base != base
                                 : told->kind == OFFSETS;
    *told = (struct told_addresses){kind, told->kinds | 1u << kind, base};
    return moved || !known;
}

bool bridge_note_addresses(struct debug *d, struct machine *m) {
    return is_news(&d->told_addresses[m->number - 1], kind_of(m), base_of(m));
}

void bridge_tell_addresses(struct debug *d, unsigned pid) {
    struct machine *m = &d->machines[pid - 1];
    char what[160], text[200];
    if (!bridge_note_addresses(d, m))
        return;
    bridge_say_addresses(m, what, sizeof what);
    snprintf(text, sizeof text, "addresses are %s", what);
    debug_message(d, pid, text);
}
