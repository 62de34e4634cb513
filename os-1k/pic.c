/* The two 8259 interrupt controllers. After a reset the first one's vectors are
 * those that the CPU has for its own faults (IRQ 0 would be a double fault), so
 * they are moved up to IRQ_BASE. Only the timer and the keyboard are let through.
 */
#include "kernel.h"

enum { MASTER = 0x20, SLAVE = 0xa0, DATA = 1 };
enum { START = 0x11, MODE_8086 = 1, END_OF_INTERRUPT = 0x20, SLAVE_LINE = 2 };

static void remap(uint16_t port, uint8_t base, uint8_t cascade, uint8_t mask) {
    outb(port, START); /* the next three bytes are its set-up */
    outb(port + DATA, base);
    outb(port + DATA, cascade);
    outb(port + DATA, MODE_8086);
    outb(port + DATA, mask);
}

void pic_init(void) {
    remap(MASTER, IRQ_BASE, 1 << SLAVE_LINE, (uint8_t)~(1 << 0 | 1 << 1));
    remap(SLAVE, IRQ_BASE + 8, SLAVE_LINE, 0xff);
    printf("PIC: IRQ 0 is vector %d\n", IRQ_BASE);
}

/* Without it the PIC sends nothing of the same or lower priority. */
void pic_done(unsigned irq) {
    if (irq < 8)
        outb(MASTER, END_OF_INTERRUPT);
}
