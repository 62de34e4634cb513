/* The built-in CPU's system side: modes, segments, gates, tasks, paging,
 * interrupts, debug registers, and the debugger's points and steps.
 */
#include "soft_handlers.h"
#include "unit.h"
#include "vmm/cpu/engine.h"
#include "vmm/engines/soft/soft.h"
#include "vmm/x86/descriptor.h"
#include "vmm/x86/mode.h"

static void flat(const void *code, size_t length) {
    rig_open(&r, soft_open, 4 << 20);
    rig_flat(&r, code, length);
}
#define FLAT(...)                                                                                  \
    do {                                                                                           \
        static const uint8_t code_[] = {__VA_ARGS__};                                              \
        flat(code_, sizeof code_);                                                                 \
    } while (0)
#define REAL(...)                                                                                  \
    do {                                                                                           \
        static const uint8_t code_[] = {__VA_ARGS__};                                              \
        rig_open(&r, soft_open, 4 << 20);                                                          \
        rig_real(&r, code_, sizeof code_, 0x1000);                                                 \
    } while (0)

static uint64_t rip(void) {
    return rig_get(&r)->regs.rip;
}

static void ring3(void) {
    struct cpu_state *s = rig_get(&r);
    s->sregs.cs = x86_descriptor(0x1B, rig_descriptor(0, 0xFFFFF, 0xFB, 0xC));
    s->sregs.ss = s->sregs.ds = s->sregs.es =
        x86_descriptor(0x23, rig_descriptor(0, 0xFFFFF, 0xF3, 0xC));
    rig_set(&r);
}

static void test_decode(void) {
    uint8_t longest[16];
    memset(longest, 0x66, 14);
    longest[14] = 0x90;
    longest[15] = 0xF4;
    flat(longest, 16);
    CHECK(rig_step(&r) == CPU_EXIT_STEPPED && rip() == CODE_AT + 15);
    rig_close(&r);
    memset(longest, 0x66, 15);
    flat(longest, 16);
    handlers();
    CHECK(vector_reached() == VECTOR_GP);
    CHECK(stacked(0) == 0 && stacked(1) == CODE_AT);
    rig_close(&r);
    FLAT(0xF0, 0x01, 0xC8); /* lock add eax, ecx */
    handlers();
    CHECK(vector_reached() == VECTOR_UD);
    rig_close(&r);
    FLAT(0x0F, 0x0B);
    handlers();
    CHECK(vector_reached() == VECTOR_UD && stacked(0) == CODE_AT);
    CHECK(stacked(2) & FLAG_RF);
    rig_close(&r);
    FLAT(0xD9, 0xC0);
    handlers();
    rig_get(&r)->sregs.cr0 |= CR0_EM;
    rig_set(&r);
    CHECK(vector_reached() == VECTOR_NM);
    rig_close(&r);
}

static void test_segments(void) {
    FLAT(0x66, 0xB8, 0x30, 0x00, 0x8E, 0xD8, 0xA1, 0x0D, 0x10, 0x00,
         0x00); /* ds = 30; mov eax, [100D] */
    handlers();
    rig_gdt(&r, 0x30, rig_descriptor(0, 0x100F, 0x92, 4));
    CHECK(vector_reached() == VECTOR_GP);
    CHECK(rig_get32(&r, GDT_AT + 0x34) >> 8 & 1); /* accessed now */
    CHECK(rig_get(&r)->sregs.ds.selector == 0x30 && r.cpu.state.sregs.ds.limit == 0x100F);
    rig_close(&r);
    FLAT(0x66, 0xB8, 0x30, 0x00, 0x8E, 0xD0); /* ss = a read-only segment */
    handlers();
    rig_gdt(&r, 0x30, rig_descriptor(0, 0xFFFFF, 0x90, 0xC));
    CHECK(vector_reached() == VECTOR_GP && stacked(0) == 0x30);
    rig_close(&r);
    FLAT(0x31, 0xC0, 0x8E, 0xC0, 0x26, 0xA1, 0, 0, 0, 0); /* es = 0; mov eax, es:[0] */
    handlers();
    CHECK(vector_reached() == VECTOR_GP);
    rig_close(&r);
    /* expand-down: below the limit faults, above reads */
    FLAT(0x66, 0xB8, 0x30, 0x00, 0x8E, 0xD8, 0xA1, 0x00, 0x20, 0x00, 0x00, 0xA1, 0x00, 0x10, 0x00,
         0x00);
    handlers();
    rig_gdt(&r, 0x30, rig_descriptor(0, 0x1FFF, 0x96, 4));
    CHECK(vector_reached() == VECTOR_GP && stacked(1) == CODE_AT + 11);
    rig_close(&r);
    /* not present */
    FLAT(0x66, 0xB8, 0x30, 0x00, 0x8E, 0xD8);
    handlers();
    rig_gdt(&r, 0x30, rig_descriptor(0, 0xFFFFF, 0x12, 0xC));
    CHECK(vector_reached() == VECTOR_NP && stacked(0) == 0x30);
    rig_close(&r);
}

