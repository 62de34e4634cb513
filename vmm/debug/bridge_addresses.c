/* Segments with a base (addresses.h): where a client's points go, and what it is told. */
#include "vmm/debug/bridge.h"

#include <stdio.h>

#include "vmm/board/boot/symbols.h"
#include "vmm/x86/mode.h"
#include "vmm/x86/x86.h"

uint64_t bridge_shift(struct vcpu *v) {
    return addresses_shift(&v->machine->addresses, cpu_read(&v->cpu, CPU_REGS | CPU_SREGS));
}

/* To each linear address that this one may mean (addresses.h); a watchpoint to those of
 * now alone, since debug registers are few. */
int bridge_add_point(struct machine *m, enum bp_kind kind, uint64_t address, uint64_t length) {
    uint64_t shifts[ADDRESSES_SHIFTS];
    const struct cpu_state *s = cpu_read(&shown_vcpu(m)->cpu, CPU_REGS | CPU_SREGS);
    unsigned count = addresses_shifts(&m->addresses, s, address, shifts);
    uint64_t now = addresses_shift(&m->addresses, s);
    int err = 0;
    for (unsigned i = 0; i < count && !err; i++)
        if (kind < BP_WRITE || !shifts[i] || shifts[i] == now)
            err = points_add_shifted(&m->breakpoints, kind, addresses_linear(address, shifts[i]),
                                     length, shifts[i]);
    if (err)
        points_remove_shifted(&m->breakpoints, kind, address, length);
    return err;
}

/* As the client set the watchpoint that was hit, whatever CS has now. */
uint64_t bridge_clients_address(struct machine *m, uint64_t linear) {
    const struct breakpoints *t = &m->last_breakpoints;
    for (size_t i = t->shifted ? t->count : 0; i-- > 0;) {
        const struct breakpoint *p = &t->list[i];
        if (p->shift && breakpoint_is_watch(p) && linear - p->address < p->length)
            return (uint32_t)(linear - p->shift);
    }
    return linear;
}

bool bridge_is_label(void *target, int pid, uint64_t address) {
    struct machine *m = bridge_machine(target, pid);
    return m && symbols_label(&m->image, address);
}

/* The base of CS in code that has one: 16-bit or 32-bit. */
static uint64_t base_of(struct machine *m) {
    const struct cpu_state *s = cpu_read(&shown_vcpu(m)->cpu, CPU_REGS | CPU_SREGS);
    return x86_mode(&s->sregs, s->regs.rflags) == MODE_LONG ? 0 : s->sregs.cs.base;
}

static bool is_16bit(struct machine *m) {
    const struct cpu_state *s = cpu_read(&shown_vcpu(m)->cpu, CPU_REGS | CPU_SREGS);
    return x86_mode_bits(x86_mode(&s->sregs, s->regs.rflags)) == 16;
}

void bridge_say_addresses(struct machine *m, char *out, size_t size) {
    unsigned long long base = base_of(m);
    if (!base)
        snprintf(out, size, "linear, which is the same: CS has base 0");
    else if (bridge_shift(shown_vcpu(m)))
        snprintf(out, size, "offsets in CS, whose base is 0x%llx", base);
    else if (is_16bit(m))
        snprintf(out, size, "linear: the CS base 0x%llx is in $eip already ($raw_ip is without)",
                 base);
    else
        snprintf(out, size,
                 "linear, with the CS base 0x%llx; what is on the stack is without, "
                 "so bt and finish want `monitor addresses offset`",
                 base);
}

enum { FLAT, SIXTEEN_BITS, LINEAR, OFFSETS };

static unsigned kind_of(struct machine *m) {
    if (!base_of(m))
        return FLAT;
    return is_16bit(m) ? SIXTEEN_BITS : bridge_shift(shown_vcpu(m)) ? OFFSETS : LINEAR;
}

/* Notes it; is it news? That addresses are others than a moment ago always is; that they
 * are linear in a segment with a base, once for each width. */
static bool is_news(struct told_addresses *told, unsigned kind, uint64_t base) {
    bool known = kind == FLAT || told->kinds >> kind & 1;
    bool moved =
        kind == OFFSETS ? told->kind != OFFSETS || told->base != base : told->kind == OFFSETS;
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
