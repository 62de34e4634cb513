/* Any bytes as a guest end in a fault, a stop or the limit; never in a crash or
 * hang of ours. `test_soft_fuzz [seconds] [seed]`: meant to run for minutes with
 * the sanitizers.
 */
#include <time.h>
#include <unistd.h>

#include "tests/lockstep/rig.h"
#include "unit.h"
#include "vmm/engines/soft/soft.h"

static uint64_t seed = 1;

static uint32_t any(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 16);
}

/* Bytes that lead further than chance: prefixes, and opcodes that touch state. */
static uint8_t byte(void) {
    static const uint8_t liked[] = {0x0F, 0x66, 0x67, 0xF3, 0x8E, 0xCF, 0xCD, 0x9A, 0xEA,
                                    0xCB, 0x9D, 0xA5, 0xA4, 0xFB, 0x22, 0x23, 0x01, 0x00,
                                    0x8B, 0x89, 0xC8, 0x17, 0x07, 0xEB, 0xE8, 0xC3, 0x64};
    return any() % 3 ? (uint8_t)any() : liked[any() % sizeof liked];
}

static enum io_result port(void *machine, uint16_t number, bool out, unsigned size, void *data) {
    (void)machine, (void)size;
    if (!out)
        *(uint8_t *)data = (uint8_t)any();
    return number == 0x60 ? IO_RETRY : number == 0x61 ? IO_STOP : IO_DONE;
}

static int acknowledge(void *machine) {
    (void)machine;
    return any() % 4 ? (int)(any() % 256) : -1;
}

static uint64_t deadline(void *machine, uint64_t time) {
    struct rig *r = machine;
    r->cpu.intr = any() & 1;
    return time + 1 + any() % 200;
}

static uint64_t idle(void *machine, uint64_t time) {
    struct rig *r = machine;
    r->cpu.intr = true;
    return any() % 4 ? time + 100 : 0;
}

static void scatter(struct rig *r, uint32_t from, uint32_t length) {
    for (uint32_t n = 0; n < length; n++) {
        uint8_t b = byte();
        rig_put(r, from + n, &b, 1);
    }
}

static void random_registers(struct rig *r) {
    struct cpu_state *s = rig_get(r);
    __u64 *const all[] = {&s->regs.rax, &s->regs.rcx, &s->regs.rdx, &s->regs.rbx,
                          &s->regs.rbp, &s->regs.rsi, &s->regs.rdi, &s->regs.r8,
                          &s->regs.r9,  &s->regs.r10, &s->regs.r11, &s->regs.r12,
                          &s->regs.r13, &s->regs.r14, &s->regs.r15};
    for (size_t n = 0; n < sizeof all / sizeof *all; n++)
        *all[n] = any() % 2 ? any() % 0x40000 : any() | (uint64_t)(any() % 3 ? 0 : any()) << 32;
    s->regs.rflags |= any() & 0x7FFFD7 & ~(uint32_t)FLAG_VM;
    s->debugregs.dr7 = any() % 4 ? 0x400 : any() | 0x400;
    s->debugregs.db[0] = any() % 0x40000;
    s->debugregs.db[1] = any() % 0x40000;
    rig_set(r);
}

static void tables(struct rig *r) {
    for (unsigned n = 0x30; n < 0x200; n += 8)
        rig_gdt(r, n, rig_descriptor(any() % 0x40000, any() & 0xFFFFF, any() & 0xFF, any() & 15));
    for (unsigned n = 0; n < 256; n++)
        rig_gate(r, n, (any() % 5 ? 8 : any() & 0x1FF), CODE_AT + any() % 4096,
                 any() % 4 ? 0x8E : any() & 0xFF);
}

/* Long mode, ring 0 or 3, with some of the tables' entries and gates at random. */
static void long_mode(struct rig *r) {
    uint8_t nop = 0x90;
    rig_long(r, &nop, 1);
    for (unsigned n = 0x110; n < 0x300; n += 8)
        rig_gdt(r, n, rig_descriptor(any() % 0x40000, any() & 0xFFFFF, any() & 0xFF, any() & 15));
    for (unsigned n = 0; n < 256; n++)
        rig_gate64(r, n, any() % 5 ? CODE64 : any() & 0x2FF, CODE_AT + any() % 4096,
                   any() % 4 ? 0x8E : any() & 0xFF, any() % 4 ? 0 : any() % 8);
    scatter(r, CODE_AT, 4096);
    for (unsigned n = any() % 8; n; n--)
        scatter(r, PML4_AT + any() % 0x3000, 8);
    struct cpu_state *s = rig_get(r);
    if (any() & 1) {
        s->sregs.cs = x86_descriptor(USER64 | 3, rig_descriptor(0, 0xFFFFF, 0xFB, 0xA));
        s->sregs.ss = x86_descriptor(USER_DATA | 3, rig_descriptor(0, 0xFFFFF, 0xF3, 0xC));
    }
    s->msrs.star = 0x00F000E000000000;
    s->msrs.lstar = CODE_AT + any() % 4096;
    s->sregs.cr4 |= any() & (CR4_SMEP | CR4_SMAP | CR4_UMIP | CR4_FSGSBASE);
    rig_set(r);
}

static const struct engine_host asks = {.acknowledge = acknowledge, .deadline = deadline, .idle = idle};

static void one_guest(void) {
    struct rig r;
    uint8_t nop = 0x90;
    rig_open(&r, soft_open, 1 << 20);
    r.cpu.host = (struct cpu_host){.context = &r, .io = port, .extra = &asks};
    if (any() % 3 == 0) {
        long_mode(&r);
    } else if (any() % 3 == 0) {
        rig_real(&r, &nop, 1, CODE_AT & 0xFFFF ? CODE_AT : 0x8000);
        scatter(&r, 0x8000, 4096);
        scatter(&r, 0, 1024);
    } else {
        rig_flat(&r, &nop, 1);
        tables(&r);
        scatter(&r, CODE_AT, 4096);
        if (any() & 1)
            rig_paging(&r, 7);
    }
    random_registers(&r);
    rig_get(&r)->regs.rcx &= any() % 4 ? 0xFFF : 0x3FFFF; /* a long REP is slow where nothing is */
    rig_set(&r);
    for (unsigned n = any() % 4; n; n--)
        breakpoints_add(&r.breakpoints, any() % 5, any() % 0x40000, 1 + any() % 64);
    for (unsigned n = 0; n < 8; n++) {
        r.cpu.limit = r.cpu.ticks + 1 + any() % 3000;
        enum cpu_exit_kind kind = any() % 3 ? rig_run(&r) : rig_step(&r);
        CHECK(kind <= CPU_EXIT_LIMIT);
        rig_get(&r);
        if (kind == CPU_EXIT_SHUTDOWN || kind == CPU_EXIT_HALTED)
            break;
    }
    rig_close(&r);
}

int main(int argc, char **argv) {
    double length = argc > 1 ? atof(argv[1]) : 2;
    seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 88172645463325252ull;
    time_t end = time(NULL) + (time_t)length;
    unsigned guests = 0;
    do {
        unit_limit(20); /* a hang of ours is a failure, too */
        one_guest();
        guests++;
    } while (time(NULL) < end);
    printf("%u guests\n", guests);
    return unit_end();
}
