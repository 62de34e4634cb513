/* The pair of 8259 interrupt controllers, in KVM's state struct, for the
 * built-in CPU and for KVM machines before they have chips in the kernel.
 *
 *   IRQ 0–7 ── master 0x20/0x21 ── INTR
 *   IRQ 8–15 ─ slave  0xA0/0xA1 ── IRQ 2 of the master
 */
#include "vmm/devices/devices.h"

enum { MASTER = 0x20, SLAVE = 0xa0, ELCR = 0x4d0, CASCADE = 2, NONE = 8 };

/* --- requests ------------------------------------------------------------------- */

/* Edge-triggered lines latch their rise; level-triggered ones follow. */
static void set_line(struct kvm_pic_state *s, unsigned n, bool level) {
    uint8_t mask = 1 << n;
    if (s->elcr & mask)
        s->irr = level ? s->irr | mask : s->irr & ~mask;
    else if (level && !(s->last_irr & mask))
        s->irr |= mask;
    s->last_irr = level ? s->last_irr | mask : s->last_irr & ~mask;
}

/* Priority of the most urgent bit (0 first, turned by priority_add), or NONE. */
static unsigned priority_of(const struct kvm_pic_state *s, uint8_t mask) {
    for (unsigned p = 0; p < 8; p++)
        if (mask & 1 << ((p + s->priority_add) & 7))
            return p;
    return NONE;
}

/* The request that may interrupt what is in service, or -1. */
static int request_of(const struct kvm_pic_state *s, bool master) {
    uint8_t in_service = s->isr;
    if (s->special_mask)
        in_service &= ~s->imr;
    if (s->special_fully_nested_mode && master)
        in_service &= ~(1 << CASCADE);
    unsigned p = priority_of(s, s->irr & ~s->imr);
    return p < priority_of(s, in_service) ? (int)((p + s->priority_add) & 7) : -1;
}

static void pic_update(struct pic *pic) {
    set_line(&pic->chip[0], CASCADE, false);
    if (request_of(&pic->chip[1], false) >= 0)
        set_line(&pic->chip[0], CASCADE, true);
    pic->board->intr(pic->board->machine, request_of(&pic->chip[0], true) >= 0);
}

void pic_line(struct pic *pic, unsigned irq, bool level) {
    set_line(&pic->chip[irq >> 3 & 1], irq & 7, level);
    pic_update(pic);
}

/* The first half of an INTA cycle for one chip. */
static void acknowledge(struct kvm_pic_state *s, unsigned n) {
    if (s->auto_eoi) {
        if (s->rotate_on_auto_eoi)
            s->priority_add = (n + 1) & 7;
    } else {
        s->isr |= 1 << n;
    }
    if (!(s->elcr & 1 << n))
        s->irr &= ~(1 << n);
}

/* A request that went away meanwhile gives the spurious vector 7 or 15. */
int pic_acknowledge(struct pic *pic) {
    int n = request_of(&pic->chip[0], true);
    if (n < 0)
        return -1;
    acknowledge(&pic->chip[0], n);
    int vector = pic->chip[0].irq_base + n;
    if (n == CASCADE) {
        int m = request_of(&pic->chip[1], false);
        if (m >= 0)
            acknowledge(&pic->chip[1], m);
        vector = pic->chip[1].irq_base + (m < 0 ? 7 : m);
    }
    pic_update(pic);
    return vector;
}

/* --- commands ------------------------------------------------------------------------ */

static void initialise(struct kvm_pic_state *s, uint8_t icw1) {
    uint8_t elcr = s->elcr, elcr_mask = s->elcr_mask;
    *s = (struct kvm_pic_state){.elcr = elcr, .elcr_mask = elcr_mask, .init_state = 1,
                                .init4 = icw1 & 1};
}

/* OCW2: end of interrupt, and rotation of the priorities. */
static void end_of_interrupt(struct kvm_pic_state *s, uint8_t ocw2) {
    bool rotate = ocw2 & 0x80, specific = ocw2 & 0x40, eoi = ocw2 & 0x20;
    unsigned p = priority_of(s, s->isr);
    unsigned n = specific ? ocw2 & 7u : (p + s->priority_add) & 7;
    if (!eoi) {
        if (specific && rotate)
            s->priority_add = (n + 1) & 7;
        else if (!specific)
            s->rotate_on_auto_eoi = rotate;
        return;
    }
    if (!specific && p == NONE)
        return;
    s->isr &= ~(1 << n);
    if (rotate)
        s->priority_add = (n + 1) & 7;
}