static void test_big_real(void) {
    /* lgdt-less: from flat protected mode back to real, 32-bit data limit kept */
    FLAT(0x0F, 0x20, 0xC0, 0x24, 0xFE, 0x0F, 0x22, 0xC0, /* PE = 0 */
         0xC7, 0x05, 0x00, 0x00, 0x20, 0x00, 0x78, 0x56, 0x34, 0x12, 0xF4);
    CHECK(rig_run(&r) == CPU_EXIT_HALTED);
    CHECK(rig_get32(&r, 0x200000) == 0x12345678);
    CHECK(x86_mode(&rig_get(&r)->sregs, 2) == MODE_REAL);
    rig_close(&r);
    REAL(0xB8, 0x00, 0x20, 0x8E, 0xD8, 0xC6, 0x06, 0x10, 0x00, 0x5A, 0xF4);
    CHECK(rig_run(&r) == CPU_EXIT_HALTED && (rig_get32(&r, 0x20010) & 0xFF) == 0x5A);
    rig_close(&r);
}

static void test_gates(void) {
    /* int 0x80 from ring 3 and back; a far call through a call gate with one parameter */
    FLAT(0xCD, 0x80, 0x6A, 0x77, 0x9A, 0, 0, 0, 0, 0x33, 0x00, 0x90);
    static const uint8_t back[] = {0xCF}, gate_code[] = {0x8B, 0x44, 0x24, 0x08, 0xCA, 0x04, 0x00};
    rig_gate(&r, 0x80, 8, 0x12000, 0xEE);
    rig_put(&r, 0x12000, back, 1);
    rig_put(&r, 0x12100, gate_code, sizeof gate_code);
    rig_gdt(&r, 0x30, 0x2100ull | 8ull << 16 | 1ull << 32 | 0xECull << 40 | 1ull << 48);
    ring3();
    CHECK(rig_step(&r) == CPU_EXIT_STEPPED && rip() == 0x12000);
    struct cpu_state *s = rig_get(&r);
    CHECK(s->regs.rsp == STACK_AT - 0x1000 - 20 && x86_cpl(&s->sregs) == 0);
    CHECK(stacked(0) == CODE_AT + 2 && stacked(1) == 0x1B && stacked(3) == STACK_AT &&
          stacked(4) == 0x23);
    rig_step(&r);
    CHECK(rip() == CODE_AT + 2 && x86_cpl(&rig_get(&r)->sregs) == 3);
    rig_step(&r);
    rig_step(&r);
    s = rig_get(&r);
    CHECK(s->regs.rip == 0x12100 && s->sregs.cs.selector == 8 && stacked(2) == 0x77);
    rig_step(&r);
    CHECK(rig_get(&r)->regs.rax == 0x77);
    rig_step(&r);
    s = rig_get(&r);
    CHECK(s->regs.rip == CODE_AT + 11 && s->regs.rsp == STACK_AT && x86_cpl(&s->sregs) == 3);
    rig_close(&r);
    FLAT(0xCD, 0x81); /* a gate of ring 0 from ring 3 */
    handlers();
    ring3();
    CHECK(vector_reached() == VECTOR_GP && stacked(0) == 0x81 * 8 + 2);
    rig_close(&r);
}

