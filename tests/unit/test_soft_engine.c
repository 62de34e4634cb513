/* The built-in CPU and what is around it, as engine.h and cpu.h say: what it asks of devices and
 * of the machine, and what the past of a machine asks of it.
 */
#include "tests/lockstep/rig.h"
#include "unit.h"
#include "vmm/cpu/service.h"
#include "vmm/engines/soft/soft.h"
#include "vmm/engines/soft/state.h"
#include "vmm/x86/cpuid.h"
#include "vmm/x86/fpu.h"

enum { RAM = 1 << 20, NOWHERE = 2 << 20, HOLE = 4 << 20 }; /* HOLE: a device's, NOWHERE: nobody's */

static struct rig r;

/* What the machine was told, and what it answers. */
static struct {
    enum io_result mmio;
    unsigned accesses, size;
    bool write, answer;
    uint64_t phys, linear;
    unsigned unassigned, vector, asked;
    bool asserted, stepping;
    char came[80];
    enum io_result served;
} m;

static enum io_result mmio(void *context, uint64_t phys, bool write, unsigned size, void *data) {
    (void)context;
    if (phys < HOLE)
        return IO_NOBODY;
    m.accesses++;
    m.phys = phys, m.write = write, m.size = size;
    if (!write && m.mmio != IO_RETRY)
        memset(data, 0x5A, size);
    return m.mmio;
}
static void unassigned(void *context, enum cpu_access access, uint64_t phys, unsigned size) {
    (void)context, (void)access;
    m.unassigned++;
    m.phys = phys, m.size = size;
}
static bool astray(void *context, const char *came, bool stepping, char *text, size_t size) {
    (void)context;
    m.asked++;
    m.stepping = stepping;
    snprintf(m.came, sizeof m.came, "%s", came ? came : "");
    snprintf(text, size, "astray");
    return m.answer;
}
static bool stops_at_int(void *context, unsigned vector, uint64_t linear, char *text, size_t size) {
    (void)context;
    m.vector = vector, m.linear = linear;
    snprintf(text, size, "a call");
    return m.answer;
}
static bool ferr(void *context, bool asserted) {
    (void)context;
    m.asked++;
    m.asserted = asserted;
    return m.answer;
}
static enum io_result port(void *context, uint16_t number, bool out, unsigned size, void *data) {
    (void)context, (void)number, (void)size, (void)data;
    return out ? IO_SERVICE : IO_DONE;
}
static enum io_result service(void *context) {
    (void)context;
    static const uint8_t written[] = {1, 2, 3, 4};
    m.asked++;
    cpu_write(&r.cpu, CPU_REGS)->regs.rbx = 0x1234;
    service_write(&r.cpu, 0x30000, written, sizeof written);
    return m.served;
}

static const struct engine_host asks = {.unassigned = unassigned, .astray = astray,
                                        .stops_at_int = stops_at_int, .ferr = ferr};

#define FLAT(...)                                                                                  \
    do {                                                                                           \
        static const uint8_t code_[] = {__VA_ARGS__};                                              \
        memset(&m, 0, sizeof m);                                                                   \
        rig_open(&r, soft_open, RAM);                                                              \
        rig_flat(&r, code_, sizeof code_);                                                         \
        r.cpu.host = (struct cpu_host){.context = &m, .io = port, .mmio = mmio, .service = service,\
                                       .extra = &asks};                                            \
    } while (0)

static struct kvm_regs *regs(void) {
    return &rig_get(&r)->regs;
}
static void put64(uint64_t at, uint64_t value) {
    rig_put(&r, at, &value, 8);
}

/* --- devices in memory --- */

/* mov eax, [HOLE+4]; mov [HOLE], ax; hlt */
#define ACCESSES 0xA1, 0x04, 0x00, 0x40, 0x00, 0x66, 0xA3, 0x00, 0x00, 0x40, 0x00, 0xF4
static void test_device(void) {
    FLAT(ACCESSES);
    m.mmio = IO_RETRY;
    CHECK(rig_run(&r) == CPU_EXIT_WAITING && regs()->rip == CODE_AT && r.cpu.ticks == 0);
    m.mmio = IO_DONE;
    CHECK(rig_step(&r) == CPU_EXIT_STEPPED && regs()->rax == 0x5A5A5A5A);
    CHECK(m.phys == HOLE + 4 && m.size == 4 && !m.write);
    m.mmio = IO_STOP;
    CHECK(rig_run(&r) == CPU_EXIT_DEVICE && regs()->rip == CODE_AT + 11);
    CHECK(m.phys == HOLE && m.size == 2 && m.write && m.accesses == 3);
    CHECK(rig_run(&r) == CPU_EXIT_HALTED && !m.unassigned);
    rig_close(&r);
}

