/* The classes of the two devices that the core has, too (docs/core.md): what a machine with
 * snapshots and a debugger asks of them, and the core does not.
 */
#include "vmm/devices/devices.h"

static void *hypercall_open_on(const struct device_site *site) {
    hypercall_open(&site->devices->hypercall, site->bus, site->board);
    return &site->devices->hypercall;
}

static void hypercall_class_reset(void *device) {
    struct hypercall *h = device;
    h->wants_input = false;
}

const struct device_class device_hypercall = {
    .name = "hypercall",
    .open = hypercall_open_on,
    .reset = hypercall_class_reset,
    .size = sizeof(struct hypercall),
};

static void *uart_open_on(const struct device_site *site) {
    uart_open(&site->devices->uart, site->bus, site->board);
    return &site->devices->uart;
}

static void uart_class_reset(void *device) { uart_reset(device); }

static void uart_class_notice(void *device) { uart_notice(device); }

static void uart_class_describe(const void *device, const struct device_sink *sink) {
    const struct uart *u = device;
    device_row(sink, "UART", "IER, LCR, MCR", "0x%02x, 0x%02x, 0x%02x", u->ier, u->lcr, u->mcr);
}

const struct device_class device_uart = {
    .name = "uart",
    .open = uart_open_on,
    .reset = uart_class_reset,
    .size = sizeof(struct uart),
    .notice = uart_class_notice,
    .describe = uart_class_describe,
};
