/* The 8254 timer: channel 0 is IRQ 0. */
#include "kernel.h"

enum { CHANNEL_0 = 0x40, CONTROL = 0x43 };
enum { RATE_GENERATOR = 0x34 }; /* channel 0, low byte then high byte, mode 2 */
enum { CLOCK = 1193182 };       /* Hz, a third of the colour carrier of NTSC */

volatile uint32_t ticks;

void timer_init(void) {
    unsigned divisor = (CLOCK + TICKS_PER_SECOND / 2) / TICKS_PER_SECOND;
    outb(CONTROL, RATE_GENERATOR);
    outb(CHANNEL_0, divisor & 0xff);
    outb(CHANNEL_0, divisor >> 8);
    printf("timer: %d ticks per second\n", TICKS_PER_SECOND);
}

/* trap() then lets the next process run: this is where time slices come from. */
void timer_tick(void) {
    ticks++;
}
