/* A PS/2 mouse with three buttons, and with a wheel once the guest has asked for it as
 * IntelliMouse drivers do: what it answers and sends. The 8042 (keyboard.c) is its way.
 *
 * Rule: movements that nobody has read add up, so a slow guest loses none; a button that
 * changes waits until what was before it is sent.
 */
#ifndef MINIKVM_MOUSE_H
#define MINIKVM_MOUSE_H

#include <stdbool.h>
#include <stdint.h>

enum { MOUSE_LEFT = 1, MOUSE_RIGHT = 2, MOUSE_MIDDLE = 4 };
/* One column of a terminal is so many counts, one row likewise: those of a screen of 640 by 400. */
enum { MOUSE_COLUMN = 8, MOUSE_ROW = 16 };
enum { MOUSE_PACKET = 4, MOUSE_ANSWER = 1 + MOUSE_PACKET };

/* What a terminal tells: where the pointer is, in cells; which buttons are down. */
struct mouse_event {
    uint16_t column, row;
    uint8_t pressed, released; /* buttons */
    int8_t wheel;              /* down is positive, as the packet has it */
};

struct mouse {
    bool reporting; /* enabled by F4 */
    bool remote, wraps, doubles;
    uint8_t rate, resolution, id;
    uint8_t rates[2];     /* those set before */
    uint8_t parameter_of; /* its command that waits for a byte */
    uint8_t buttons;
    bool clicked;         /* a change of them is not sent */
    int16_t x, y, wheel;  /* not sent yet */
    bool placed;          /* where the pointer is, is known */
    uint16_t column, row;
    uint8_t last[MOUSE_PACKET], last_length; /* sent before */
};

void mouse_power_on(struct mouse *);
/* A byte that the guest sends to it; returns how many bytes it answers. */
unsigned mouse_command(struct mouse *, uint8_t byte, uint8_t answer[MOUSE_ANSWER]);
/* Can it take an event now? */
bool mouse_takes(const struct mouse *);
void mouse_event(struct mouse *, const struct mouse_event *);
/* The next packet that it sends by itself; its length, or 0. */
unsigned mouse_packet(struct mouse *, uint8_t packet[MOUSE_PACKET]);

#endif
