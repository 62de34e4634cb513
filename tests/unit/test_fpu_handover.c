/* The FPU's registers from the built-in CPU to KVM and back, after each of some thousand
 * instructions of x87, MMX and SSE: nothing is lost on either way. Needs KVM.
 */
#include "tests/lockstep/rig.h"
#include "unit.h"
#include "vmm/engines/soft/soft.h"

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
    struct kvm_fpu before = rig_get(soft)->fpu;
    rig_get(kvm)->fpu = before;
    rig_set(kvm);
    memset(&kvm->cpu.state.fpu, 0xA5, sizeof kvm->cpu.state.fpu);
    struct kvm_fpu there = rig_get(kvm)->fpu;
    rig_get(soft)->fpu = there;
    rig_set(soft);
    CHECK(!memcmp(&before, &rig_get(soft)->fpu, sizeof before));
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
            s->fpu.fpr[n][byte] = (uint8_t)any();
    for (unsigned n = 0; n < 16 * 16; n++)
        s->fpu.xmm[n / 16][n % 16] = (uint8_t)any();
    rig_set(&soft);
    for (unsigned n = 0; n < 3000; n++)
        one(&soft, &kvm);
    rig_close(&soft);
    rig_close(&kvm);
    return unit_end();
}
