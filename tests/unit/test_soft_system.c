/* The built-in CPU's system instructions: descriptor looks, tables, MSRs, CPUID,
 * SYSENTER, I/O rights; large pages; and events that come from outside.
 */
#include "soft_handlers.h"
#include "unit.h"
#include "vmm/engines/soft/soft.h"
#include "vmm/x86/descriptor.h"
#include "vmm/x86/mode.h"

#define FLAT(...)                                                                                  \
    do {                                                                                           \
        static const uint8_t code_[] = {__VA_ARGS__};                                              \
        rig_open(&r, soft_open, 16 << 20);                                                         \
        rig_flat(&r, code_, sizeof code_);                                                         \
        handlers();                                                                                \
    } while (0)

static struct kvm_regs *regs(void) {
    return &rig_get(&r)->regs;
}
static void steps(unsigned n) {
    while (n--)
        rig_step(&r);
}
static bool zf(void) {
    return regs()->rflags & FLAG_ZF;
}

static void ring3(unsigned iopl) {
    struct cpu_state *s = rig_get(&r);
    s->sregs.cs = x86_descriptor(0x1B, rig_descriptor(0, 0xFFFFF, 0xFB, 0xC));
    s->sregs.ss = s->sregs.ds = s->sregs.es =
        x86_descriptor(0x23, rig_descriptor(0, 0xFFFFF, 0xF3, 0xC));
    s->regs.rflags |= iopl << 12;
    rig_set(&r);
}

static void test_looks(void) {
    FLAT(0xB8, 0x10, 0, 0, 0, 0x0F, 0x02, 0xD8, 0x0F, 0x03, 0xC8, /* lar ebx, eax; lsl ecx, eax */
         0x0F, 0x00, 0xE0, 0x0F, 0x00, 0xE8, 0xB0, 0x08, 0x0F, 0x00, 0xE8, /* verr; verw; al = 8; verw */
         0xB8, 0xF8, 0x0F, 0, 0, 0x0F, 0x02, 0xD8);                        /* lar of nothing */
    steps(3);
    CHECK(regs()->rbx == 0xCF9300 && regs()->rcx == 0xFFFFFFFF);
    steps(1);
    CHECK(zf());
    steps(1);
    CHECK(zf());
    steps(2);
    CHECK(!zf());
    steps(2);
    CHECK(!zf() && regs()->rbx == 0xCF9300);
    rig_close(&r);
    FLAT(0xB8, 0x08, 0, 0, 0, 0xBB, 3, 0, 0, 0, 0x63, 0xD8, 0x63, 0xD8); /* arpl ax, bx */
    steps(3);
    CHECK(regs()->rax == 0x0B && zf());
    steps(1);
    CHECK(regs()->rax == 0x0B && !zf());
    rig_close(&r);
}

static void test_tables(void) {
    FLAT(0x0F, 0x01, 0x05, 0, 0, 0x20, 0, 0x0F, 0x01, 0x0D, 8, 0, 0x20, 0, /* sgdt; sidt */
         0x0F, 0x01, 0x1D, 0x10, 0, 0x20, 0,                               /* lidt */
         0x66, 0xB8, 0x38, 0, 0x0F, 0x00, 0xD0, 0x0F, 0x00, 0xC3,          /* lldt ax; sldt ebx */
         0x66, 0xB8, 0x30, 0, 0x0F, 0x00, 0xD8, 0x0F, 0x00, 0xC9,          /* ltr ax; str ecx */
         0x0F, 0x01, 0xE2, 0x0F, 0x06);                                    /* smsw edx; clts */
    rig_gdt(&r, 0x30, rig_descriptor(TSS_AT, 0x67, 0x89, 0));
    rig_gdt(&r, 0x38, rig_descriptor(0x5000, 0xFF, 0x82, 0));
    rig_put32(&r, 0x200010, 0x20000123);
    steps(2);
    CHECK(rig_get32(&r, 0x200000) == 0x10000FFF && rig_get32(&r, 0x200008) == 0x200007FF);
    steps(1);
    CHECK(rig_get(&r)->sregs.idt.limit == 0x123 && r.cpu.state.sregs.idt.base == 0x2000);
    steps(6);
    CHECK(regs()->rbx == 0x38 && regs()->rcx == 0x30);
    CHECK(rig_get(&r)->sregs.ldt.base == 0x5000 && r.cpu.state.sregs.tr.type == 11);
    CHECK(rig_get32(&r, GDT_AT + 0x34) >> 8 & 2);
    steps(2);
    CHECK(regs()->rdx == (CR0_PE | CR0_ET));
    rig_close(&r);
    FLAT(0x66, 0xB8, 0x10, 0, 0x0F, 0x00, 0xD8); /* ltr of a data segment */
    CHECK(vector_reached() == VECTOR_GP && stacked(0) == 0x10);
    rig_close(&r);
    FLAT(0x66, 0xB8, 0x08, 0, 0x0F, 0x01, 0xF0); /* lmsw: TS on, PE stays */
    steps(2);
    CHECK(rig_get(&r)->sregs.cr0 == (CR0_PE | CR0_TS | CR0_ET));
    rig_close(&r);
}