static void test_task_switch(void) {
    FLAT(0xEA, 0, 0, 0, 0, 0x30, 0x00, 0xF4); /* jmp 30:0, a TSS */
    static const uint8_t task[] = {0x90, 0xEA, 0, 0, 0, 0, 0x28, 0x00};
    uint32_t at = 0x4000;
    rig_gdt(&r, 0x28, rig_descriptor(TSS_AT, 0x67, 0x8B, 0));
    rig_gdt(&r, 0x30, rig_descriptor(at, 0x67, 0x89, 0));
    rig_put32(&r, at + 0x20, 0x12000);
    rig_put32(&r, at + 0x24, 2);
    rig_put32(&r, at + 0x28, 0xABCD);
    rig_put32(&r, at + 0x38, STACK_AT - 0x2000);
    rig_put32(&r, at + 0x4C, 8);
    for (uint32_t n = 0x48; n <= 0x5C; n += 4)
        if (n != 0x4C)
            rig_put32(&r, at + n, 0x10);
    rig_put(&r, 0x12000, task, sizeof task);
    CHECK(rig_step(&r) == CPU_EXIT_STEPPED);
    struct cpu_state *s = rig_get(&r);
    CHECK(s->regs.rip == 0x12000 && s->regs.rax == 0xABCD && s->regs.rsp == STACK_AT - 0x2000);
    CHECK(s->sregs.tr.selector == 0x30 && s->sregs.tr.type == 11 && s->sregs.cr0 & CR0_TS);
    CHECK(rig_get32(&r, TSS_AT + 0x20) == CODE_AT + 7);
    CHECK((rig_get32(&r, GDT_AT + 0x2C) >> 8 & 15) == 9 &&
          (rig_get32(&r, GDT_AT + 0x34) >> 8 & 15) == 11);
    rig_step(&r);
    rig_step(&r);
    s = rig_get(&r);
    CHECK(s->regs.rip == CODE_AT + 7 && s->sregs.tr.selector == 0x28 && s->regs.rsp == STACK_AT);
    rig_close(&r);
}

static void test_page_bits(void) {
    FLAT(0xA1, 0x00, 0x00, 0x20, 0x00, 0xA3, 0x00, 0x10, 0x20, 0x00, 0xA1, 0x00, 0x20, 0x20, 0x00);
    handlers();
    rig_paging(&r, 7);
    rig_put32(&r, PT_AT + 4 * 0x202, 0);
    rig_step(&r);
    CHECK((rig_get32(&r, PT_AT + 4 * 0x200) & 0x60) == 0x20);
    rig_step(&r);
    CHECK((rig_get32(&r, PT_AT + 4 * 0x201) & 0x60) == 0x60 && rig_get32(&r, PD_AT) & 0x20);
    CHECK(vector_reached() == VECTOR_PF && stacked(0) == 0 && stacked(1) == CODE_AT + 10);
    CHECK(rig_get(&r)->sregs.cr2 == 0x202000);
    rig_close(&r);
}

/* Read-only in ring 0: allowed without WP; the TLB is stale until invlpg. */
static void test_stale_tlb(void) {
    FLAT(0xC7, 0x05, 0, 0, 0x20, 0, 1, 0, 0, 0, /* mov [200000], 1 */
         0xC7, 0x05, 0, 0, 0x20, 0, 2, 0, 0, 0, /* the page is gone in memory: still done */
         0x0F, 0x01, 0x3D, 0, 0, 0x20, 0,       /* invlpg */
         0xC7, 0x05, 0, 0, 0x20, 0, 3, 0, 0, 0);
    handlers();
    rig_paging(&r, 7);
    rig_put32(&r, PT_AT + 4 * 0x200, 0x200005);
    rig_step(&r);
    CHECK(rig_get32(&r, 0x200000) == 1);
    rig_put32(&r, PT_AT + 4 * 0x200, 0);
    rig_step(&r);
    CHECK(rig_get32(&r, 0x200000) == 2);
    CHECK(vector_reached() == VECTOR_PF && stacked(0) == 2 && rig_get32(&r, 0x200000) == 2);
    rig_close(&r);
}