/* fld dword [HOLE]; hlt. The device may look at the CPU amid it. */
static void test_device_of_x87(void) {
    FLAT(0xD9, 0x05, 0x00, 0x00, 0x40, 0x00, 0xF4);
    m.mmio = IO_DONE;
    CHECK(rig_run(&r) == CPU_EXIT_HALTED && m.accesses == 1 && m.size == 4);
    const struct fpu_image *f = fpu_of(rig_get(&r));
    CHECK(f->fsw == 0x3800 && f->ftw == 0x80 && f->st[0].w[4] == 0x4034); /* 5A5A5A5A: 1.7 * 2^53 */
    rig_close(&r);
}

static void test_nobody(void) {
    FLAT(0xA1, 0x04, 0x00, 0x20, 0x00); /* mov eax, [NOWHERE+4] */
    CHECK(rig_step(&r) == CPU_EXIT_STEPPED && regs()->rax == 0xFFFFFFFF);
    CHECK(m.unassigned == 1 && m.phys == NOWHERE + 4 && m.size == 4);
    rig_close(&r);
    FLAT(0x90);
    rig_paging(&r, 0x67);
    rig_put32(&r, PD_AT, NOWHERE | 0x67); /* a table of page tables that is not there: ones */
    rig_step(&r);
    CHECK(m.unassigned > 0);
    rig_close(&r);
}

/* --- execution that has gone astray --- */

static void test_zeros(void) {
    FLAT(0x90);
    struct cpu_state *s = rig_get(&r);
    s->regs.rip = 0x50000;
    s->regs.rax = 0x30000;
    rig_set(&r);
    CHECK(rig_step(&r) == CPU_EXIT_STEPPED && m.asked == 1 && m.stepping && regs()->rip == 0x50002);
    m.answer = true;
    CHECK(rig_run(&r) == CPU_EXIT_RUNAWAY && !m.stepping && regs()->rip == 0x50002);
    CHECK_STR(r.exit.text, "astray");
    rig_close(&r);
}

static void test_empty_vector(void) {
    static const uint8_t call[] = {0xCD, 0x21};
    FLAT(0x90);
    rig_real(&r, call, sizeof call, 0x5000);
    m.answer = true;
    CHECK(rig_run(&r) == CPU_EXIT_RUNAWAY && regs()->rip == 0 && rig_get(&r)->sregs.cs.selector == 0);
    CHECK_STR(m.came, "int 0x21 at 0000:00005000");
    rig_close(&r);
}

/* --- a stop before INT --- */

static void test_stops_at_int(void) {
    FLAT(0xCD, 0x80);
    uint8_t halt = 0xF4;
    rig_gate(&r, 0x80, 8, 0x12000, 0x8E);
    rig_put(&r, 0x12000, &halt, 1);
    r.cpu.catch.calls = m.answer = true;
    CHECK(rig_run(&r) == CPU_EXIT_EVENT && regs()->rip == CODE_AT && r.cpu.ticks == 0);
    CHECK(m.vector == 0x80 && m.linear == CODE_AT);
    CHECK_STR(r.exit.text, "a call");
    m.answer = false;
    CHECK(rig_run(&r) == CPU_EXIT_HALTED && regs()->rip == 0x12001);
    rig_close(&r);
}

/* --- FERR# and IGNNE# (Vol. 1 §8.7.2) --- */

/* fld1; fld1; fnclex; hlt: with a zero divide that is pending and not masked. */
static void test_ferr(void) {
    FLAT(0xD9, 0xE8, 0xD9, 0xE8, 0xDB, 0xE2, 0xF4);
    struct cpu_state *s = rig_get(&r);
    fpu_of(s)->fcw = 0x37B;
    fpu_of(s)->fsw = 0xB884;
    rig_set(&r);
    CHECK(rig_run(&r) == CPU_EXIT_HALTED && regs()->rip == CODE_AT && m.asserted);
    m.answer = true; /* IGNNE# */
    s = rig_get(&r);
    s->mp.mp_state = KVM_MP_STATE_RUNNABLE;
    rig_set(&r);
    rig_step(&r);
    CHECK(regs()->rip == CODE_AT + 2 && m.asserted && fpu_of(rig_get(&r))->fsw == 0xB084);
    rig_step(&r);
    CHECK(fpu_of(rig_get(&r))->fcw == 0x37B && (fpu_of(rig_get(&r))->fsw & 0x3884) == 0x2884);
    CHECK(rig_run(&r) == CPU_EXIT_HALTED && regs()->rip == CODE_AT + 7 && !m.asserted);
    rig_close(&r);
}