static void test_control(void) {
    FLAT(0x0F, 0x20, 0xE0, 0x83, 0xC8, 0x01, 0x0F, 0x22, 0xE0); /* cr4.VME is not announced */
    CHECK(vector_reached() == VECTOR_GP && stacked(1) == CODE_AT + 6);
    rig_close(&r);
    FLAT(0xB8, 0, 0, 0, 0x80, 0x0F, 0x22, 0xC0); /* PG without PE */
    CHECK(vector_reached() == VECTOR_GP);
    rig_close(&r);
    FLAT(0xB8, 0, 0x40, 0, 0, 0x0F, 0x22, 0xD8, 0x0F, 0x20, 0xDB, 0x0F, 0x22, 0xD0, 0x0F, 0x20, 0xD1);
    r.cpu.catch.cr3 = true;
    CHECK(rig_run(&r) == CPU_EXIT_EVENT);
    CHECK_STR(r.exit.text, "cr3 from 0 to 0x4000");
    steps(3);
    CHECK(regs()->rbx == 0x4000 && regs()->rcx == 0x4000);
    rig_close(&r);
    FLAT(0x0F, 0x22, 0xC0);
    ring3(0);
    CHECK(vector_reached() == VECTOR_GP);
    rig_close(&r);
    FLAT(0xFA);
    ring3(0);
    CHECK(vector_reached() == VECTOR_GP);
    rig_close(&r);
}

static void test_msrs(void) {
    FLAT(0x31, 0xC0, 0x0F, 0xA2, 0x0F, 0x31, 0xB9, 0x74, 1, 0, 0, 0xB8, 8, 0, 0, 0, 0x31, 0xD2,
         0x0F, 0x30, 0x31, 0xC0, 0x0F, 0x32, 0xB9, 0x1B, 0, 0, 0, 0x0F, 0x32);
    steps(2);
    CHECK(regs()->rax == 7 && regs()->rbx == 0x756E6547);
    steps(1);
    CHECK(regs()->rax == 2 && regs()->rdx == 0);
    steps(6);
    CHECK(regs()->rax == 8 && rig_get(&r)->msrs.sysenter_cs == 8);
    CHECK(vector_reached() == VECTOR_GP); /* no APIC */
    rig_close(&r);
    FLAT(0x0F, 0x34);
    struct cpu_state *s = rig_get(&r);
    s->msrs.sysenter_cs = 8;
    s->msrs.sysenter_esp = 0x1F000;
    s->msrs.sysenter_eip = 0x12F00;
    s->regs.rdx = CODE_AT;
    s->regs.rcx = STACK_AT;
    rig_set(&r);
    static const uint8_t back[] = {0x0F, 0x35};
    rig_put(&r, 0x12F00, back, 2);
    ring3(0);
    steps(1);
    s = rig_get(&r);
    CHECK(s->regs.rip == 0x12F00 && s->regs.rsp == 0x1F000 && s->sregs.ss.selector == 0x10);
    CHECK(x86_cpl(&s->sregs) == 0);
    steps(1);
    s = rig_get(&r);
    CHECK(s->regs.rip == CODE_AT && s->sregs.cs.selector == 0x1B && x86_cpl(&s->sregs) == 3);
    rig_close(&r);
}

static enum io_result answer;
static uint32_t last_out;
static enum io_result port(void *machine, uint16_t number, bool out, unsigned size, void *data) {
    (void)machine, (void)number;
    if (answer == IO_RETRY)
        return IO_RETRY;
    uint32_t in = 0x11223344;
    memcpy(out ? (void *)&last_out : data, out ? data : &in, size);
    return answer;
}

