/* A board that only takes notes of what its devices ask for, and whose input a test types. */
#ifndef MINIKVM_DEVICE_BOARD_H
#define MINIKVM_DEVICE_BOARD_H

#include "tests/unit/bus_ports.h"
#include "vmm/devices/devices.h"

static struct input input;
static char printed[8192];
static size_t printed_length;
static int ended;         /* exit status, or -1 */
static char stopped[200]; /* why, or empty */
static int a20;           /* as it was set last, or -1 */

static inline void take_put(void *machine, const char *text, size_t length) {
    (void)machine;
    if (length > sizeof printed - 1 - printed_length)
        length = sizeof printed - 1 - printed_length;
    memcpy(printed + printed_length, text, length);
    printed[printed_length += length] = 0;
}

static inline void take_end(void *machine, struct cpu *by, int status) {
    (void)machine, (void)by;
    ended = status;
}

static inline void take_stop(void *machine, struct cpu *by, const char *why) {
    (void)machine, (void)by;
    snprintf(stopped, sizeof stopped, "%s", why);
}

static inline int64_t leap_day(void *machine) {
    (void)machine;
    return 951825845; /* Tuesday 2000-02-29 12:04:05 UTC */
}

static inline enum io_result take_reset(void *machine, struct cpu *by, const char *what) {
    (void)machine, (void)by;
    snprintf(stopped, sizeof stopped, "reset by %s", what);
    return IO_STOP;
}

static inline enum io_result take_a20(void *machine, struct cpu *by, bool open) {
    (void)machine, (void)by;
    a20 = open;
    return IO_DONE;
}

static const struct board board = {.reset = take_reset, .a20 = take_a20, .input = &input, .put = take_put, .irq = take_irq,
                                   .end = take_end, .stop = take_stop, .clock = leap_day};

static inline void new_board(void) {
    input_open(&input);
    new_bus();
    printed_length = 0;
    *printed = 0;
    ended = a20 = -1;
    *stopped = 0;
}

static inline void type(const char *text) { input_put(&input, (const uint8_t *)text, strlen(text)); }

#endif
