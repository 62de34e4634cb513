/* A trial tells what the step then does, whatever state and code there is, and leaves
 * no trace: random guests, each instruction first tried and then done.
 */
#include "tests/lockstep/rig.h"
#include "unit.h"
#include "vmm/engines/soft/soft.h"
#include "vmm/inspect/dry_run.h"
#include "vmm/x86/descriptor.h"
#include "vmm/x86/mode.h"

enum { RAM = 1 << 20, GUESTS = 1500, STEPS = 12 };

static uint64_t seed = 88172645463325252ull;

static uint32_t any(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 16);
}

/* --- guests ----------------------------------------------------------------------- */

/* Half of it leads away, or is not everybody's to do. */
static void random_code(struct rig *r, uint32_t at) {
    static const uint8_t liked[] = {0xCF, 0xCD, 0x9A, 0xEA, 0xCB, 0xCA, 0xF4, 0xFA, 0xFB, 0x8E,
                                    0x1F, 0x07, 0x17, 0xCC, 0xCE, 0xA4, 0xAB, 0xE4, 0xEE, 0x6D,
                                    0x9C, 0x9D, 0xC8, 0x62, 0xF6, 0xFF, 0x0F, 0x60, 0x61, 0xC4};
    for (unsigned n = 0; n < 64; n++) {
        uint8_t b = any() & 1 ? liked[any() % sizeof liked] : any();
        rig_put(r, at + n, &b, 1);
    }
}

static void random_tables(struct rig *r) {
    for (unsigned n = 0x30; n < 0x100; n += 8)
        rig_gdt(r, n, rig_descriptor(any() % 0x40000, any() & 0xFFFFF, any() & 0xFF, any() & 15));
    for (unsigned n = 0; n < 256; n++)
        rig_gate(r, n, any() % 5 ? 8 : any() & 0x1FF, CODE_AT + any() % 64,
                 any() % 3 ? 0xEE : any() & 0xFF);
}

static void to_ring3(struct cpu_state *s) {
    s->sregs.cs = x86_descriptor(0x1B, rig_descriptor(0, 0xFFFFF, 0xFB, 0xC));
    s->sregs.ss = s->sregs.ds = x86_descriptor(0x23, rig_descriptor(0, 0xFFFFF, 0xF3, 0xC));
}

static void make_guest(struct rig *r) {
    static const uint8_t nop = 0x90;
    rig_open(r, soft_open, RAM);
    bool real = any() % 4 == 0;
    if (real) {
        rig_real(r, &nop, 1, 0x8000);
    } else {
        rig_flat(r, &nop, 1);
        random_tables(r);
        if (any() & 1)
            rig_paging(r, 5 + (any() & 2));
        rig_put32(r, PT_AT + 4 * (any() % 64), any());
    }
    random_code(r, real ? 0x8000 : CODE_AT);
    struct cpu_state *s = rig_get(r);
    if (!real && any() & 1)
        to_ring3(s);
    __u64 *const numbers[] = {&s->regs.rax, &s->regs.rcx, &s->regs.rdx, &s->regs.rbx, &s->regs.rbp,
                              &s->regs.rsi, &s->regs.rdi};
    for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++)
        *numbers[n] = any() % 4 || numbers[n] == &s->regs.rcx ? any() % 0x20000 : any();
    s->regs.rflags |= any() & (FLAG_IOPL | FLAG_NT | FLAG_DF | FLAG_OF | FLAG_CF | FLAG_AC);
    rig_set(r);
}

/* --- the comparison ------------------------------------------------------------------ */

static uint8_t ram_before[RAM];

static enum io_result zeros(void *machine, uint16_t port, bool out, unsigned size, void *data) {
    (void)machine, (void)port;
    if (!out)
        memset(data, 0, size);
    return IO_DONE;
}

/* false: there is nothing to compare any more. */
static bool tried_and_done(struct rig *r) {
    struct cpu_state before = *rig_get(r);
    struct trial t;
    memcpy(ram_before, r->memory.ram, RAM);
    dry_run(&r->cpu, &t);
    CHECK(!memcmp(ram_before, r->memory.ram, RAM));
    CHECK(!memcmp(&before, rig_get(r), sizeof before));
    r->cpu.engine->flush(&r->cpu); /* a trial begins with no translations */
    enum cpu_exit_kind kind = rig_step(r);
    const struct cpu_state *after = rig_get(r);
    if (before.regs.rflags & FLAG_TF) {
        CHECK(t.outcome == DRY_RUN_UNKNOWN);
        return false;
    }
    if (t.regs.rip == before.regs.rip && t.regs.rcx != before.regs.rcx) {
        CHECK(t.outcome == DRY_RUN_DONE); /* the first piece of a repeated one */
        return kind == CPU_EXIT_STEPPED;
    }
    if (kind == CPU_EXIT_SHUTDOWN)
        CHECK(t.outcome == DRY_RUN_SHUTDOWN && strstr(r->exit.text, t.text));
    else
        CHECK(t.outcome == DRY_RUN_DONE || t.outcome == DRY_RUN_FAULT);
    CHECK(!memcmp(&t.regs, &after->regs, sizeof t.regs));
    CHECK(!memcmp(&t.sregs, &after->sregs, sizeof t.sregs));
    return kind == CPU_EXIT_STEPPED;
}

/* --- the rule's other half: of what KVM knows better nothing is said --------------------- */

static const struct engine not_soft; /* a CPU of the host's */

/* The last, UD2, is #UD on every CPU. */
static void test_unknown(void) {
    static const uint8_t codes[][3] = {
        {0x0F, 0x0E}, {0xD9, 0xD1}, {0x0F, 0x22, 0xE0}, {0x0F, 0x32}, {0x0F, 0x0B}};
    for (size_t n = 0; n < sizeof codes / sizeof *codes; n++) {
        struct rig r;
        struct trial t;
        rig_open(&r, soft_open, RAM);
        rig_flat(&r, codes[n], sizeof codes[n]);
        rig_gate(&r, VECTOR_GP, 8, CODE_AT, 0x8E);
        rig_gate(&r, VECTOR_UD, 8, CODE_AT, 0x8E);
        rig_gate(&r, VECTOR_NM, 8, CODE_AT, 0x8E);
        struct cpu_state *s = rig_get(&r);
        s->regs.rax = 1u << 30; /* no bit of this CPU's CR4 */
        s->regs.rcx = 0x12345678; /* no MSR */
        rig_set(&r);
        dry_run(&r.cpu, &t);
        CHECK(t.outcome == DRY_RUN_FAULT);
        rig_get(&r);
        r.cpu.valid = CPU_ALL;
        const struct engine *soft = r.cpu.engine;
        r.cpu.engine = &not_soft;
        dry_run(&r.cpu, &t);
        CHECK(t.outcome == (codes[n][1] == 0x0B ? DRY_RUN_FAULT : DRY_RUN_UNKNOWN));
        r.cpu.engine = soft;
        rig_close(&r);
    }
}

int main(void) {
    for (unsigned n = 0; n < GUESTS; n++) {
        struct rig r;
        make_guest(&r);
        r.cpu.host.io = zeros;
        for (unsigned step = 0; step < STEPS && tried_and_done(&r); step++)
            ;
        rig_close(&r);
    }
    test_unknown();
    return unit_end();
}