static void test_write_protect(void) {
    FLAT(0xC7, 0x05, 0, 0, 0x20, 0, 1, 0, 0, 0);
    handlers();
    rig_paging(&r, 7);
    rig_put32(&r, PT_AT + 4 * 0x200, 0x200005);
    rig_get(&r)->sregs.cr0 |= CR0_WP;
    rig_set(&r);
    CHECK(vector_reached() == VECTOR_PF && stacked(0) == 3);
    rig_close(&r);
}

/* A store over two pages of which the second is not there. */
static void test_store_across_pages(void) {
    FLAT(0xC7, 0x05, 0xFE, 0x0F, 0x20, 0, 1, 1, 1, 1);
    handlers();
    rig_paging(&r, 7);
    rig_put32(&r, PT_AT + 4 * 0x201, 0);
    CHECK(vector_reached() == VECTOR_PF && rig_get32(&r, 0x200FFC) == 0);
    CHECK(rig_get(&r)->sregs.cr2 == 0x201000);
    rig_close(&r);
}

static bool line;
static int acknowledge(void *machine) {
    (void)machine;
    r.cpu.intr = line = false;
    return 0x20;
}
static uint64_t deadline(void *machine, uint64_t time) {
    (void)machine;
    if (time >= 5 && line)
        r.cpu.intr = true;
    return time < 5 ? 5 : UINT64_MAX;
}
static uint64_t idle(void *machine, uint64_t time) {
    (void)machine;
    r.cpu.intr = line;
    return line ? time + 1000 : 0;
}

static const struct engine_host asks = {.acknowledge = acknowledge, .deadline = deadline, .idle = idle};
static const struct engine_host asks_2 = {.acknowledge = acknowledge};

static void test_interrupts(void) {
    FLAT(0xFB, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0xF4); /* at count 5 exactly */
    handlers();
    line = true;
    r.cpu.host = (struct cpu_host){.extra = &asks};
    CHECK(vector_reached() == 0x20 && stacked(0) == CODE_AT + 5);
    rig_close(&r);
    FLAT(0xFB, 0x90, 0x90); /* sti's shadow */
    handlers();
    r.cpu.host = (struct cpu_host){.extra = &asks_2};
    r.cpu.intr = true;
    CHECK(vector_reached() == 0x20 && stacked(0) == CODE_AT + 2);
    rig_close(&r);
    FLAT(0xFB, 0xF4, 0x90); /* hlt sleeps; the interrupt comes after it */
    handlers();
    line = true;
    r.cpu.host = (struct cpu_host){.extra = &asks};
    r.cpu.intr = false;
    CHECK(vector_reached() == 0x20 && stacked(0) == CODE_AT + 2 && r.cpu.ticks > 1000);
    CHECK(rig_run(&r) == CPU_EXIT_HALTED); /* still */
    CHECK(rig_get(&r)->mp.mp_state == KVM_MP_STATE_HALTED);
    rig_close(&r);
    FLAT(0xF4);
    CHECK(rig_run(&r) == CPU_EXIT_HALTED && rip() == CODE_AT + 1);
    rig_close(&r);
}

static void test_shadow_state(void) {
    FLAT(0x8E, 0xD0, 0x90);
    rig_get(&r)->regs.rax = 0x10;
    rig_set(&r);
    rig_step(&r);
    CHECK(rig_get(&r)->events.interrupt.shadow == KVM_X86_SHADOW_INT_MOV_SS);
    rig_step(&r);
    CHECK(rig_get(&r)->events.interrupt.shadow == 0);
    rig_close(&r);
}

/* A single step's trap that waits for MOV SS goes with the state to another CPU. */
static void test_trap_moves(void) {
    FLAT(0x8E, 0xD0, 0x90);
    rig_get(&r)->regs.rax = 0x10;
    r.cpu.state.regs.rflags |= FLAG_TF;
    rig_set(&r);
    rig_step(&r);
    struct cpu_state moved = *rig_get(&r);
    CHECK(moved.events.exception.pending && !(moved.debugregs.dr6 & DR6_BS));
    rig_close(&r);
    FLAT(0x8E, 0xD0, 0x90);
    handlers();
    *rig_get(&r) = moved;
    r.cpu.state.regs.rflags &= ~(uint64_t)FLAG_TF; /* it is that trap, no new one */
    rig_set(&r);
    CHECK(vector_reached() == VECTOR_DB && stacked(0) == CODE_AT + 3);
    CHECK(rig_get(&r)->debugregs.dr6 & DR6_BS);
    rig_close(&r);
}

