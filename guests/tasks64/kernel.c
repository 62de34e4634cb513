/* tasks64: a kernel in long mode with two tasks in ring 3.
 *
 * What is shown: ring 3 by IRETQ; SYSCALL and SYSRET with SWAPGS; pages that hold no code (NX); a
 * stack of the interrupt stack table for #PF; and the FPU given from task to task only when one
 * wants it: at each switch CR0.TS is set, so the first use is an #NM, and the kernel saves the
 * registers of the task that had them (§13.4).
 */
#include "kernel.h"
#include "print.h"

enum { KERNEL_CODE = 0x08, KERNEL_DATA = 0x10, USER_DATA_SELECTOR = 0x1b, USER_CODE_SELECTOR = 0x23, TASK = 0x28 };
enum { VECTOR_NM = 7, VECTOR_PF = 14, VECTORS = 32 };
enum { TASKS = 2, STACK = 4096, PAGE = 4096, PAGES = 512 };

#define PTE_USER 4ull
#define PTE_NX   (1ull << 63)

extern uint64_t page_table[PAGES]; /* start.S: of the first 2 MiB */
extern char kernel_code_end[], user_code[], user_code_end[], user_data[], user_data_end[];
void syscall_entry(void), enter_user(void), device_not_available(void), page_fault(void);
void switch_stack(uint64_t *old, uint64_t new);

/* What FXSAVE writes (volume 1, 10.5.1). */
struct fpu_state {
    uint16_t control, status;
    uint8_t rest[20];
    uint32_t mxcsr;
    uint8_t registers[484];
} __attribute__((aligned(16)));

struct task {
    const char *name;
    uint64_t rsp;         /* of the kernel's stack, while another task runs */
    struct fpu_state fpu; /* while another task has the FPU */
    unsigned given;       /* how often it got the FPU */
    int over;
    uint8_t kernel_stack[STACK] __attribute__((aligned(16)));
};

static struct task tasks[TASKS] = {{.name = "sum"}, {.name = "product"}};
static struct task *now = &tasks[0], *fpu_owner;
USER_DATA static uint8_t user_stack[TASKS][STACK] __attribute__((aligned(16)));

/* --- the machine -------------------------------------------------------------------- */

static void out(uint16_t port, uint8_t value, uint8_t bl) {
    __asm__ volatile("outb %0, %1" : : "a"(value), "d"(port), "b"(bl));
}

void putchar(char c) {
    enum { HYPERCALL = 0x500, PUTCHAR = 1 };
    out(HYPERCALL, PUTCHAR, (uint8_t)c);
}

static void machine_exit(void) {
    enum { HYPERCALL = 0x500, EXIT = 0 };
    out(HYPERCALL, EXIT, 0);
}