/* --- a service --- */

static void test_service(void) {
    FLAT(0xE6, 0x80, 0x90, 0xE6, 0x80, 0xF4); /* out 80, al; nop; out; hlt */
    CHECK(rig_step(&r) == CPU_EXIT_STEPPED && m.asked == 1 && regs()->rbx == 0x1234);
    CHECK(rig_get32(&r, 0x30000) == 0x04030201);
    m.served = IO_STOP;
    CHECK(rig_run(&r) == CPU_EXIT_DEVICE && m.asked == 2 && regs()->rip == CODE_AT + 5);
    rig_close(&r);
    FLAT(0xE6, 0x80, 0xF4);
    breakpoints_add(&r.breakpoints, BP_WRITE, 0x30002, 1);
    CHECK(rig_run(&r) == CPU_EXIT_WATCHPOINT && r.exit.address == 0x30002);
    CHECK(regs()->rip == CODE_AT + 2 && r.cpu.watched_by == BY_INSTRUCTION);
    CHECK(r.cpu.watch_icount == r.cpu.ticks - 1);
    rig_close(&r);
}

/* --- watchpoints by physical address --- */

static void test_physical(void) {
    FLAT(0xA3, 0x00, 0x10, 0x03, 0x00, 0xF4); /* mov [31000], eax: the page of 30000, too */
    rig_paging(&r, 0x67);
    rig_put32(&r, PT_AT + 4 * 0x31, 0x30067);
    r.breakpoints.physical = true;
    breakpoints_add(&r.breakpoints, BP_WRITE, 0x30000, 4);
    CHECK(rig_run(&r) == CPU_EXIT_WATCHPOINT && r.exit.address == 0x30000);
    CHECK(r.cpu.watched_by == BY_INSTRUCTION);
    rig_close(&r);
    FLAT(0xA3, 0x00, 0x10, 0x03, 0x00, 0xF4); /* it sets the entry's dirty bit */
    rig_paging(&r, 0x27);
    r.breakpoints.physical = true;
    breakpoints_add(&r.breakpoints, BP_WRITE, PT_AT + 4 * 0x31, 4);
    CHECK(rig_run(&r) == CPU_EXIT_WATCHPOINT && r.exit.address == PT_AT + 4 * 0x31);
    CHECK(r.cpu.watched_by == BY_PAGING && (rig_get32(&r, PT_AT + 4 * 0x31) & 0x40));
    rig_close(&r);
}

static void test_pushed_by_delivery(void) {
    FLAT(0x0F, 0x0B); /* ud2: what the fault pushes */
    rig_gate(&r, 6, 8, 0x12000, 0x8E);
    breakpoints_add(&r.breakpoints, BP_WRITE, STACK_AT - 4, 4);
    CHECK(rig_run(&r) == CPU_EXIT_WATCHPOINT && r.cpu.watched_by == BY_DELIVERY);
    rig_close(&r);
}

/* --- the TLBs, which are part of a snapshot (4.10) --- */

/* mov rax, [200000]; jmp back */
static const uint8_t reads[] = {0x48, 0x8B, 0x04, 0x25, 0, 0, 0x20, 0, 0xEB, 0xF6};
static void map_200000(uint64_t entry) {
    put64(0x83000, entry);
}
static void begin_long(void) {
    FLAT(0x90);
    rig_long(&r, reads, sizeof reads);
    put64(PD64_AT + 8, 0x83067);
    map_200000(0x40167);
    put64(0x40000, 5);
    put64(0x50000, 6);
}
static uint64_t read_again(void) {
    rig_step(&r);
    rig_step(&r);
    return regs()->rax;
}

static void test_tlb_kept(void) {
    size_t size;
    begin_long();
    CHECK(read_again() == 5);
    map_200000(0x50067);
    CHECK(read_again() == 5); /* stale */
    void *saved = r.cpu.engine->save_tlb(&r.cpu, &size);
    r.cpu.engine->flush(&r.cpu);
    CHECK(read_again() == 6);
    r.cpu.engine->load_tlb(&r.cpu, saved);
    CHECK(read_again() == 5); /* as stale as before, */
    struct cpu_state *s = rig_get(&r);
    s->regs.rip = CODE_AT;
    rig_set(&r);
    CHECK(read_again() == 5);
    r.cpu.engine->flush(&r.cpu);
    CHECK(read_again() == 6);
    free(saved);
    rig_close(&r);
}

