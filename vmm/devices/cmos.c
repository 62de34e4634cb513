/* The CMOS: the real-time clock and the memory size that a BIOS leaves there. */
#include "vmm/devices/devices.h"

#include "vmm/memory/layout.h"
#include "vmm/memory/memory.h"

enum { CHECKSUM = 0x2e, EQUIPMENT = 0x14, HAS_FPU = 2, HAS_KEYBOARD = 4 };
enum { INDEX = 0x70, DATA = 0x71, KIB = 1024, MIB = 1024 * 1024 };

/* A size in units, cut to 16 bits; `byte` 0 is the low one. */
static uint8_t size_byte(uint64_t bytes, uint64_t above, uint64_t unit, uint64_t max, int byte) {
    uint64_t n = bytes > above ? (bytes - above) / unit : 0;
    return (n > max ? max : n) >> (8 * byte);
}

/* What setup has left. */
static uint8_t read_ram(const struct cmos *c, uint8_t index) {
    uint64_t ram_size = memory_size(c->memory);
    switch (index) {
    case 0x15: case 0x16: /* KiB below 640 KiB */
        return size_byte(ram_size, 0, KIB, 640, index - 0x15);
    case 0x17: case 0x18: /* KiB above 1 MiB */
        return size_byte(ram_size, MIB, KIB, 0xffff, index - 0x17);
    case 0x30: case 0x31:
        return size_byte(ram_size, MIB, KIB, 0xffff, index - 0x30);
    case 0x34: case 0x35: /* 64 KiB above 16 MiB */
        return size_byte(ram_size, 16 * MIB, 64 * KIB, 0xffff, index - 0x34);
    default: return c->ram[index];
    }
}

/* Of 10h to 2Dh, with the high byte first; it is always right. */
static uint8_t checksum_byte(const struct cmos *c, bool low) {
    unsigned sum = 0;
    for (uint8_t index = 0x10; index <= 0x2d; index++)
        sum += read_ram(c, index);
    return (uint8_t)(low ? sum : sum >> 8);
}

static uint8_t read_cmos(struct cmos *c) {
    if (rtc_has(c->index))
        return rtc_read(&c->rtc, c->index);
    if (c->index == CHECKSUM || c->index == CHECKSUM + 1)
        return checksum_byte(c, c->index != CHECKSUM);
    return read_ram(c, c->index);
}

static enum io_result access_cmos(void *device, const struct access *a) {
    struct cmos *c = device;
    if (!a->write)
        return access_reply(a, a->address == INDEX ? 0xff : read_cmos(c));
    if (a->address == INDEX)
        c->index = access_byte(a) & 0x7f; /* bit 7 masks NMI */
    else if (rtc_has(c->index))
        rtc_write(&c->rtc, c->index, access_byte(a));
    else
        c->ram[c->index] = access_byte(a);
    return IO_DONE;
}

static void reset(void *device) {
    struct cmos *c = device;
    *c = (struct cmos){.board = c->board, .memory = c->memory, .rtc = {.board = c->board, .ram = c->ram}};
    rtc_power_on(&c->rtc);
    c->ram[EQUIPMENT] = HAS_FPU | HAS_KEYBOARD; /* floppies: the controller adds them */
}

void cmos_keep(struct cmos *c, const struct cmos *before) {
    for (unsigned i = 0; i < sizeof c->ram; i++)
        c->ram[i] = before->ram[i];
    c->rtc = before->rtc;
    rtc_reset(&c->rtc);
}

void cmos_open(struct cmos *c, struct bus *bus, const struct board *board,
               const struct memory *memory) {
    *c = (struct cmos){.board = board, .memory = memory};
    reset(c);
    bus_add(bus, "cmos", INDEX, DATA, access_cmos, c);
}

static void *open_on(const struct device_site *site) {
    cmos_open(&site->devices->cmos, site->bus, site->board, site->memory);
    return &site->devices->cmos;
}

const struct device_class device_cmos = {
    .name = "cmos",
    .open = open_on,
    .reset = reset,
    .size = sizeof(struct cmos),
};
