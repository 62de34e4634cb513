/* The CMOS: the real-time clock and the memory size that a BIOS leaves there. */
#include "vmm/devices/devices.h"

#include <time.h>

#include "vmm/memory/layout.h"
#include "vmm/memory/memory.h"

enum { EQUIPMENT = 0x14, HAS_FPU = 2, HAS_KEYBOARD = 4 };
enum { INDEX = 0x70, DATA = 0x71, KIB = 1024, MIB = 1024 * 1024 };

static uint8_t bcd(unsigned n) { return n / 10 % 10 << 4 | n % 10; }

/* A size in units, cut to 16 bits; `byte` 0 is the low one. */
static uint8_t size_byte(uint64_t bytes, uint64_t above, uint64_t unit, uint64_t max, int byte) {
    uint64_t n = bytes > above ? (bytes - above) / unit : 0;
    return (n > max ? max : n) >> (8 * byte);
}

/* The registers have four digits for the year. What a recording says may be any time. */
#define SECONDS_MAX 253402300799ll /* the last one of 9999 */

static uint8_t clock_byte(struct cmos *c) {
    int64_t told = c->board->clock(c->board->machine);
    time_t now = told < 0 ? 0 : told > SECONDS_MAX ? SECONDS_MAX : told;
    struct tm t = {0};
    gmtime_r(&now, &t);
    switch (c->index) {
    case 0x00: return bcd(t.tm_sec);
    case 0x02: return bcd(t.tm_min);
    case 0x04: return bcd(t.tm_hour);
    case 0x06: return bcd(t.tm_wday + 1);
    case 0x07: return bcd(t.tm_mday);
    case 0x08: return bcd(t.tm_mon + 1);
    case 0x09: return bcd(t.tm_year);
    default: return bcd((t.tm_year + 1900) / 100);
    }
}

static uint8_t read_cmos(struct cmos *c) {
    uint64_t ram_size = memory_size(c->memory);
    switch (c->index) {
    case 0x00: case 0x02: case 0x04: case 0x06: case 0x07: case 0x08: case 0x09: case 0x32:
        return clock_byte(c);
    case 0x0a: return 0x26; /* no update in progress */
    case 0x0b: return 0x02; /* 24 hours, BCD */
    case 0x0d: return 0x80; /* the battery is good */
    case 0x15: case 0x16: /* KiB below 640 KiB */
        return size_byte(ram_size, 0, KIB, 640, c->index - 0x15);
    case 0x17: case 0x18: /* KiB above 1 MiB */
        return size_byte(ram_size, MIB, KIB, 0xffff, c->index - 0x17);
    case 0x30: case 0x31:
        return size_byte(ram_size, MIB, KIB, 0xffff, c->index - 0x30);
    case 0x34: case 0x35: /* 64 KiB above 16 MiB */
        return size_byte(ram_size, 16 * MIB, 64 * KIB, 0xffff, c->index - 0x34);
    default: return c->ram[c->index];
    }
}

static enum io_result access_cmos(void *device, const struct access *a) {
    struct cmos *c = device;
    if (!a->write)
        return access_reply(a, a->address == INDEX ? 0xff : read_cmos(c));
    if (a->address == INDEX)
        c->index = access_byte(a) & 0x7f; /* bit 7 masks NMI */
    else
        c->ram[c->index] = access_byte(a);
    return IO_DONE;
}

static void reset(void *device) {
    struct cmos *c = device;
    *c = (struct cmos){.board = c->board, .memory = c->memory};
    c->ram[EQUIPMENT] = HAS_FPU | HAS_KEYBOARD; /* floppies: the controller adds them */
}

void cmos_open(struct cmos *c, struct bus *bus, const struct board *board,
               const struct memory *memory) {
    *c = (struct cmos){.board = board, .memory = memory};
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
