/* The FPU's registers from the built-in CPU to KVM and back, after each of some thousand
 * instructions of x87, MMX and SSE: nothing is lost on either way. Needs KVM.
 */
#include "tests/lockstep/rig.h"
#include "unit.h"
#include "vmm/engines/soft/soft.h"
#include "vmm/x86/fpu.h"

static uint64_t seed = 88172645463325252ull;
static uint32_t any(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 16);
}

static int open_kvm_engine(struct cpu *cpu) {
    static const struct engine_options options = {.debugged = true};
    char error[320];
    return engine_kvm.open(cpu, &options, error, sizeof error);
}

static bool has_kvm(void) {
    struct memory memory;
    struct breakpoints none = {0};
    struct cpu cpu = {.memory = &memory, .breakpoints = &none};
    if (memory_open(&memory, 1 << 20))
        abort();
    bool has = open_kvm_engine(&cpu) == 0;
    if (has)
        cpu.engine->close(&cpu);
    memory_close(&memory);
    return has;
}

/* Of registers, so that memory does not matter; the x87's exceptions are masked. */
static void put_instruction(struct rig *r) {
    static const uint8_t opcodes[] = {0x58, 0x59, 0x5C, 0xFC, 0xFE, 0x60, 0x6F, 0x51};
    uint8_t code[4] = {0x66, 0x0F, opcodes[any() % sizeof opcodes], (uint8_t)(0xC0 | any() % 64)};
    const uint8_t x87[2] = {(uint8_t)(0xD8 | any() % 8), (uint8_t)(0xC0 | any() % 64)};
    if (any() % 2)
        rig_put(r, CODE_AT, x87, 2);
    else if (any() % 4)
        rig_put(r, CODE_AT, code, 4);
    else
        rig_put(r, CODE_AT, code + 1, 3);
}

static void one(struct rig *soft, struct rig *kvm) {
    put_instruction(soft);
    rig_get(soft)->regs.rip = CODE_AT;
    rig_set(soft);
    rig_step(soft);
    struct xsave_area before = *xsave_in(rig_get(soft));
    *xsave_of(rig_get(kvm)) = before;
    rig_set(kvm);
    memset(kvm->cpu.state.xsave, 0xA5, sizeof kvm->cpu.state.xsave);
    *xsave_of(rig_get(soft)) = *xsave_in(rig_get(kvm));
    rig_set(soft);
    CHECK(!memcmp(&before.fpu, fpu_in(rig_get(soft)), sizeof before.fpu));
}

static void give_fpu(struct rig *to, struct rig *from) {
    const struct cpu_state *s = rig_get(from);
    struct cpu_state *there = rig_get(to);
    there->xcr0 = s->xcr0;
    *xsave_of(there) = *xsave_in(s);
    rig_set(to);
    memset(there->xsave, 0xA5, sizeof there->xsave);
}

/* What the built-in CPU has no instruction for: XCR0, and AVX's upper halves, from one KVM to the
 * next. false: this KVM has no AVX. */
static bool beyond(struct rig *soft, struct rig *kvm) {
    enum { AVX_SIZE = 256, ALL = XSTATE_X87 | XSTATE_SSE | XSTATE_AVX };
    struct cpu_state *s = rig_get(kvm);
    uint8_t halves[AVX_SIZE];
    for (unsigned n = 0; n < AVX_SIZE; n++)
        halves[n] = xsave_of(s)->beyond[n] = (uint8_t)any();
    s->xcr0 = xsave_of(s)->present = ALL;
    if (kvm->cpu.ops->store(&kvm->cpu, CPU_FPU) < 0)
        return false;
    give_fpu(soft, kvm);
    rig_step(soft);
    rig_close(kvm);
    rig_open(kvm, open_kvm_engine, 1 << 20);
    give_fpu(kvm, soft);
    s = rig_get(kvm);
    CHECK(s->xcr0 == ALL && xsave_in(s)->present & XSTATE_AVX);
    CHECK(!memcmp(xsave_in(s)->beyond, halves, AVX_SIZE));
    return true;
}

int main(void) {
    struct rig soft, kvm;
    if (!has_kvm()) {
        puts("no KVM here; skipped");
        return unit_end();
    }
    rig_open(&soft, soft_open, 1 << 20);
    rig_open(&kvm, open_kvm_engine, 1 << 20);
    rig_flat(&soft, "", 0);
    struct cpu_state *s = rig_get(&soft);
    s->sregs.cr4 |= CR4_OSFXSR;
    s->sregs.idt.limit = 0; /* what is no instruction ends there, and changes nothing */
    for (unsigned n = 0; n < 8; n++)
        for (unsigned byte = 0; byte < 10; byte++)
            fpu_of(s)->st[n].b[byte] = (uint8_t)any();
    for (unsigned n = 0; n < 16 * 16; n++)
        fpu_of(s)->xmm[n / 16].b[n % 16] = (uint8_t)any();
    rig_set(&soft);
    for (unsigned n = 0; n < 3000; n++)
        one(&soft, &kvm);
    if (!beyond(&soft, &kvm))
        puts("this KVM has no AVX");
    rig_close(&soft);
    rig_close(&kvm);
    return unit_end();
}
