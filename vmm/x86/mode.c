/* Names and widths of modes; see mode.h. */
#include "vmm/x86/mode.h"

static const struct {
    const char *name;
    unsigned bits;
} modes[] = {
    [MODE_REAL] = {"REAL16", 16},     [MODE_VM86] = {"VM86", 16},
    [MODE_PROT16] = {"PROT16", 16},   [MODE_PROT32] = {"PROT32", 32},
    [MODE_COMPAT16] = {"COMPAT16", 16}, [MODE_COMPAT32] = {"COMPAT32", 32},
    [MODE_LONG] = {"LONG64", 64},
};

const char *x86_mode_name(enum cpu_mode mode) { return modes[mode].name; }
unsigned x86_mode_bits(enum cpu_mode mode) { return modes[mode].bits; }

/* The CPL is SS.DPL (real mode and VM86 keep 0 and 3 there themselves). */
unsigned x86_cpl(const struct kvm_sregs *s) {
    return s->cr0 & CR0_PE ? s->ss.dpl & 3 : 0;
}

