/* CPUID, the time-stamp counter, model-specific registers, SYSENTER and SYSEXIT.
 *
 * Rule: CPUID announces exactly what is built: an i686 with an x87. MSRs that
 * are not announced do not exist (#GP); EFER is one of them.
 */
#include <string.h>

#include "vmm/engines/soft/access.h"
#include "vmm/engines/soft/flags.h"
#include "vmm/engines/soft/handlers.h"

enum { MSR_TSC = 0x10, MSR_SYSENTER_CS = 0x174, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP };

enum { CPUID_FPU = 1 << 0, CPUID_DE = 1 << 2, CPUID_PSE = 1 << 3, CPUID_TSC = 1 << 4, CPUID_MSR = 1 << 5,
       CPUID_CX8 = 1 << 8, CPUID_SEP = 1 << 11, CPUID_PGE = 1 << 13, CPUID_CMOV = 1 << 15,
       CPUID_FXSR = 1 << 24 };

#define CPUID_FEATURES                                                                             \
    (CPUID_FPU | CPUID_FXSR | CPUID_DE | CPUID_PSE | CPUID_TSC | CPUID_MSR | CPUID_CX8 | CPUID_SEP | CPUID_PGE | CPUID_CMOV)
#define CPUID_SIGNATURE 0x633 /* family 6; SEP is believed from model 3, stepping 3 */

static const char brand[48] = "minikvm built-in CPU";

static void set_four(struct soft *s, uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
    s->r[R_AX] = a;
    s->r[R_BX] = b;
    s->r[R_CX] = c;
    s->r[R_DX] = d;
}

static void set_text(struct soft *s, const char *text) {
    uint32_t word[4];
    memcpy(word, text, 16);
    set_four(s, word[0], word[1], word[2], word[3]);
}

const struct op *cpuid(struct soft *s, const struct op *op) {
    uint32_t leaf = (uint32_t)s->r[R_AX];
    if (leaf == 0)
        set_four(s, 1, 0x696E694D, 0x74666F53, 0x204D564B); /* "MiniKVM Soft" in EBX EDX ECX */
    else if (leaf == 0x80000000)
        set_four(s, 0x80000004, 0, 0, 0);
    else if (leaf == 0x80000001)
        set_four(s, 0, 0, 0, 0);
    else if (leaf >= 0x80000002 && leaf <= 0x80000004)
        set_text(s, brand + (leaf - 0x80000002) * 16);
    else
        set_four(s, CPUID_SIGNATURE, 0, 0, CPUID_FEATURES);
    return op + 1;
}

/* --- MSRs --- */

static void set_edx_eax(struct soft *s, uint64_t value) {
    s->r[R_AX] = (uint32_t)value;
    s->r[R_DX] = value >> 32;
}

const struct op *rdtsc(struct soft *s, const struct op *op) {
    if (s->cr4 & CR4_TSD && s->cpl)
        raise_gp0(s);
    set_edx_eax(s, now(s) + s->msrs.tsc);
    return op + 1;
}

static uint64_t *sysenter_msr(struct soft *s) {
    switch ((uint32_t)s->r[R_CX]) {
    case MSR_SYSENTER_CS: return &s->msrs.sysenter_cs;
    case MSR_SYSENTER_ESP: return &s->msrs.sysenter_esp;
    case MSR_SYSENTER_EIP: return &s->msrs.sysenter_eip;
    default: return NULL;
    }
}

const struct op *rdmsr(struct soft *s, const struct op *op) {
    const uint64_t *msr = sysenter_msr(s);
    bool tsc = (uint32_t)s->r[R_CX] == MSR_TSC;
    if (s->cpl || (!msr && !tsc))
        raise_gp0(s);
    set_edx_eax(s, tsc ? now(s) + s->msrs.tsc : *msr);
    return op + 1;
}

const struct op *wrmsr(struct soft *s, const struct op *op) {
    uint64_t *msr = sysenter_msr(s), value = s->r[R_DX] << 32 | (uint32_t)s->r[R_AX];
    bool tsc = (uint32_t)s->r[R_CX] == MSR_TSC;
    if (s->cpl || (!msr && !tsc))
        raise_gp0(s);
    if (tsc)
        s->msrs.tsc = value - now(s);
    else
        *msr = (uint32_t)value;
    return op + 1;
}

/* --- SYSENTER and SYSEXIT (5.8.7): flat segments by decree --- */

static struct kvm_segment flat(uint16_t selector, uint8_t type, uint8_t dpl) {
    return (struct kvm_segment){.limit = 0xFFFFFFFF, .selector = selector, .type = type,
                                .present = 1, .dpl = dpl, .db = 1, .s = 1, .g = 1};
}

static const struct op *fast_call(struct soft *s, const struct op *op, unsigned offset,
                                  unsigned cpl, uint64_t ip, uint64_t sp) {
    uint16_t cs = (uint16_t)((s->msrs.sysenter_cs & 0xFFFC) + offset);
    set_code(s, flat((uint16_t)(cs | cpl), 11, (uint8_t)cpl), cpl);
    set_stack(s, flat((uint16_t)((cs + 8) | cpl), 3, (uint8_t)cpl), sp);
    return leave(s, op, ip);
}

const struct op *sysenter(struct soft *s, const struct op *op) {
    if (!(s->cr0 & CR0_PE) || !(s->msrs.sysenter_cs & 0xFFFC))
        raise_gp0(s);
    s->flags &= ~(uint32_t)(FLAG_VM | FLAG_IF | FLAG_RF);
    return fast_call(s, op, 0, 0, s->msrs.sysenter_eip, s->msrs.sysenter_esp);
}

const struct op *sysexit(struct soft *s, const struct op *op) {
    if (!s->protected || s->cpl || !(s->msrs.sysenter_cs & 0xFFFC))
        raise_gp0(s);
    return fast_call(s, op, 16, 3, s->r[R_DX] & 0xFFFFFFFF, s->r[R_CX]);
}
