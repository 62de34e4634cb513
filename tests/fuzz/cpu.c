/* The built-in CPU in any state: registers, segments, descriptor and page tables, debug
 * registers, breakpoints, interrupts that come at any time, and any code.
 *
 * A base of the rig (real mode, flat protected mode, paged, ring 3, virtual-8086 mode, long
 * mode with both sizes of code) is patched; what is left of the input is code. Three things must hold besides that it ends:
 *
 * - state that was fetched and stored again is the same state;
 * - a run in pieces is the same run (time travel lives by that);
 * - an instruction that is tried (dry_run.h) leaves no trace.
 */
#include "fuzz.h"
#include "tests/lockstep/rig.h"
#include "vmm/engines/soft/soft.h"
#include "vmm/inspect/dry_run.h"
#include "vmm/x86/descriptor.h"

enum { RAM = 1 << 20, RUN = 600, PATCHES_MAX = 64 };

/* A guest, and the world that it sees: a function of what the guest did before. */
struct subject {
    struct rig rig;
    uint64_t seed, asked, due;
    bool excited; /* interrupts come */
};

static uint64_t chance(struct subject *s) {
    uint64_t x = (s->seed + ++s->asked) * 0x9E3779B97F4A7C15ull;
    return x ^ x >> 29;
}

/* --- the host ------------------------------------------------ */

static enum io_result port(void *machine, uint16_t number, bool out, unsigned size, void *data) {
    uint64_t value = chance(machine);
    if (!out)
        memcpy(data, &value, size);
    return number == 0x61 ? IO_STOP : IO_DONE;
}

static int acknowledge(void *machine) {
    struct subject *s = machine;
    s->rig.cpu.intr = false;
    uint64_t x = chance(s);
    return x % 8 ? (int)(x >> 8 & 0xFF) : -1;
}

static uint64_t deadline(void *machine, uint64_t now) {
    enum { EVERY = 64 };
    struct subject *s = machine;
    if (now < s->due)
        return s->due;
    s->rig.cpu.intr |= s->excited;
    return s->due = (now / EVERY + 1) * EVERY;
}

static uint64_t idle(void *machine, uint64_t now) {
    struct subject *s = machine;
    s->rig.cpu.intr = s->excited;
    return s->excited ? now + 1 : 0;
}

/* --- the state at the start ------------------------------------------------ */

static void ring3(struct rig *r, bool vm86) {
    struct cpu_state *s = rig_get(r);
    s->sregs.cs = x86_descriptor(0x1B, rig_descriptor(0, 0xFFFFF, 0xFB, 0xC));
    s->sregs.ss = s->sregs.ds = s->sregs.es =
        x86_descriptor(0x23, rig_descriptor(0, 0xFFFFF, 0xF3, 0xC));
    if (vm86) {
        s->sregs.cs = s->sregs.ss = s->sregs.ds = s->sregs.es =
            x86_real_segment(CODE_AT >> 4, false);
        s->sregs.cs.dpl = s->sregs.ss.dpl = 3;
        s->regs.rip = 0;
        s->regs.rflags |= FLAG_VM;
    }
    rig_set(r);
}

enum { BASE_REAL, BASE_FLAT, BASE_PAGED, BASE_RING3, BASE_VM86, BASE_LONG, BASE_LONG3,
       BASE_COMPAT3, BASES };

/* 64-bit code of ring 0, or of ring 3, or compatibility mode of ring 3. */
static void base_long(struct rig *r, unsigned base, const struct feed *code) {
    rig_long(r, code->at, code->left);
    for (unsigned vector = 0; vector < 256; vector++)
        rig_gate64(r, vector, CODE64, CODE_AT + vector % 16 * 4, vector % 3 ? 0xEE : 0x8E,
                   vector % 5 == 0);
    struct cpu_state *s = rig_get(r);
    s->msrs.star = 0x00F000E000000000;
    s->msrs.lstar = s->msrs.cstar = CODE_AT;
    if (base != BASE_LONG) {
        bool compat = base == BASE_COMPAT3;
        s->sregs.cs = x86_descriptor((compat ? USER32 : USER64) | 3,
                                     rig_descriptor(0, 0xFFFFF, 0xFB, compat ? 0xC : 0xA));
        s->sregs.ss = s->sregs.ds = s->sregs.es =
            x86_descriptor(USER_DATA | 3, rig_descriptor(0, 0xFFFFF, 0xF3, 0xC));
    }
    rig_set(r);
}

static void base_state(struct rig *r, unsigned base, const struct feed *code) {
    if (base == BASE_REAL) {
        rig_real(r, code->at, code->left, 0x8000);
        return;
    }
    if (base >= BASE_LONG) {
        base_long(r, base, code);
        return;
    }
    rig_flat(r, code->at, code->left);
    for (unsigned vector = 0; vector < 256; vector++)
        rig_gate(r, vector, 0x08, CODE_AT + vector % 16 * 4, vector % 3 ? 0xEE : 0x8E);
    if (base >= BASE_PAGED)
        rig_paging(r, 7);
    if (base >= BASE_RING3)
        ring3(r, base == BASE_VM86);
}

