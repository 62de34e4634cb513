/* What the parts of the kernel know of each other. The kernel runs with
 * interrupts off, but for the idle process when it halts; so nothing here needs
 * a lock.
 */
#ifndef OS_KERNEL_H
#define OS_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "abi.h"
#include "layout.h"
#include "print.h"

/* The stack that a handler in trap-entry.S builds, from the lowest address up. */
struct trap {
    uint32_t es, ds;
    uint32_t edi, esi, ebp, kernel_esp, ebx, edx, ecx, eax;
    uint32_t vector, error;
    uint32_t eip, cs, eflags;
    uint32_t esp, ss; /* only when it came from ring 3 */
};

struct process {
    enum { FREE, READY, WAITING } state;
    const char *name;
    uint32_t *directory;    /* its address space */
    uint32_t stack_top;     /* of its kernel stack */
    uint32_t stack_pointer; /* into it, while another process runs */
};

/* boot.S and trap-entry.S; these addresses are physical */
extern uint64_t gdt[];
extern uint32_t page_directory[];
void enter_user(void);
void context_switch(uint32_t *save, uint32_t load, uint32_t directory);
extern const uint8_t shell_image[];

void kernel_main(void) __attribute__((noreturn));

/* console.c */
void console_init(void);
void machine_exit(uint8_t status) __attribute__((noreturn));

/* memory.c: pages of 4 KiB, by their addresses in the higher half */
void memory_init(void);
void *page_alloc(void); /* all zeros; NULL when there is none left */
void page_free(void *);
unsigned memory_free(void); /* in KiB */

/* paging.c: address spaces */
enum { PAGE_PRESENT = 1, PAGE_WRITE = 2, PAGE_USER = 4 };
uint32_t *space_create(void);
void space_destroy(uint32_t *directory);
void space_use(const uint32_t *directory);
void *space_map(uint32_t *directory, uint32_t linear, unsigned flags); /* a fresh page */
bool space_has(const uint32_t *directory, uint32_t linear, uint32_t length);

/* trap.c, pic.c */
void trap_init(void);
void trap(struct trap *);
void pic_init(void);
void pic_done(unsigned irq);

/* timer.c, keyboard.c */
extern volatile uint32_t ticks;
void timer_init(void);
void timer_tick(void);
enum { KEY_NONE = -1, KEY_END = -2 };
void keyboard_init(void);
void keyboard_interrupt(void);
void keyboard_watch(void);
int keyboard_take(void);

/* process.c */
enum { PROCESS_MAX = 4 };
extern struct process processes[PROCESS_MAX], *current;
void task_init(void);
void process_init(void);
bool process_create(const char *name, const uint8_t *elf);
unsigned process_count(void); /* without the idle process */
void process_end(void);       /* the current one; does not come back */
void process_wake(void);      /* all that wait for a key */
void schedule(void);

/* syscall.c */
void syscall(struct trap *);

static inline void *higher_half_of(const void *physical) {
    return (char *)physical + KERNEL_BASE;
}

static inline uint32_t physical(const void *p) {
    return (uint32_t)p - KERNEL_BASE;
}

static inline void outb(uint16_t port, uint8_t value) {
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t inb(uint16_t port) {
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

#endif
