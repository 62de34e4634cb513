/* Output: the first serial port. And the end of the machine. */
#include "kernel.h"

enum { COM1 = 0x3f8, LINE_CONTROL = COM1 + 3, LINE_STATUS = COM1 + 5 };
enum { EIGHT_BITS = 3, DIVISOR_LATCH = 0x80, READY_TO_SEND = 0x20 };

void console_init(void) {
    outb(LINE_CONTROL, DIVISOR_LATCH);
    outb(COM1, 1); /* 115200 baud */
    outb(COM1 + 1, 0);
    outb(LINE_CONTROL, EIGHT_BITS);
    outb(COM1 + 1, 0); /* no interrupts: the line is always ready soon */
}

void putchar(char c) {
    while (!(inb(LINE_STATUS) & READY_TO_SEND))
        continue;
    outb(COM1, c);
}

/* The hypercall EXIT: AL = 0, BL = status. Where there is no hypervisor to
 * listen, the machine halts for good. */
void machine_exit(uint8_t status) {
    __asm__ volatile("outb %%al, %%dx" : : "a"(0), "b"(status), "d"(0x500));
    for (;;)
        __asm__ volatile("cli; hlt");
}
