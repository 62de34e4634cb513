/* The first serial port, a 16550 whose line is never busy. At the end of input its carrier
 * goes: whoever was at the other end has hung up.
 *
 * Registers by offset (DLAB is LCR bit 7):
 *   0 RBR/THR, DLL   1 IER, DLM   2 IIR/FCR   3 LCR   4 MCR   5 LSR   6 MSR   7 SCR
 */
#include "vmm/devices/uart.h"

enum { BASE = 0x3f8, IRQ = 4 };
enum { IER_RX = 1, IER_TX = 2, IER_MODEM = 8 };
enum { IIR_MODEM = 0, IIR_NONE = 1, IIR_TX = 2, IIR_RX = 4, IIR_FIFO = 0xc0 };
enum { LCR_DLAB = 0x80, MCR_LOOP = 0x10 };
enum { LSR_DATA = 1, LSR_THR_EMPTY = 0x20, LSR_IDLE = 0x40 };
enum { MSR_READY = 0x30, MSR_CARRIER = 0x80, MSR_CARRIER_CHANGED = 8 };

static bool has_data(struct uart *u) {
    if (u->mcr & MCR_LOOP)
        return u->looped >= 0;
    return input_peek(u->board->input) >= 0;
}

static bool hung_up(struct uart *u) {
    return !(u->mcr & MCR_LOOP) && input_peek(u->board->input) == INPUT_END;
}

static uint8_t modem_status(struct uart *u) {
    if (u->mcr & MCR_LOOP)
        return u->mcr << 4;
    bool was = u->hung_up;
    u->hung_up = hung_up(u);
    return MSR_READY | (u->hung_up ? 0 : MSR_CARRIER) | (u->hung_up != was ? MSR_CARRIER_CHANGED : 0);
}

/* The highest reason for an interrupt, as IIR shows it. */
static uint8_t reason(struct uart *u) {
    if (u->ier & IER_RX && has_data(u))
        return IIR_RX;
    if (u->ier & IER_TX && u->sent)
        return IIR_TX;
    return u->ier & IER_MODEM && hung_up(u) != u->hung_up ? IIR_MODEM : IIR_NONE;
}

static void uart_update(struct uart *u) {
    u->board->irq(u->board->machine, IRQ, reason(u) != IIR_NONE);
}

void uart_notice(struct uart *u) {
    if (u->ier & (IER_RX | IER_MODEM))
        uart_update(u);
}

static uint8_t receive(struct uart *u) {
    int byte = u->looped;
    if (!(u->mcr & MCR_LOOP))
        byte = input_take(u->board->input);
    u->looped = -1;
    return byte < 0 ? 0 : byte;
}

static void transmit(struct uart *u, uint8_t byte) {
    char c = byte;
    if (u->mcr & MCR_LOOP)
        u->looped = byte;
    else
        u->board->put(u->board->machine, &c, 1);
    u->sent = true;
}

static uint8_t identify(struct uart *u) {
    uint8_t iir = reason(u);
    if (iir == IIR_TX)
        u->sent = false;
    return iir | (u->fcr & 1 ? IIR_FIFO : 0);
}

static uint8_t uart_read(struct uart *u, unsigned n) {
    bool dlab = u->lcr & LCR_DLAB;
    switch (n) {
    case 0: return dlab ? u->dll : receive(u);
    case 1: return dlab ? u->dlm : u->ier;
    case 2: return identify(u);
    case 3: return u->lcr;
    case 4: return u->mcr;
    case 5: return LSR_THR_EMPTY | LSR_IDLE | (has_data(u) ? LSR_DATA : 0);
    case 6: return modem_status(u);
    default: return u->scr;
    }
}

static void write_register(struct uart *u, unsigned n, uint8_t value) {
    bool dlab = u->lcr & LCR_DLAB;
    switch (n) {
    case 0:
        if (dlab)
            u->dll = value;
        else
            transmit(u, value);
        break;
    case 1:
        if (dlab) {
            u->dlm = value;
        } else {
            u->sent |= value & ~u->ier & IER_TX; /* enabling it raises it at once */
            u->ier = value & 0x0f;
        }
        break;
    case 2: u->fcr = value; break;
    case 3: u->lcr = value; break;
    case 4: u->mcr = value & 0x1f; break;
    case 7: u->scr = value; break;
    }
}

static enum io_result access_uart(void *device, const struct access *a) {
    struct uart *u = device;
    unsigned n = a->address - BASE;
    if (a->write)
        write_register(u, n, access_byte(a));
    else
        access_reply(a, uart_read(u, n));
    uart_update(u);
    return IO_DONE;
}

void uart_reset(struct uart *u) { *u = (struct uart){.board = u->board, .looped = -1}; }

void uart_open(struct uart *u, struct bus *bus, const struct board *board) {
    u->board = board;
    uart_reset(u);
    bus_add(bus, "uart", BASE, BASE + 7, access_uart, u);
}
