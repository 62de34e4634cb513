/* The 16550 at 0x3F8, IRQ 4. Its class is in core_classes.c. */
#ifndef MINIKVM_UART_H
#define MINIKVM_UART_H

#include "vmm/devices/bus.h"

struct uart {
    const struct board *board;
    uint8_t ier, lcr, mcr, scr, dll, dlm, fcr;
    bool sent;   /* THR empty since the last look at IIR */
    bool hung_up; /* the carrier was gone at the last look at MSR */
    int looped;  /* the byte in the loopback, or -1 */
};
void uart_open(struct uart *, struct bus *, const struct board *);
void uart_reset(struct uart *);
void uart_notice(struct uart *); /* input has come */

#endif
