/* The kernel's C begins here, and becomes the idle process when all is set up. */
#include "kernel.h"

/* Runs when no one else can. Halting lets the machine rest until an interrupt;
 * it comes after the hlt and not before it, because sti holds interrupts off for
 * one more instruction (SDM Vol. 2B, STI). */
static void wait_for_interrupt(void) {
    __asm__ volatile("sti; hlt; cli" : : : "memory");
}

static void start_shell(void) {
    if (process_create("shell", shell_image))
        return;
    printf("no memory for the shell\n");
    machine_exit(1);
}

void kernel_main(void) {
    console_init();
    printf("higher half: the kernel runs above 0x%x\n", KERNEL_BASE);
    printf("identity map: dropped, address 0 is a page fault now\n");
    trap_init();
    pic_init();
    timer_init();
    keyboard_init();
    task_init();
    memory_init();
    process_init();
    printf("ring 3: starting the shell\n");
    for (;;) {
        if (process_count() > 0) {
            wait_for_interrupt();
            keyboard_watch();
        } else {
            start_shell(); /* the first time, and after a fault: nobody else would */
        }
        schedule();
    }
}