static void test_debug_registers(void) {
    FLAT(0x90, 0xC7, 0x05, 0, 0, 0x20, 0, 1, 0, 0, 0, 0x90, 0x90);
    handlers();
    struct cpu_state *s = rig_get(&r);
    s->debugregs.db[0] = 0x200002;
    s->debugregs.dr7 = 0x400 | 1 | 5u << 16; /* write, 2 bytes */
    rig_set(&r);
    CHECK(vector_reached() == VECTOR_DB && stacked(0) == CODE_AT + 11);
    CHECK((rig_get(&r)->debugregs.dr6 & 15) == 1);
    rig_close(&r);
    FLAT(0x90, 0x90, 0x90);
    handlers();
    s = rig_get(&r);
    s->debugregs.db[1] = CODE_AT + 1;
    s->debugregs.dr7 = 0x400 | 4;
    rig_set(&r);
    CHECK(vector_reached() == VECTOR_DB && stacked(0) == CODE_AT + 1);
    CHECK((rig_get(&r)->debugregs.dr6 & 15) == 2);
    rig_close(&r);
    FLAT(0x68, 2, 1, 0, 0, 0x9D, 0x90, 0x90); /* popf with TF: after the next one */
    handlers();
    CHECK(vector_reached() == VECTOR_DB && stacked(0) == CODE_AT + 7);
    CHECK(rig_get(&r)->debugregs.dr6 & DR6_BS);
    rig_close(&r);
    FLAT(0x0F, 0x23, 0xF8); /* mov dr7, eax with GD */
    handlers();
    rig_get(&r)->debugregs.dr7 = 0x2400;
    rig_set(&r);
    CHECK(vector_reached() == VECTOR_DB && stacked(0) == CODE_AT);
    CHECK(rig_get(&r)->debugregs.dr6 & 1 << 13 && !(r.cpu.state.debugregs.dr7 & 1 << 13));
    rig_close(&r);
}

static void test_breakpoints(void) {
    FLAT(0x41, 0x41, 0xC7, 0x05, 0xFE, 0, 0x20, 0, 1, 0, 0, 0, 0xA1, 0, 1, 0x20, 0, 0xEB, 0xED);
    breakpoints_add(&r.breakpoints, BP_SOFT, CODE_AT + 1, 1);
    CHECK(rig_run(&r) == CPU_EXIT_BREAKPOINT && r.exit.address == CODE_AT + 1);
    CHECK(r.breakpoints.list[0].mechanism == BP_BY_COMPARE);
    CHECK(rig_get(&r)->regs.rcx == 1);
    CHECK(rig_run(&r) == CPU_EXIT_BREAKPOINT && rig_get(&r)->regs.rcx == 1); /* still there */
    r.cpu.arrival = (struct cpu_arrival){ARRIVAL_DONE, CODE_AT + 1};
    CHECK(rig_run(&r) == CPU_EXIT_BREAKPOINT && rig_get(&r)->regs.rcx == 3);
    CHECK(!cpu_passes(&r.cpu, CODE_AT + 1));
    breakpoints_remove(&r.breakpoints, BP_SOFT, CODE_AT + 1, 1);
    breakpoints_add(&r.breakpoints, BP_WRITE, 0x200100, 64);
    CHECK(rig_run(&r) == CPU_EXIT_WATCHPOINT && r.exit.address == 0x200100);
    CHECK(rip() == CODE_AT + 12 && r.exit.point == BP_WRITE);
    breakpoints_add(&r.breakpoints, BP_READ, 0x200101, 1);
    CHECK(rig_step(&r) == CPU_EXIT_WATCHPOINT && r.exit.point == BP_READ &&
          r.exit.address == 0x200101);
    breakpoints_clear(&r.breakpoints);
    r.cpu.limit = r.cpu.ticks + 1001;
    CHECK(rig_run(&r) == CPU_EXIT_LIMIT && r.cpu.ticks == r.cpu.limit);
    rig_close(&r);
    FLAT(0xF3, 0xAA, 0xF4); /* rep stosb: stops at that iteration; one step is all of it */
    struct cpu_state *s = rig_get(&r);
    s->regs.rcx = 0x3000;
    s->regs.rdi = 0x200000;
    rig_set(&r);
    breakpoints_add(&r.breakpoints, BP_WRITE, 0x200010, 1);
    CHECK(rig_run(&r) == CPU_EXIT_WATCHPOINT && rig_get(&r)->regs.rdi == 0x200011);
    CHECK(rip() == CODE_AT);
    CHECK(rig_step(&r) == CPU_EXIT_STEPPED && rig_get(&r)->regs.rcx == 0 && rip() == CODE_AT + 2);
    rig_close(&r);
}