static void pic_write_command(struct kvm_pic_state *s, uint8_t value) {
    if (value & 0x10) {
        initialise(s, value);
    } else if (value & 0x08) { /* OCW3 */
        if (value & 0x04)
            s->poll = 1;
        if (value & 0x02)
            s->read_reg_select = value & 1;
        if (value & 0x40)
            s->special_mask = value >> 5 & 1;
    } else {
        end_of_interrupt(s, value);
    }
}

/* ICW2 to ICW4 after an ICW1, else the mask (OCW1). */
static void pic_write_data(struct kvm_pic_state *s, uint8_t value) {
    switch (s->init_state) {
    case 0:
        s->imr = value;
        break;
    case 1:
        s->irq_base = value & 0xf8;
        s->init_state = 2;
        break;
    case 2:
        s->init_state = s->init4 ? 3 : 0;
        break;
    default:
        s->special_fully_nested_mode = value >> 4 & 1;
        s->auto_eoi = value >> 1 & 1;
        s->init_state = 0;
        break;
    }
}

static uint8_t pic_read_port(struct pic *pic, unsigned chip, bool data) {
    struct kvm_pic_state *s = &pic->chip[chip];
    if (s->poll) {
        s->poll = 0;
        int n = request_of(s, chip == 0);
        if (n >= 0)
            acknowledge(s, n);
        return n < 0 ? 0 : 0x80 | n;
    }
    return data ? s->imr : s->read_reg_select ? s->isr : s->irr;
}

static enum io_result access_pic(void *device, const struct access *a) {
    struct pic *pic = device;
    unsigned chip = a->address >= SLAVE;
    bool data = a->address & 1;
    if (!a->write) {
        access_reply(a, pic_read_port(pic, chip, data));
        pic_update(pic);
        return IO_DONE;
    }
    /* The first time, a BIOS sets up the chips; then comes this. */
    enum io_result result = pic->board->uses_irqchip(pic->board->machine);
    if (data)
        pic_write_data(&pic->chip[chip], access_byte(a));
    else
        pic_write_command(&pic->chip[chip], access_byte(a));
    pic_update(pic);
    return result;
}

static enum io_result access_elcr(void *device, const struct access *a) {
    struct pic *pic = device;
    struct kvm_pic_state *s = &pic->chip[a->address - ELCR];
    if (!a->write)
        return access_reply(a, s->elcr);
    s->elcr = access_byte(a) & s->elcr_mask;
    return IO_DONE;
}

/* As a PC's BIOS leaves the vectors, but all masked: nobody has set a handler yet, and a
 * controller that never was programmed interrupts nobody. ICW1 unmasks (8259A, ICW1). */
static void reset(void *device) {
    struct pic *pic = device;
    *pic = (struct pic){.board = pic->board};
    pic->chip[0].irq_base = 0x08;
    pic->chip[1].irq_base = 0x70;
    pic->chip[0].imr = pic->chip[1].imr = 0xff;
    pic->chip[0].elcr_mask = 0xf8;
    pic->chip[1].elcr_mask = 0xde;
}

void pic_open(struct pic *pic, struct bus *bus, const struct board *board) {
    pic->board = board;
    reset(pic);
    if (!bus)
        return;
    bus_add(bus, "pic", MASTER, MASTER + 1, access_pic, pic);
    bus_add(bus, "pic", SLAVE, SLAVE + 1, access_pic, pic);
    bus_add(bus, "pic", ELCR, ELCR + 1, access_elcr, pic);
}

static void *open_on(const struct device_site *site) {
    pic_open(&site->devices->pic, site->irqchip ? site->bus : NULL, site->board);
    return &site->devices->pic;
}

const struct device_class device_pic = {
    .name = "pic",
    .open = open_on,
    .reset = reset,
    .size = sizeof(struct pic),
};