static void write_msr(uint32_t index, uint64_t value) {
    __asm__ volatile("wrmsr" : : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

/* --- tables ------------------------------------------------------------------------- */

static struct __attribute__((packed)) {
    uint32_t reserved0;
    uint64_t rsp[3]; /* RSP0: the stack for what comes from ring 3 */
    uint64_t reserved1;
    uint64_t ist[7]; /* IST1 to IST7 */
    uint64_t reserved2;
    uint16_t reserved3, io_map;
} tss;

static uint64_t gdt[] = {
    0,
    0x00209a0000000000, /* 08: kernel code, L = 1 */
    0x0000920000000000, /* 10: kernel data */
    0x0000f20000000000, /* 18: user data, DPL 3; SYSRET wants it before the code */
    0x0020fa0000000000, /* 20: user code, DPL 3 */
    0, 0,               /* 28: the TSS, whose descriptor has 16 bytes (§7.2.3) */
};

static struct gate {
    uint16_t offset0, selector;
    uint8_t ist, type;
    uint16_t offset1;
    uint32_t offset2, reserved;
} idt[VECTORS];

static uint8_t fault_stack[STACK] __attribute__((aligned(16)));
static uint64_t kernel_gs[2]; /* entry.S */

static void set_gate(unsigned vector, void (*handler)(void), unsigned ist) {
    enum { INTERRUPT_GATE = 0x8e };
    uint64_t at = (uint64_t)handler;
    idt[vector] = (struct gate){.offset0 = (uint16_t)at, .selector = KERNEL_CODE, .ist = (uint8_t)ist,
                                .type = INTERRUPT_GATE, .offset1 = (uint16_t)(at >> 16),
                                .offset2 = (uint32_t)(at >> 32)};
}

static void load_tables(void) {
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } gdt_pointer = {sizeof gdt - 1, (uint64_t)gdt}, idt_pointer = {sizeof idt - 1, (uint64_t)idt};
    uint64_t base = (uint64_t)&tss;
    gdt[5] = (sizeof tss - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
    gdt[6] = base >> 32;
    tss.io_map = sizeof tss;
    tss.ist[0] = (uint64_t)(fault_stack + STACK);
    set_gate(VECTOR_NM, device_not_available, 0);
    set_gate(VECTOR_PF, page_fault, 1);
    __asm__ volatile("lgdt %0; lidt %1" : : "m"(gdt_pointer), "m"(idt_pointer));
    __asm__ volatile("mov %0, %%ss; ltr %1" : : "r"(KERNEL_DATA), "r"((uint16_t)TASK));
}

static void allow_syscall(void) {
    enum { STAR = 0xc0000081, LSTAR, CSTAR, FMASK, GS_BASE = 0xc0000101 };
    write_msr(STAR, (uint64_t)KERNEL_CODE << 32 | (KERNEL_DATA | 3ull) << 48); /* 3: AMD's SYSRET leaves RPL as it is */
    write_msr(LSTAR, (uint64_t)syscall_entry);
    write_msr(FMASK, 0x700); /* in the kernel no IF, no DF, no TF */
    write_msr(GS_BASE, (uint64_t)kernel_gs); /* the way to ring 3 swaps it away */
}

/* Ring 3 gets the pages of its code and of its data; what is not code is never executed. */
static void protect_pages(void) {
    uint64_t first_code = (uint64_t)user_code, first_data = (uint64_t)user_data;
    for (uint64_t at = 0; at < PAGES * PAGE; at += PAGE) {
        uint64_t *entry = &page_table[at / PAGE];
        if (at >= first_code && at < (uint64_t)user_code_end)
            *entry |= PTE_USER;
        else if (at >= first_data && at < (uint64_t)user_data_end)
            *entry |= PTE_USER | PTE_NX;
        else if (at >= (uint64_t)kernel_code_end)
            *entry |= PTE_NX;
    }
    __asm__ volatile("mov %%cr3, %%rax; mov %%rax, %%cr3" : : : "rax", "memory");
}

/* --- tasks -------------------------------------------------------------------------- */

/* Its stack is as if it had called switch_stack() from where enter_user() is called: the
 * registers, the return address, and then the frame for IRETQ. */
static void make_task(struct task *t, void (*program)(void), uint8_t *stack_end) {
    enum { REGISTERS = 6, FLAGS = 2, FRAME = 5 };
    uint64_t *sp = (uint64_t *)(t->kernel_stack + STACK) - FRAME;
    sp[0] = (uint64_t)program;
    sp[1] = USER_CODE_SELECTOR;
    sp[2] = FLAGS;
    sp[3] = (uint64_t)stack_end - 8; /* as after a CALL */
    sp[4] = USER_DATA_SELECTOR;
    *--sp = (uint64_t)enter_user;
    t->rsp = (uint64_t)(sp - REGISTERS);
    t->fpu.control = 0x37f; /* as FNINIT and a reset leave them */
    t->fpu.mxcsr = 0x1f80;
}

/* From here on the kernel's stack is that of `t`, and the FPU may be another's. */
static void prepare(struct task *t) {
    uint64_t cr0;
    now = t;
    kernel_gs[0] = tss.rsp[0] = (uint64_t)(t->kernel_stack + STACK);
    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    cr0 |= 8; /* TS */
    __asm__ volatile("mov %0, %%cr0" : : "r"(cr0));
}

static void switch_to_other(void) {
    struct task *old = now, *other = &tasks[now == &tasks[0]];
    if (other->over && old->over) {
        printf("tasks64: both are over; the FPU was given %u times\n",
               tasks[0].given + tasks[1].given);
        machine_exit();
    }
    if (other->over)
        return;
    prepare(other);
    switch_stack(&old->rsp, other->rsp);
}

/* From the #NM: the task that runs gets the FPU, and finds in it what it left there. */
void give_fpu(void);
void give_fpu(void) {
    __asm__ volatile("clts");
    if (fpu_owner == now)
        return;
    if (fpu_owner)
        __asm__ volatile("fxsave %0" : "=m"(fpu_owner->fpu));
    __asm__ volatile("fxrstor %0" : : "m"(now->fpu));
    fpu_owner = now;
    now->given++;
}

static void end_task(void) {
    now->over = 1;
    switch_to_other();
}

void system_call(uint64_t number, uint64_t argument);
void system_call(uint64_t number, uint64_t argument) {
    switch (number) {
    case SYS_YIELD: switch_to_other(); break;
    case SYS_REPORT:
        printf("tasks64: %s: %u.%u\n", now->name, (unsigned)(argument / 10), (unsigned)(argument % 10));
        break;
    case SYS_EXIT: end_task(); break;
    }
}

void end_by_page_fault(uint64_t code, uint64_t address);
void end_by_page_fault(uint64_t code, uint64_t address) {
    printf("tasks64: %s: page fault at %x, error code %x%s\n", now->name, (unsigned)address,
           (unsigned)code, code & 16 ? ": an instruction on a page that holds no code" : "");
    end_task();
}

void kernel_main(void);
void kernel_main(void) {
    uint64_t nobody;
    printf("tasks64: 64-bit code at %x\n", (unsigned)(uint64_t)kernel_main);
    load_tables();
    allow_syscall();
    protect_pages();
    make_task(&tasks[0], task_sum, user_stack[1]);
    make_task(&tasks[1], task_product, user_stack[1] + STACK);
    prepare(&tasks[0]);
    switch_stack(&nobody, tasks[0].rsp);
}
