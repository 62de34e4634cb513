/* The built-in CPU's fast path against its careful one: random programs are run
 * in blocks on one CPU and stepped on the other, in the same virtual time; state
 * and memory must agree whenever both stand at the same count. Watched pages,
 * which close the fast path, must change nothing either.
 * `test_soft_paths [programs] [seed]`.
 */
#include "tests/lockstep/lockstep.h"
#include "tests/lockstep/lockstep.c"
#include "unit.h"
#include "vmm/engines/soft/soft.h"

static uint64_t seed;
static uint32_t any(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 16);
}

/* Instructions that mostly go on: arithmetic, memory, stack, short jumps, strings. */
static size_t program(uint8_t *out, size_t size) {
    static const uint8_t plain[] = {0x40, 0x43, 0x4A, 0x50, 0x51, 0x5A, 0x9C, 0x98, 0x99, 0xF5,
                                    0xFC, 0xA4, 0xAA, 0xAC, 0xA5, 0xC9, 0x60, 0x90, 0xF9, 0x27};
    static const uint8_t modrm[] = {0x01, 0x03, 0x11, 0x29, 0x31, 0x39, 0x85, 0x88,
                                    0x89, 0x8A, 0x8B, 0xD1, 0xD3, 0xF7, 0x87, 0x21};
    size_t n = 0;
    while (n < size - 16) {
        switch (any() % 8) {
        case 0:
        case 1:
            out[n++] = plain[any() % sizeof plain];
            break;
        case 2:
        case 3:
        case 4:
            out[n++] = modrm[any() % sizeof modrm];
            out[n++] = (uint8_t)(0x45 | (any() % 6 << 3) | (any() % 2 ? 0x80 : 0));
            if (out[n - 1] & 0x80)
                out[n - 1] = (uint8_t)(0xC0 | (any() & 63));
            else
                out[n++] = (uint8_t)any();
            break;
        case 5:
            out[n++] = (uint8_t)(0x70 | any() % 16);
            out[n++] = (uint8_t)any();
            break;
        case 6:
            out[n++] = 0xF3;
            out[n++] = any() % 2 ? 0xA4 : 0xAB;
            break;
        default:
            out[n++] = (uint8_t)any();
            break;
        }
    }
    return n;
}

static uint64_t deadline(void *machine, uint64_t time) {
    struct rig *r = machine;
    if (time % 97 == 0)
        r->cpu.intr = true;
    return time - time % 97 + 97;
}
static int acknowledge(void *machine) {
    struct rig *r = machine;
    r->cpu.intr = false;
    return 0x20 + (int)(r->cpu.ticks % 8);
}

static const struct engine_host asks = {.acknowledge = acknowledge, .deadline = deadline};

static void prepare(struct rig *r, const uint8_t *code, size_t length, bool paging, bool flat) {
    static const uint8_t back[] = {0xFF, 0x05, 0x00, 0x08,
                                   0x01, 0x00, 0xCF};             /* inc [10800]; iret */
    static const uint8_t skip[] = {0x83, 0x04, 0x24, 0x01, 0xCF}; /* add dword [esp], 1; iret */
    rig_open(r, soft_open, 1 << 20);
    rig_flat(r, code, length);
    for (unsigned n = 0; n < 256; n++)
        rig_gate(r, n, 8, n >= 0x20 && n < 0x28 ? 0x12000 : 0x12100, 0x8E);
    rig_put(r, 0x12000, back, sizeof back);
    rig_put(r, 0x12100, skip, sizeof skip);
    if (paging) {
        rig_paging(r, 7);
        /* The tables out of the program's reach: how long a stale translation
         * lives is the one thing in which the two paths may differ. */
        rig_put32(r, PT_AT + 4 * (PD_AT >> 12), 0);
        rig_put32(r, PT_AT + 4 * (PT_AT >> 12), 0);
    }
    struct cpu_state *s = rig_get(r);
    s->regs.rbp = 0x18000;
    s->regs.rsi = 0x30000;
    s->regs.rdi = 0x31000;
    s->regs.rcx = 40;
    s->regs.rflags |= FLAG_IF;
    if (!flat)
        s->sregs.ds.base = s->sregs.es.base = 0x200;
    rig_set(r);
    r->cpu.host = (struct cpu_host){.context = r, .extra = &asks};
    r->cpu.step_irqs = true;
}

/* A watchpoint's hit is a step, too; of a repeated instruction a part. */
static enum cpu_exit_kind stepped(struct rig *r) {
    enum cpu_exit_kind kind = rig_step(r);
    return kind == CPU_EXIT_WATCHPOINT ? CPU_EXIT_STEPPED : kind;
}

static bool one_program(struct lockstep *l) {
    uint8_t code[1024];
    struct rig fast, slow;
    size_t length = program(code, sizeof code);
    bool paging = any() & 1, flat = any() & 1, same = true;
    prepare(&fast, code, length, paging, flat);
    prepare(&slow, code, length, paging, flat);
    if (any() & 1) {
        breakpoints_add(&slow.breakpoints, BP_WRITE, 0x18FF8, 4);
        breakpoints_add(&slow.breakpoints, BP_SOFT, 0x7FFF0, 1);
    }
    for (unsigned n = 0; same && n < 20; n++) {
        fast.cpu.limit = fast.cpu.ticks + 1 + any() % 400;
        slow.cpu.limit = fast.cpu.limit; /* it may come within a repeated instruction */
        enum cpu_exit_kind kind = rig_run(&fast), step = CPU_EXIT_STEPPED;
        while (slow.cpu.ticks < fast.cpu.ticks && step == CPU_EXIT_STEPPED)
            step = stepped(&slow);
        if (kind != CPU_EXIT_LIMIT && step == CPU_EXIT_STEPPED)
            step = stepped(&slow); /* what ended the other takes no count */
        l->steps = fast.cpu.ticks;
        same = lockstep_same(l, &fast, &slow);
        if (kind != CPU_EXIT_LIMIT) {
            same = same && kind == step;
            break;
        }
    }
    rig_close(&fast);
    rig_close(&slow);
    return same;
}

int main(int argc, char **argv) {
    unsigned programs = argc > 1 ? (unsigned)atoi(argv[1]) : unit_tries(300);
    seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 88172645463325252ull;
    for (unsigned n = 0; n < programs; n++) {
        struct lockstep l = {.parts = CPU_ALL, .memory = true};
        uint64_t began = seed;
        bool same = one_program(&l);
        CHECK(same);
        if (!same)
            fprintf(stderr, "seed %llu: %s\n", (unsigned long long)began, l.why);
    }
    return unit_end();
}
