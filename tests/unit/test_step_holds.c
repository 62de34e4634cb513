/* What holds a step on KVM: debug registers while there are some, int3s for the rest, in memory only
 * while the guest runs, and never where the instruction reads or writes. Without a KVM: what it can
 * do is said here, and entering the guest is a look at its memory. */
#include "tests/unit/unit.h"

#include "vmm/engines/kvm/debug/debug.h"
#include "vmm/memory/layout.h"
#include "vmm/x86/mode.h"
#include "vmm/x86/x86.h"

enum { RAM = 1 << 20, CODE = 0x8000, HANDLERS = 0x2000, HANDLER_SIZE = 16, STACK = 0x7000 };
enum { ALL_TAKEN = 0x4ff, NONE_TAKEN = 0x400 }; /* DR7: as watchpoints have them */

static struct kvm_traits traits;
const struct kvm_traits *__wrap_probe_traits(void);
const struct kvm_traits *__wrap_probe_traits(void) { return &traits; }

static struct memory memory;
static struct debugged_vcpu vcpu;
static struct cpu cpu;
static struct insn in;
static uint32_t held; /* vectors whose handler had an int3 while the guest ran */
static uint8_t at_next;
static uint64_t next, guest_writes;

int __wrap_debug_enter(struct cpu *, const struct kvm_guest_debug *);
int __wrap_debug_enter(struct cpu *c, const struct kvm_guest_debug *debug) {
    bool any = false;
    held = 0;
    at_next = c->memory->ram[next];
    for (unsigned n = 0; n < 32; n++)
        held |= (uint32_t)(c->memory->ram[HANDLERS + HANDLER_SIZE * n] == 0xcc) << n;
    any = held || at_next == 0xcc;
    CHECK(any == !!(debug->control & KVM_GUESTDBG_USE_SW_BP));
    if (guest_writes)
        c->memory->ram[guest_writes] = 0x55;
    return KVM_EXIT_DEBUG;
}

static uint64_t handler(unsigned vector) { return HANDLERS + HANDLER_SIZE * vector; }

/* In real mode, its handlers NOPs in RAM. */
static struct cpu_state *prepare(const char *code, size_t length) {
    struct cpu_state *s = &cpu.state;
    memory_clear(&memory);
    memset(memory.ram, 0x90, 0x10000);
    for (unsigned n = 0; n < 32; n++) {
        uint32_t entry = (uint32_t)handler(n);
        memory_write(&memory, 4 * n, &entry, sizeof entry);
    }
    memory_write(&memory, CODE, code, length);
    *s = (struct cpu_state){.regs = {.rip = CODE, .rsp = STACK, .rflags = 2}};
    s->sregs.cr0 = CR0_ET;
    s->sregs.cs = x86_real_segment(0, true);
    s->sregs.ds = s->sregs.es = s->sregs.ss = x86_real_segment(0, false);
    s->sregs.idt.limit = 0x3ff;
    traits = (struct kvm_traits){.exec_bp = true, .data_bp = true, .int3 = true};
    cpu.valid = CPU_ALL;
    cpu.dirty = 0;
    next = CODE + length;
    guest_writes = 0;
    return s;
}
#define PREPARE(code) prepare(code, sizeof code - 1)

static struct step_holds enter(uint64_t dr7, uint64_t end) {
    static uint8_t before[RAM];
    struct step_holds holds = {.debug.arch.debugreg[7] = dr7};
    insn_read(&memory, &cpu.state, CODE, &in);
    memcpy(before, memory.ram, RAM);
    if (end)
        step_hold_end(&cpu, &holds, &in, end);
    step_hold_handlers(&cpu, &holds, &in);
    CHECK(!memcmp(before, memory.ram, RAM)); /* not yet */
    step_enter(&cpu, &holds);
    if (guest_writes)
        before[guest_writes] = 0x55;
    CHECK(!memcmp(before, memory.ram, RAM));
    return holds;
}