static void test_ports(void) {
    FLAT(0xE4, 0x60, 0xE7, 0x80, 0xF3, 0x6D, 0xF3, 0x6E, 0xF4);
    struct cpu_state *s = rig_get(&r);
    s->regs.rdi = s->regs.rsi = 0x200000;
    s->regs.rcx = 3;
    s->regs.rax = 0xAABBCCDD;
    rig_set(&r);
    r.cpu.host.io = port;
    answer = IO_RETRY;
    CHECK(rig_run(&r) == CPU_EXIT_WAITING && regs()->rip == CODE_AT && r.cpu.ticks == 0);
    answer = IO_DONE;
    steps(1);
    CHECK(regs()->rax == 0xAABBCC44);
    answer = IO_STOP;
    CHECK(rig_run(&r) == CPU_EXIT_DEVICE && regs()->rip == CODE_AT + 4 && last_out == 0xAABBCC44);
    CHECK(rig_run(&r) == CPU_EXIT_DEVICE && regs()->rcx == 2 && regs()->rip == CODE_AT + 4);
    answer = IO_DONE;
    CHECK(rig_run(&r) == CPU_EXIT_HALTED && rig_get32(&r, 0x200008) == 0x11223344);
    rig_close(&r);
    /* ring 3 by the I/O map: port 0x80 allowed, 0x81 not */
    FLAT(0xE6, 0x80, 0xE6, 0x81);
    rig_gdt(&r, 0x28, rig_descriptor(TSS_AT, 0x97, 0x8B, 0));
    rig_get(&r)->sregs.tr.limit = 0x97;
    rig_set(&r);
    rig_put32(&r, TSS_AT + 0x64, 0x68u << 16);
    rig_put32(&r, TSS_AT + 0x68 + 16, 0xFFFFFFFE);
    ring3(0);
    CHECK(vector_reached() == VECTOR_GP && stacked(1) == CODE_AT + 2);
    rig_close(&r);
}

static void test_large_pages(void) {
    FLAT(0xA3, 0, 0, 0x50, 0, 0xA1, 0, 0, 0x80, 0); /* mov [500000], eax; mov eax, [800000] */
    rig_paging(&r, 7);
    rig_put32(&r, PD_AT + 4, 0x400000 | 0x83);
    rig_put32(&r, PD_AT + 8, 0x800000 | 0x2000 | 0x83); /* a reserved bit */
    struct cpu_state *s = rig_get(&r);
    s->sregs.cr4 |= CR4_PSE;
    s->regs.rax = 77;
    rig_set(&r);
    steps(1);
    CHECK(rig_get32(&r, 0x500000) == 77 && (rig_get32(&r, PD_AT + 4) & 0x60) == 0x60);
    CHECK(vector_reached() == VECTOR_PF && stacked(0) == 9);
    rig_close(&r);
}

static void test_nested_task(void) {
    /* int 0x40 through a task gate, and iret back by the link */
    FLAT(0xCD, 0x40, 0xF4);
    uint32_t at = 0x4000;
    uint8_t back = 0xCF;
    rig_gdt(&r, 0x30, rig_descriptor(at, 0x67, 0x89, 0));
    rig_gate(&r, 0x40, 0x30, 0, 0x85);
    rig_put32(&r, at + 0x20, 0x13F00);
    rig_put32(&r, at + 0x24, 2);
    rig_put32(&r, at + 0x38, STACK_AT - 0x2000);
    for (uint32_t n = 0x48; n <= 0x5C; n += 4)
        rig_put32(&r, at + n, n == 0x4C ? 8 : 0x10);
    rig_put(&r, 0x13F00, &back, 1);
    steps(1);
    CHECK(regs()->rip == 0x13F00 && regs()->rflags & FLAG_NT);
    CHECK((rig_get32(&r, at) & 0xFFFF) == 0x28 && r.cpu.state.sregs.tr.selector == 0x30);
    steps(1);
    CHECK(regs()->rip == CODE_AT + 2 && !(regs()->rflags & FLAG_NT));
    CHECK(rig_get(&r)->sregs.tr.selector == 0x28 && (rig_get32(&r, GDT_AT + 0x34) >> 8 & 15) == 9);
    rig_close(&r);
}

static void test_from_outside(void) {
    FLAT(0xEB, 0xFE);
    r.cpu.engine->kick(&r.cpu);
    CHECK(rig_run(&r) == CPU_EXIT_KICKED);
    rig_get(&r)->events.nmi.pending = 1;
    rig_set(&r);
    CHECK(vector_reached() == VECTOR_NMI && rig_get(&r)->events.nmi.masked);
    rig_close(&r);
    FLAT(0x90);
    struct cpu_state *s = rig_get(&r);
    s->events.exception.injected = 1;
    s->events.exception.nr = VECTOR_PF;
    s->events.exception.has_error_code = 1;
    s->events.exception.error_code = 6;
    s->sregs.cr2 = 0x1234;
    rig_set(&r);
    CHECK(vector_reached() == VECTOR_PF && stacked(0) == 6 && rig_get(&r)->sregs.cr2 == 0x1234);
    rig_close(&r);
}

int main(void) {
    test_looks();
    test_tables();
    test_control();
    test_msrs();
    test_ports();
    test_large_pages();
    test_nested_task();
    test_from_outside();
    return unit_end();
}