/* An instruction on two pages is decoded once, too. */
static void test_two_pages(void) {
    static const uint8_t code[] = {0x05, 1, 0, 0, 0, 0xEB, 0xF9}; /* add eax, 1; jmp */
    FLAT(0xE9, 0xFA, 0x0F, 0x00, 0x00);                           /* to its last byte */
    rig_put(&r, CODE_AT + 0xFFF, code, sizeof code);
    r.cpu.limit = 100;
    CHECK(rig_run(&r) == CPU_EXIT_LIMIT);
    struct soft *s = r.cpu.priv;
    s->pending = 0;
    s->horizon = 1000;
    const struct op *op = ops_at(s, CODE_AT + 0xFFF);
    CHECK(op != s->nothing && op->end == 5);
    rig_close(&r);
}

/* A write to a page is noted by the first of many; when the notes are cleared, so by the next. */
static void test_see_writes(void) {
    uint64_t dirty[RAM / PAGE_SIZE / 64] = {0}, page = 0x30;
    FLAT(0xA3, 0x00, 0x00, 0x03, 0x00, 0xA3, 0x04, 0x00, 0x03, 0x00, 0xEB, 0xF4); /* mov twice; jmp */
    r.memory.dirty = dirty;
    rig_step(&r);
    CHECK(dirty[page / 64] >> page % 64 & 1);
    rig_step(&r);
    memset(dirty, 0, sizeof dirty);
    r.cpu.engine->see_writes(&r.cpu);
    rig_step(&r);
    rig_step(&r);
    CHECK(dirty[page / 64] >> page % 64 & 1);
    r.memory.dirty = NULL;
    rig_close(&r);
}

/* --- state in parts --- */

static void test_parts(void) {
    FLAT(0x90);
    static const unsigned parts[] = {CPU_REGS, CPU_SREGS, CPU_DEBUGREGS, CPU_EVENTS,
                                     CPU_FPU,  CPU_MSRS,  CPU_MP};
    for (unsigned n = 0; n < sizeof parts / sizeof *parts; n++) {
        struct cpu_state before = *rig_get(&r);
        r.cpu.valid = 0;
        memset(&r.cpu.state, 0xA5, sizeof r.cpu.state);
        r.cpu.ops->fetch(&r.cpu, parts[n]);
        CHECK(r.cpu.valid & parts[n]);
        r.cpu.ops->store(&r.cpu, parts[n]); /* and nothing of the rest */
        CHECK(!memcmp(&rig_get(&r)->regs, &before.regs, sizeof before.regs));
        CHECK(!memcmp(&r.cpu.state.sregs, &before.sregs, sizeof before.sregs));
        CHECK(!memcmp(fpu_of(&r.cpu.state), fpu_of(&before), sizeof(struct fpu_image)));
        CHECK(r.cpu.state.mp.mp_state == before.mp.mp_state);
    }
    rig_close(&r);
}

/* --- what it says of itself --- */

static void test_about(void) {
    char text[400];
    FLAT(0x90, 0x90);
    CHECK(!r.cpu.engine->refuses(&r.cpu, BP_WRITE, 0x30000, 4));
    rig_step(&r);
    rig_step(&r);
    r.cpu.engine->describe(&r.cpu, text, sizeof text);
    CHECK(strstr(text, "instructions done: 2\n"));
    rig_close(&r);
}

static void test_missing_feature(void) {
    struct cpuid_choice choice = {0};
    struct cpu cpu = {.memory = &r.memory, .breakpoints = &r.breakpoints, .cpuid = &choice};
    struct engine_options options = {0};
    char error[256] = "";
    memset(&r, 0, sizeof r);
    memory_open(&r.memory, RAM);
    CHECK(engine_soft.open(&cpu, &options, error, sizeof error) == 0);
    cpu.engine->close(&cpu);
    choice.on = ~0ull << FEATURES; /* no CPU has it */
    CHECK(engine_soft.open(&cpu, &options, error, sizeof error) < 0 && !cpu.priv);
    CHECK(strstr(error, "the built-in CPU does not have"));
    memory_close(&r.memory);
}

int main(void) {
    test_device();
    test_device_of_x87();
    test_nobody();
    test_zeros();
    test_empty_vector();
    test_stops_at_int();
    test_ferr();
    test_service();
    test_physical();
    test_pushed_by_delivery();
    test_tlb_kept();
    test_two_pages();
    test_see_writes();
    test_parts();
    test_about();
    test_missing_feature();
    return unit_end();
}