#define FAULTS                                                                                     \
    (1u << VECTOR_DE | 1u << VECTOR_BR | 1u << VECTOR_UD | 1u << VECTOR_NM | 1u << VECTOR_DF |     \
     1u << VECTOR_TS | 1u << VECTOR_NP | 1u << VECTOR_SS | 1u << VECTOR_GP | 1u << VECTOR_PF |     \
     1u << VECTOR_MF | 1u << VECTOR_AC | 1u << VECTOR_XM)

static void registers_first(void) {
    PREPARE("\xf7\xf1"); /* div %cx */
    struct step_holds h = enter(NONE_TAKEN, 0);
    unsigned likely[] = {VECTOR_GP, VECTOR_PF, VECTOR_DE, VECTOR_UD};
    uint32_t in_registers = 0;
    for (unsigned n = 0; n < 4; n++) {
        CHECK(h.debug.arch.debugreg[n] == handler(likely[n]));
        in_registers |= 1u << likely[n];
    }
    CHECK(held == (FAULTS & ~in_registers));
    PREPARE("\xf7\xf1");
    enter(ALL_TAKEN, 0);
    CHECK(held == FAULTS);
}

static void where_it_reads(void) {
    PREPARE("\xa0\xd0\x20"); /* mov 0x20d0,%al: the handler of #GP */
    enter(ALL_TAKEN, 0);
    CHECK(held == (FAULTS & ~(1u << VECTOR_GP)));
    PREPARE("\x8a\x07")->regs.rbx = handler(VECTOR_UD); /* mov (%bx),%al: 128 bytes might be wide */
    enter(ALL_TAKEN, 0);
    CHECK(!(held & 1u << VECTOR_UD) && held & 1u << VECTOR_DE && held & 1u << VECTOR_XM);
    struct cpu_state *s = PREPARE("\xf3\xa4"); /* rep movsb, over all of them */
    s->regs.rsi = HANDLERS, s->regs.rdi = 0x9000, s->regs.rcx = 32 * HANDLER_SIZE;
    enter(ALL_TAKEN, 0);
    CHECK(held == 0);
    s = PREPARE("\xa4"); /* one byte, elsewhere */
    s->regs.rsi = 0x9000, s->regs.rdi = 0xa000, s->regs.rcx = 32 * HANDLER_SIZE;
    enter(ALL_TAKEN, 0);
    CHECK(held == FAULTS);
    PREPARE("\x58")->regs.rsp = handler(VECTOR_PF); /* pop %ax */
    enter(ALL_TAKEN, 0);
    CHECK(!(held & 1u << VECTOR_PF) && held & 1u << VECTOR_DE);
    PREPARE("\xd7"); /* xlat: its operand is not looked for */
    enter(ALL_TAKEN, 0);
    CHECK(held == 0);
}

/* MOV SS and POP SS end at an int3, however near the stack or another operand is. */
static void behind_ss(void) {
    PREPARE("\x8e\xd0"); /* mov %ax,%ss */
    enter(NONE_TAKEN, next);
    CHECK(at_next == 0xcc);
    PREPARE("\x17\x9c\x00\x80")->regs.rsp = CODE - 2; /* pop %ss; the rest is no operand of it */
    next = CODE + 1;
    enter(NONE_TAKEN, next);
    CHECK(at_next == 0xcc);
}

static void not_at_all(void) {
    PREPARE("\x0f\x0b");
    traits.int3 = false;
    enter(ALL_TAKEN, 0);
    CHECK(held == 0);
    PREPARE("\xcd\x30"); /* int $0x30, whose handler may be held by an int3 */
    next = 0x3000;
    enter(ALL_TAKEN, next);
    CHECK(at_next == 0xcc);
    PREPARE("\x0f\x0b");
    guest_writes = handler(VECTOR_UD); /* by another address */
    enter(ALL_TAKEN, 0);
}

int main(void) {
    CHECK(memory_open(&memory, RAM) == 0);
    cpu.memory = &memory;
    cpu.priv = &vcpu;
    registers_first();
    where_it_reads();
    behind_ss();
    not_at_all();
    memory_close(&memory);
    return unit_end();
}
