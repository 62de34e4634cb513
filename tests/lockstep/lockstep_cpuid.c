/* --cpuid=+NAME and -NAME on KVM as on the built-in CPU: what a guest's CPUID says, and that CR4, EFER,
 * MSRs and XCR0 agree with it, as far as a KVM looks at what the guest was promised. Instructions
 * are the host's: no KVM takes those away.
 *
 * What this KVM does not offer is refused with a sentence. Needs KVM.
 */
#include <unistd.h>

#include "lockstep.h"
#include "tests/unit/unit.h"
#include "vmm/engines/kvm/debug/debug.h"
#include "vmm/engines/soft/soft.h"
#include "vmm/x86/cpuid.h"
#include "vmm/x86/fpu.h"
#include "vmm/x86/mode.h"
#include "vmm/x86/msr.h"

enum { RAM = 1 << 20, HANDLERS_AT = 0x12000, HANDLER_SIZE = 16 };

#define MOV_CR4 "\x0f\x22\xe0"
#define WRMSR   "\x0f\x30"
#define XSETBV  "\x0f\x01\xd1"

/* An instruction that is done with the feature, and is #GP without it. EFER.LME needs CR4.PAE with
 * it only in the rig (docs/kvm-quirks.md 22). */
static const struct row {
    const char *name;
    enum cpuid_feature feature;
    const char *code;
    uint32_t eax, ecx;
    uint32_t cr4; /* that is set before */
} rows[] = {
    {"xsave", FEATURE_XSAVE, MOV_CR4, CR4_OSXSAVE, 0, 0},
    {"smep", FEATURE_SMEP, MOV_CR4, CR4_SMEP, 0, 0},
    {"smap", FEATURE_SMAP, MOV_CR4, CR4_SMAP, 0, 0},
    {"umip", FEATURE_UMIP, MOV_CR4, CR4_UMIP, 0, 0},
    {"fsgsbase", FEATURE_FSGSBASE, MOV_CR4, CR4_FSGSBASE, 0, 0},
    {"nx", FEATURE_NX, WRMSR, EFER_NX, MSR_EFER, 0},
    {"lm", FEATURE_LM, WRMSR, EFER_LME, MSR_EFER, CR4_PAE},
    {"rdtscp", FEATURE_RDTSCP, WRMSR, 5, MSR_TSC_AUX, 0},
    {"avx", FEATURE_AVX, XSETBV, XSTATE_X87 | XSTATE_SSE | XSTATE_AVX, 0, CR4_OSXSAVE},
    {"popcnt", FEATURE_POPCNT, NULL, 0, 0, 0},
    {"sse4_2", FEATURE_SSE4_2, NULL, 0, 0, 0},
    {"pcid", FEATURE_PCID, NULL, 0, 0, 0},
};

static struct cpuid_choice choice;
static char why[320];

static int open_by(const struct engine *engine, struct cpu *cpu) {
    static const struct engine_options options = {.debugged = true};
    cpu->cpuid = &choice;
    *why = '\0';
    return engine->open(cpu, &options, why, sizeof why);
}

/* false: not with this choice, and `why` says so. */
static bool open_rig(struct rig *r, const struct engine *engine) {
    memset(r, 0, sizeof *r);
    if (memory_open(&r->memory, RAM))
        abort();
    r->cpu.memory = &r->memory;
    r->cpu.breakpoints = &r->breakpoints;
    if (open_by(engine, &r->cpu) == 0)
        return true;
    memory_close(&r->memory);
    return false;
}

/* The code, and HLT: it runs to that or to a handler's, so that a step plays no part. */
static void prepare(struct rig *r, const char *code, size_t length) {
    rig_get(r)->sregs.cr4 = 0;
    r->cpu.state.sregs.efer = 0;
    r->cpu.state.mp.mp_state = KVM_MP_STATE_RUNNABLE;
    rig_set(r);
    rig_flat(r, code, length);
    rig_put(r, CODE_AT + length, "\xf4", 1);
    for (unsigned n = 0; n < 32; n++) {
        rig_gate(r, n, 8, HANDLERS_AT + HANDLER_SIZE * n, 0x8E);
        rig_put(r, HANDLERS_AT + HANDLER_SIZE * n, "\xf4", 1);
    }
}