/* With all that the CPU has, x87 exceptions that are #MF, and SSE. */
static void turn_fpu_on(struct rig *r) {
    struct cpu_state *s = rig_get(r);
    s->sregs.cr0 |= CR0_NE;
    s->sregs.cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
    rig_set(r);
}

static void patch_memory(struct rig *r, struct feed *in) {
    uint8_t bytes[16];
    uint32_t at = (uint32_t)feed_number(in, 3) % RAM;
    size_t size = feed_number(in, 1) % sizeof bytes + 1;
    feed_bytes(in, bytes, size);
    rig_put(r, at, bytes, size);
}

/* Any bytes of the state; what no engine ever gives (a mode that it has not, padding)
 * is part of "any". */
static void patch_state(struct rig *r, struct feed *in) {
    uint8_t value[8];
    size_t at = feed_number(in, 2) % (sizeof(struct cpu_state) - sizeof value);
    size_t size = feed_number(in, 1) % sizeof value + 1;
    feed_bytes(in, value, size);
    memcpy((uint8_t *)rig_get(r) + at, value, size);
    rig_set(r);
}

static void patch_point(struct rig *r, struct feed *in) {
    enum bp_kind kind = feed_number(in, 1) % 5;
    uint64_t address = feed_number(in, 3);
    breakpoints_add(&r->breakpoints, kind, address, 1 + (uint32_t)feed_number(in, 1));
}

static void patch_catch(struct rig *r, struct feed *in) {
    unsigned flags = (unsigned)feed_number(in, 1), vector = (unsigned)feed_number(in, 1);
    r->cpu.catch.mode = flags & 1;
    r->cpu.catch.cr3 = flags & 2;
    r->cpu.catch.exception[vector / 64] |= (uint64_t)(flags >> 2 & 1) << vector % 64;
    r->cpu.catch.interrupt[vector / 64] |= (uint64_t)(flags >> 3 & 1) << vector % 64;
}

static const struct engine_host asks = {.acknowledge = acknowledge, .deadline = deadline, .idle = idle};

/* --- the whole ------------------------------------------------ */

static void begin(struct subject *s, struct feed in) {
    static void (*const patches[])(struct rig *, struct feed *) = {
        patch_memory, patch_state, patch_point, patch_catch};
    rig_open(&s->rig, soft_open, RAM);
    unsigned base = feed_number(&in, 1);
    s->seed = feed_number(&in, 1);
    s->excited = s->seed & 1;
    s->asked = s->due = 0;
    s->rig.cpu.host = (struct cpu_host){.context = s, .io = port, .extra = &asks};
    s->rig.cpu.step_irqs = true;
    struct feed code = feed_part(&in, feed_number(&in, 1));
    base_state(&s->rig, base % BASES, &code);
    if (base >= 128)
        turn_fpu_on(&s->rig);
    for (unsigned n = 0; in.left && n < PATCHES_MAX; n++)
        patches[feed_number(&in, 1) % 4](&s->rig, &in);
}

/* Pieces of so many instructions; 0: steps. Goes on behind every exit but an end.
 * Returns which end, LIMIT when there was none. */
static enum cpu_exit_kind run(struct subject *s, uint64_t piece) {
    struct cpu *cpu = &s->rig.cpu;
    for (unsigned n = 0; n < 3 * RUN && cpu->ticks < RUN; n++) {
        uint64_t end = cpu->ticks + (piece ? piece : RUN);
        cpu->limit = end < RUN ? end : RUN;
        enum cpu_exit_kind kind = piece ? rig_run(&s->rig) : rig_step(&s->rig);
        if (kind == CPU_EXIT_BREAKPOINT) /* the next run passes over it */
            cpu->arrival = (struct cpu_arrival){ARRIVAL_DONE, s->rig.exit.address};
        if (kind == CPU_EXIT_SHUTDOWN || kind == CPU_EXIT_HALTED || kind == CPU_EXIT_CANNOT)
            return kind;
    }
    return CPU_EXIT_LIMIT;
}

static void same_again(struct rig *r) {
    struct cpu_state before = *rig_get(r);
    rig_set(r);
    must(!memcmp(&before, rig_get(r), sizeof before), "state that is stored again is the same");
}

static void compare(struct subject *a, struct subject *b) {
    const struct cpu_state *x = rig_get(&a->rig), *y = rig_get(&b->rig);
    must(a->rig.cpu.ticks == b->rig.cpu.ticks, "in pieces: the same count");
    must(!memcmp(x, y, sizeof *x), "in pieces: the same state");
    must(!memcmp(a->rig.memory.ram, b->rig.memory.ram, RAM), "in pieces: the same memory");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static struct subject whole, pieces;
    struct trial trial;
    struct feed in = {bytes, size};
    begin(&whole, in);
    begin(&pieces, in);
    dry_run(&pieces.rig.cpu, &trial); /* leaves no trace, so the same run follows */
    must(run(&whole, RUN) == run(&pieces, whole.seed >> 1 & 63), "in pieces: the same end");
    compare(&whole, &pieces);
    same_again(&whole.rig);
    rig_close(&whole.rig);
    rig_close(&pieces.rig);
    return 0;
}
