/* Faults, interrupts, system calls: from trap-entry.S to the part that they concern. */
#include "kernel.h"

enum { FAULTS = 20, PAGE_FAULT = 14, VECTORS = SYSCALL + 1, TIMER = IRQ_BASE, KEYBOARD = IRQ_BASE + 1 };

/* trap-entry.S; the first FAULTS of them in order */
extern const struct handler {
    uint32_t vector, entry;
    const char *title;
} handlers[], handlers_end[];

/* An interrupt gate (§6.11); its handler starts with interrupts off. */
static struct gate {
    uint16_t offset_low, selector;
    uint8_t zero, type; /* P, DPL, 0, type 14 */
    uint16_t offset_high;
} idt[VECTORS];
enum { GATE_KERNEL = 0x8e, GATE_USER = 0xee };

static void set_gate(const struct handler *h) {
    /* The one gate with DPL 3: from ring 3, `int` through any other is a #GP. */
    uint8_t type = h->vector == SYSCALL ? GATE_USER : GATE_KERNEL;
    idt[h->vector] =
        (struct gate){h->entry & 0xffff, KERNEL_CODE, 0, type, h->entry >> 16};
}

void trap_init(void) {
    for (const struct handler *h = handlers; h < handlers_end; h++)
        set_gate(h);
    struct __attribute__((packed)) { uint16_t limit; struct gate *base; } pointer =
        {sizeof idt - 1, idt};
    __asm__ volatile("lidt %0" : : "m"(pointer));
    printf("IDT: %d faults, 2 interrupts, system calls at 0x80\n", FAULTS);
}

static uint32_t fault_address(void) {
    uint32_t cr2;
    __asm__ volatile("movl %%cr2, %0" : "=r"(cr2));
    return cr2;
}

static void describe(const struct trap *t) {
    printf("\n%s", handlers[t->vector].title);
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
    /* else spurious: what a PIC says when a request has gone before it is asked
     * which; it waits for no end-of-interrupt */
}
