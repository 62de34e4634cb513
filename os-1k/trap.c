/* Faults, interrupts, system calls: from trap.S to the part that they concern. */
#include "kernel.h"

enum { PAGE_FAULT = 14, VECTORS = SYSCALL + 1, TIMER = IRQ_BASE, KEYBOARD = IRQ_BASE + 1 };

typedef void handler_function(void);
handler_function divide_error_handler, debug_handler, nmi_handler, breakpoint_handler,
    overflow_handler, bound_handler, invalid_opcode_handler, no_fpu_handler, double_fault_handler,
    fpu_segment_handler, invalid_tss_handler, segment_handler, stack_handler, protection_handler,
    page_fault_handler, reserved_handler, fpu_handler, alignment_handler, machine_check_handler,
    simd_handler, timer_handler, keyboard_handler, spurious_handler, syscall_handler;

static const struct {
    handler_function *handler;
    const char *name;
} faults[] = {
    {divide_error_handler, "Divide error"}, {debug_handler, "Debug trap"},
    {nmi_handler, "NMI"}, {breakpoint_handler, "Breakpoint"},
    {overflow_handler, "Overflow"}, {bound_handler, "BOUND range exceeded"},
    {invalid_opcode_handler, "Invalid opcode"}, {no_fpu_handler, "No FPU"},
    {double_fault_handler, "Double fault"}, {fpu_segment_handler, "FPU segment overrun"},
    {invalid_tss_handler, "Invalid TSS"}, {segment_handler, "Segment not present"},
    {stack_handler, "Stack fault"}, {protection_handler, "General protection fault"},
    {page_fault_handler, "Page fault"}, {reserved_handler, "Reserved"},
    {fpu_handler, "FPU error"}, {alignment_handler, "Alignment check"},
    {machine_check_handler, "Machine check"}, {simd_handler, "SIMD error"},
};
enum { FAULTS = sizeof faults / sizeof faults[0] };

/* An interrupt gate (§6.11); its handler starts with interrupts off. */
static struct gate {
    uint16_t offset_low, selector;
    uint8_t zero, type; /* P, DPL, 0, type 14 */
    uint16_t offset_high;
} idt[VECTORS];
enum { GATE_KERNEL = 0x8e, GATE_USER = 0xee };

static void set_gate(unsigned vector, handler_function *handler, uint8_t type) {
    uint32_t offset = (uint32_t)handler;
    idt[vector] = (struct gate){offset & 0xffff, KERNEL_CODE, 0, type, offset >> 16};
}

void trap_init(void) {
    for (unsigned vector = 0; vector < FAULTS; vector++)
        set_gate(vector, faults[vector].handler, GATE_KERNEL);
    set_gate(TIMER, timer_handler, GATE_KERNEL);
    set_gate(KEYBOARD, keyboard_handler, GATE_KERNEL);
    /* IRQ 7 is what a PIC says when a request has gone before it could ask who. */
    set_gate(IRQ_BASE + 7, spurious_handler, GATE_KERNEL);
    /* The one gate with DPL 3: from ring 3, `int` through any other is a #GP. */
    set_gate(SYSCALL, syscall_handler, GATE_USER);

    struct __attribute__((packed)) { uint16_t limit; struct gate *base; } pointer =
        {sizeof idt - 1, idt};
    __asm__ volatile("lidt %0" : : "m"(pointer));
    printf("IDT: %u faults, 2 interrupts, system calls at 0x80\n", FAULTS);
}

static uint32_t fault_address(void) {
    uint32_t cr2;
    __asm__ volatile("movl %%cr2, %0" : "=r"(cr2));
    return cr2;
}

static void describe(const struct trap *t) {
    printf("\n%s", faults[t->vector].name);
    if (t->vector == PAGE_FAULT) /* the bits of its error code: §4.7 */
        printf(": %s 0x%x, %s", t->error & 2 ? "write to" : "read from", fault_address(),
               t->error & 1 ? "not allowed" : "not present");
    printf(" (vector %u, error code 0x%x)\n", t->vector, t->error);
}

/* A program's fault is its own affair: the kernel goes on. */
static void program_fault(const struct trap *t) {
    describe(t);
    printf("Process %d (%s) ended.\n", current - processes, current->name);
    process_end();
}

/* A fault of the kernel's own: what it believes can't be trusted any more. */
static void kernel_fault(const struct trap *t) {
    describe(t);
    printf("in the kernel: eip 0x%x cs 0x%x eflags 0x%x cr2 0x%x\n", t->eip, t->cs, t->eflags,
           fault_address());
    printf("eax 0x%x ebx 0x%x ecx 0x%x edx 0x%x\n", t->eax, t->ebx, t->ecx, t->edx);
    printf("esi 0x%x edi 0x%x ebp 0x%x esp 0x%x\n", t->esi, t->edi, t->ebp, (uint32_t)&t->esp);
    printf("The machine is stopped.\n");
    for (;;)
        __asm__ volatile("cli; hlt");
}

static void interrupt(unsigned irq) {
    pic_done(irq); /* before schedule(), which may come back much later */
    if (irq == 0)
        timer_tick();
    else
        keyboard_interrupt();
    schedule();
}

void trap(struct trap *t) {
    bool from_user = t->cs & 3;
    if (t->vector == SYSCALL)
        syscall(t);
    else if (t->vector == TIMER || t->vector == KEYBOARD)
        interrupt(t->vector - IRQ_BASE);
    else if (t->vector < FAULTS && from_user)
        program_fault(t);
    else if (t->vector < FAULTS)
        kernel_fault(t);
}
