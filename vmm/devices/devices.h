/* The devices that a PC has, one file and one struct each. The structs are here because
 * other modules ask them things: which interrupt is next, whether A20 is open. A device that
 * nobody asks needs no struct here, only its class; see device.h and docs/howto.md.
 */
#ifndef MINIKVM_DEVICES_H
#define MINIKVM_DEVICES_H

#include <linux/kvm.h>

#include "vmm/devices/bus.h"
#include "vmm/devices/device.h"
#include "vmm/devices/dma.h"
#include "vmm/devices/hypercall.h"
#include "vmm/devices/input.h"
#include "vmm/devices/keys.h"
#include "vmm/devices/mouse.h"
#include "vmm/devices/rtc.h"
#include "vmm/devices/uart.h"

/* keyboard.c: the 8042 with a keyboard with scancode sets 1 and 2, IRQ 1, and a mouse, IRQ 12. */
struct keyboard {
    const struct board *board;
    uint8_t config, command; /* command: the one that waits for its data byte */
    uint8_t queue[32];
    bool of_mouse[32]; /* of each byte of the queue */
    unsigned head, count;
    bool last_of_mouse;
    uint8_t output_port;
    bool used; /* the guest has accessed it */
    uint8_t last;
    bool commanded; /* the last write was to port 0x64 */
    /* of the keyboard itself */
    uint8_t scancode_set, leds;
    uint8_t parameter_of; /* its command that waits for a byte */
    uint8_t sent;         /* its last answer */
    bool silent;          /* it was told to send no keys */
    struct typed_key held;      /* taken out of the input, and not typed yet */
    bool holds;
    struct mouse mouse;
    uint64_t held_since, look_at; /* guest ns: a key is held back, and whether still; 0: none is */
    bool firmware_is_over; /* the guest's own driver has had a key */
    unsigned polls;   /* so often the guest has looked for it */
};
void keyboard_open(struct keyboard *, struct bus *, const struct board *);
void keyboard_notice(struct keyboard *);
/* May input make the mouse interrupt? */
bool keyboard_mouse_interrupts(const struct keyboard *);
/* Who has read the last byte was the firmware. */
void keyboard_firmware_reads(struct keyboard *);
/* The byte that was read last, without a read. false: it was the mouse's. */
bool keyboard_last_byte(const struct keyboard *, uint8_t *byte);
/* Looks again when that is due; returns when it will be, guest ns, or UINT64_MAX. */
uint64_t keyboard_advance(struct keyboard *);

/* cmos.c: 0x70 and 0x71, the clock and the memory size. */
struct cmos {
    const struct board *board;
    const struct memory *memory; /* for its size */
    uint8_t index;
    uint8_t ram[128];
    struct rtc rtc;
};
/* What a reset leaves as it was: its RAM, and the clock but for its interrupts. */
void cmos_keep(struct cmos *, const struct cmos *before);
void cmos_open(struct cmos *, struct bus *, const struct board *, const struct memory *);

/* ports.c: those that are one register each: 0x92, 0xE9, 0xF0, 0xF4, 0xCF9, POST. */
enum { PORTS_A20 = 2 }; /* of port 0x92 and of the keyboard controller's output port */
struct ports {
    const struct board *board;
    uint8_t port92, reset_control;
    bool ferr, ignne; /* pins of the CPU: an x87 exception waits; it is not to be waited for */
    bool verbose;
};
/* The CPU's FERR#; returns its IGNNE#. */
bool ports_ferr(struct ports *, bool asserted);
void ports_open(struct ports *, struct bus *, const struct board *, bool verbose);

/* pic.c and pit.c: interrupt controllers and timer. KVM has its own in the
 * kernel, with the same state; these are for the built-in CPU. Without a bus they have
 * no ports: a machine without chips has a state of them all the same. */
struct pic {
    const struct board *board;
    struct kvm_pic_state chip[2];
};
void pic_open(struct pic *, struct bus *, const struct board *);
void pic_line(struct pic *, unsigned irq, bool level);
int pic_acknowledge(struct pic *); /* the vector to deliver, or -1 */

struct pit {
    const struct board *board;
    struct kvm_pit_state2 state; /* load times in the board's nanoseconds */
    uint64_t due;                /* when channel 0 ticks next; UINT64_MAX: never */
    uint64_t passed;             /* ns of guest time beside that of instructions (virtual_clock.c) */
    uint8_t parity;              /* bits 2 and 3 of port 0x61, which do nothing */
    unsigned tone;               /* that sounds, in Hz; 0: none */
    unsigned tones;              /* so many have begun */
};
void pit_open(struct pit *, struct bus *, const struct board *);
uint64_t pit_advance(struct pit *); /* do what is due; returns when the next is, board's ns or UINT64_MAX */
/* Guest time goes on, where that is virtual. */
void pit_pass(struct pit *, uint64_t ns);
/* What the speaker sounds, in Hz; 0: nothing. */
unsigned pit_tone(const struct kvm_pit_state2 *);
void pit_ring(struct pit *);        /* a firmware's beep, which takes no time */
void pit_restart(struct pit *);     /* the state was replaced: count from now */

enum { DEVICES_MAX = 32 };

/* All of a machine. */
struct devices {
    struct pic pic;
    struct pit pit;
    struct hypercall hypercall;
    struct dma dma;
    struct uart uart;
    struct keyboard keyboard;
    struct cmos cmos;
    struct ports ports;
    struct vga *vga; /* display/vga.h */
    struct pci *pci; /* pci.h */
    struct opened_device {
        const struct device_class *class;
        void *device;
    } opened[DEVICES_MAX];
    unsigned count;
};

#endif