static uint32_t leaf_word(struct rig *r, uint32_t leaf, uint32_t subleaf, enum cpuid_register reg) {
    prepare(r, "\x0f\xa2", 2);
    struct kvm_regs *regs = &rig_get(r)->regs;
    regs->rax = leaf, regs->rcx = subleaf;
    rig_set(r);
    CHECK(rig_run(r) == CPU_EXIT_HALTED);
    regs = &rig_get(r)->regs;
    const __u64 words[] = {regs->rax, regs->rbx, regs->rcx, regs->rdx};
    return (uint32_t)words[reg];
}

static bool announced(struct rig *r, enum cpuid_feature f) {
    const struct cpuid_bit *b = &cpuid_bits[f];
    uint32_t last = leaf_word(r, b->leaf & 0x80000000, 0, CPUID_EAX);
    return b->leaf <= last && leaf_word(r, b->leaf, b->subleaf, b->reg) >> b->bit & 1;
}

enum outcome { DONE, REFUSED, NOT_RUN };
static const char *const outcomes[] = {"done", "#GP", "not run"};

static enum outcome outcome_of(struct rig *r, const struct row *row) {
    size_t length = strlen(row->code);
    prepare(r, row->code, length);
    struct cpu_state *s = rig_get(r);
    s->regs.rax = row->eax, s->regs.rcx = row->ecx;
    s->sregs.cr4 |= row->cr4;
    rig_set(r);
    if (rig_run(r) != CPU_EXIT_HALTED)
        return NOT_RUN;
    uint64_t rip = rig_get(r)->regs.rip - 1;
    return rip == HANDLERS_AT + HANDLER_SIZE * VECTOR_GP ? REFUSED
           : rip == CODE_AT + length                     ? DONE
                                                         : NOT_RUN;
}

/* OSXSAVE in leaf 1 is CR4's; and leaf 0Dh has what XCR0 may have, or nothing. */
static bool xsave_agrees(struct rig *r, bool xsave, bool avx) {
    uint32_t components = leaf_word(r, 0xD, 0, CPUID_EAX);
    bool osxsave = leaf_word(r, 1, 0, CPUID_ECX) >> 27 & 1;
    return !osxsave && (xsave || leaf_word(r, 0, 0, CPUID_EAX) < 0xD || !components) &&
           (avx || !xsave || !(components & XSTATE_AVX));
}

/* The guest's XSETBV does not come to KVM on QEMU's CPU, which has no execution breakpoints either. */
static bool is_looked_at(const struct row *row, bool kvm) {
    bool xsetbv = row->code && !strcmp(row->code, XSETBV);
    return row->code && !(kvm && xsetbv && !probe_traits()->exec_bp);
}

static void check_engine(const char *engine, struct rig *r, const struct row *row, bool on) {
    bool says = announced(r, row->feature);
    enum outcome is = is_looked_at(row, !strcmp(engine, "kvm")) ? outcome_of(r, row) : NOT_RUN;
    bool right = says == on && (is == NOT_RUN || is == (on ? DONE : REFUSED)) &&
                 xsave_agrees(r, announced(r, FEATURE_XSAVE), announced(r, FEATURE_AVX));
    if (!right)
        printf("%s, %c%s: CPUID says %d, the instruction is %s\n", engine, "-+"[on], row -> name,
               says, outcomes[is]);
    CHECK(right);
}

/* What is off is never refused by the built-in CPU. */
static const char *refusal(bool soft, bool on) {
    if (soft)
        return on ? "the built-in CPU does not have" : "never";
    return on ? "this KVM does not offer" : "this KVM shows the guest";
}

static void with_choice(const struct row *row, bool on) {
    char text[40];
    struct rig r;
    snprintf(text, sizeof text, "%c%s", "-+"[on], row -> name);
    choice = (struct cpuid_choice){0};
    CHECK(!cpuid_choose(&choice, text));
    const struct engine *const engines[] = {&engine_kvm, &engine_soft};
    for (unsigned n = 0; n < 2; n++) {
        if (open_rig(&r, engines[n])) {
            check_engine(engines[n]->name, &r, row, on);
            rig_close(&r);
        } else {
            printf("%s: %s\n", text, why);
            CHECK(strstr(why, refusal(n == 1, on)) && strstr(why, row->name));
        }
    }
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (access("/dev/kvm", R_OK | W_OK) != 0) {
        printf("no KVM\n");
        return 77;
    }
    for (unsigned n = 0; n < sizeof rows / sizeof *rows; n++) {
        with_choice(&rows[n], false);
        with_choice(&rows[n], true);
    }
    return unit_end();
}