static void test_self_modifying(void) {
    /* mov byte [next instruction's opcode], 0x43: inc eax becomes inc ebx at once */
    FLAT(0x90, 0xC6, 0x05, 0x08, 0x00, 0x01, 0x00, 0x43, 0x40, 0xF4);
    CHECK(rig_run(&r) == CPU_EXIT_HALTED);
    CHECK(rig_get(&r)->regs.rax == 0 && r.cpu.state.regs.rbx == 1);
    rig_close(&r);
}

static void test_shutdown_and_catch(void) {
    FLAT(0x0F, 0x0B);
    rig_get(&r)->sregs.idt.limit = 0;
    rig_set(&r);
    CHECK(rig_run(&r) == CPU_EXIT_SHUTDOWN && rip() == CODE_AT);
    CHECK_STR(r.exit.text,
              "#GP(0x43) while delivering #DF(0) while delivering #GP(0x6b) while "
              "delivering #GP(0x33) while delivering #UD at 0008:00010000: triple fault");
    rig_close(&r);
    FLAT(0x0F, 0x0B);
    handlers();
    r.cpu.catch.exception[0] = 1 << VECTOR_UD;
    CHECK(rig_run(&r) == CPU_EXIT_EVENT && rip() == 0x12000 + 16 * VECTOR_UD);
    CHECK_STR(r.exit.text, "#UD at 0008:00010000");
    rig_close(&r);
    FLAT(0x0F, 0x20, 0xC0, 0x24, 0xFE, 0x0F, 0x22, 0xC0, 0xF4);
    r.cpu.catch.mode = true;
    CHECK(rig_run(&r) == CPU_EXIT_EVENT && rip() == CODE_AT + 8);
    CHECK_STR(r.exit.text, "mode from PROT32 to REAL16");
    rig_close(&r);
}

static void test_vm86(void) {
    FLAT(0xCF); /* iret into virtual-8086 mode; there, int 0x21 faults with IOPL 0 */
    static const uint8_t code[] = {0xB8, 0x00, 0x30, 0x8E, 0xD8, 0xCD, 0x21};
    static const uint32_t frame[] = {0x10, 0x5000, FLAG_VM | 2, 0x100, 0x6000, 1, 2, 3, 4};
    handlers();
    rig_put(&r, 0x50010, code, sizeof code);
    rig_put(&r, STACK_AT - sizeof frame, frame, sizeof frame);
    rig_get(&r)->regs.rsp = STACK_AT - sizeof frame;
    rig_set(&r);
    rig_step(&r);
    struct cpu_state *s = rig_get(&r);
    CHECK(x86_mode(&s->sregs, s->regs.rflags) == MODE_VM86 && s->sregs.es.base == 0x10);
    CHECK(vector_reached() == VECTOR_GP);
    CHECK(stacked(0) == 0 && stacked(1) == 0x15 && stacked(2) == 0x5000 && stacked(3) & FLAG_VM);
    CHECK(stacked(4) == 0x100 && stacked(7) == 0x3000 && rig_get(&r)->sregs.ds.unusable);
    rig_close(&r);
}

int main(void) {
    test_decode();
    test_segments();
    test_big_real();
    test_gates();
    test_task_switch();
    test_page_bits();
    test_stale_tlb();
    test_write_protect();
    test_store_across_pages();
    test_interrupts();
    test_shadow_state();
    test_trap_moves();
    test_debug_registers();
    test_breakpoints();
    test_self_modifying();
    test_shutdown_and_catch();
    test_vm86();
    return unit_end();
}
