/* The DMA controllers; see dma.h. Sections are those of the 8237A's data sheet. */
#include "vmm/devices/dma.h"

#include <stdio.h>

#include "vmm/devices/devices.h"

enum { FIRST = 0x00, SECOND = 0xc0, SECOND_LAST = 0xdf, PAGES = 0x80 };
/* Registers behind the channels' own. */
enum { COMMAND = 8, REQUEST, MASK_ONE, MODE, CLEAR_FLIP_FLOP, MASTER_CLEAR, CLEAR_MASK, MASK_ALL };
enum { MODE_AUTO = 0x10, MODE_DOWN = 0x20, MODE_CASCADE = 0xc0, COMMAND_OFF = 4 };

/* --- transfers ---------------------------------------------------------------------------- */

static struct dma_chip *chip_of(struct dma *d, unsigned channel) { return &d->chip[channel / DMA_CHANNELS]; }

enum dma_state dma_state(const struct dma *d, unsigned channel, enum dma_direction direction) {
    const struct dma_chip *chip = &d->chip[channel / DMA_CHANNELS];
    unsigned n = channel % DMA_CHANNELS, mode = chip->channel[n].mode;
    if (chip->mask >> n & 1 || chip->command & COMMAND_OFF)
        return DMA_MASKED;
    if ((mode & MODE_CASCADE) == MODE_CASCADE)
        return DMA_WRONG_WAY;
    unsigned way = mode >> 2 & 3;
    return way == 0 || way == direction ? DMA_READY : DMA_WRONG_WAY;
}

/* Where the address lines' upper half of each channel comes from. */
static uint32_t page_base(const struct dma *d, unsigned channel) {
    static const uint8_t registers[] = {0x7, 0x3, 0x1, 0x2, 0xf, 0xb, 0x9, 0xa};
    return (uint32_t)d->page[registers[channel]] << 16;
}

/* At the count's end an autoinitialized channel begins anew; another one is masked. */
static void end_of_count(struct dma_chip *chip, unsigned n) {
    struct dma_channel *c = &chip->channel[n];
    chip->done |= 1 << n;
    chip->requests &= ~(1 << n);
    if (!(c->mode & MODE_AUTO)) {
        chip->mask |= 1 << n;
        return;
    }
    c->address = c->base_address;
    c->count = c->base_count;
}

/* One byte a time only where addresses go down; else up to where the 16 bits of the address
 * wrap, which the page register does not notice. */
static size_t stretch(const struct dma_channel *c, size_t length) {
    size_t left = (size_t)c->count + 1, wrap = 0x10000u - c->address;
    if (c->mode & MODE_DOWN)
        return 1;
    length = length < left ? length : left;
    return length < wrap ? length : wrap;
}

size_t dma_transfer(struct dma *d, unsigned channel, enum dma_direction direction, uint8_t *bytes, size_t length,
                    bool *done) {
    struct dma_chip *chip = chip_of(d, channel);
    struct dma_channel *c = &chip->channel[channel % DMA_CHANNELS];
    size_t moved = 0;
    *done = false;
    while (moved < length && !*done) {
        size_t n = stretch(c, length - moved);
        if (c->mode >> 2 & 3)
            d->board->dma(d->board->machine, page_base(d, channel) | c->address, bytes + moved, n,
                          direction == DMA_TO_MEMORY);
        c->address = (uint16_t)(c->mode & MODE_DOWN ? c->address - n : c->address + n);
        *done = n == (size_t)c->count + 1;
        c->count = (uint16_t)(c->count - n);
        moved += n;
        if (*done)
            end_of_count(chip, channel % DMA_CHANNELS);
    }
    return moved;
}

/* --- registers ---------------------------------------------------------------------------- */

/* What the guest wrote may have let one go that waits. */
static void wake_clients(struct dma *d, unsigned chip) {
    for (unsigned n = 0; n < DMA_CHANNELS; n++) {
        const struct dma_client *client = &d->client[chip * DMA_CHANNELS + n];
        if (client->go && !(d->chip[chip].mask >> n & 1) && !(d->chip[chip].command & COMMAND_OFF))
            client->go(client->device);
    }
}

static void push_byte(uint16_t *word, bool high, uint8_t value) {
    *word = high ? (uint16_t)((*word & 0xff) | value << 8) : (uint16_t)((*word & 0xff00) | value);
}

static void write_channel(struct dma_chip *chip, unsigned n, uint8_t value) {
    struct dma_channel *c = &chip->channel[n / 2];
    uint16_t *base = n & 1 ? &c->base_count : &c->base_address;
    uint16_t *current = n & 1 ? &c->count : &c->address;
    push_byte(base, chip->high, value);
    push_byte(current, chip->high, value);
    chip->high = !chip->high;
}

static uint8_t read_channel(struct dma_chip *chip, unsigned n) {
    const struct dma_channel *c = &chip->channel[n / 2];
    uint16_t word = n & 1 ? c->count : c->address;
    uint8_t value = (uint8_t)(chip->high ? word >> 8 : word);
    chip->high = !chip->high;
    return value;
}

static void put_bit(uint8_t *bits, uint8_t value) {
    uint8_t bit = (uint8_t)(1 << (value & 3));
    *bits = value & 4 ? *bits | bit : *bits & (uint8_t)~bit;
}

/* As RESET: all are masked. */
static void master_clear(struct dma_chip *chip) {
    chip->command = chip->requests = chip->temporary = chip->done = 0;
    chip->high = false;
    chip->mask = 0xf;
}

static void dma_write(struct dma_chip *chip, unsigned n, uint8_t value) {
    switch (n) {
    case COMMAND: chip->command = value; break;
    case REQUEST: put_bit(&chip->requests, value); break;
    case MASK_ONE: put_bit(&chip->mask, value); break;
    case MODE: chip->channel[value & 3].mode = value; break;
    case CLEAR_FLIP_FLOP: chip->high = false; break;
    case MASTER_CLEAR: master_clear(chip); break;
    case CLEAR_MASK: chip->mask = 0; break;
    case MASK_ALL: chip->mask = value & 0xf; break;
    default: write_channel(chip, n, value); break;
    }
}

/* The mask can be read as later chips have it; mode registers cannot. */
static uint8_t dma_read(struct dma_chip *chip, unsigned n) {
    uint8_t status = (uint8_t)(chip->requests << 4 | chip->done);
    switch (n) {
    case COMMAND: chip->done = 0; return status;
    case MASTER_CLEAR: return chip->temporary;
    case MASK_ALL: return 0xf0 | chip->mask;
    default: return n < COMMAND ? read_channel(chip, n) : 0xff;
    }
}

static enum io_result access_dma(void *device, const struct access *a) {
    struct dma *d = device;
    unsigned chip = a->address >= SECOND;
    unsigned n = chip ? (unsigned)(a->address - SECOND) / 2 : (unsigned)a->address - FIRST;
    if (!a->write)
        return access_reply(a, dma_read(&d->chip[chip], n));
    dma_write(&d->chip[chip], n, access_byte(a));
    wake_clients(d, chip);
    return IO_DONE;
}

static enum io_result access_pages(void *device, const struct access *a) {
    struct dma *d = device;
    uint8_t *page = &d->page[a->address - PAGES];
    if (!a->write)
        return access_reply(a, *page);
    *page = access_byte(a);
    return IO_DONE;
}

/* --- the device ----------------------------------------------------------------------------- */

/* As a BIOS leaves them: the second chip passes the first one's requests on by its channel 0. */
static void reset(void *device) {
    struct dma *d = device;
    for (unsigned i = 0; i < DMA_CHIPS; i++) {
        d->chip[i] = (struct dma_chip){0};
        master_clear(&d->chip[i]);
    }
    for (unsigned i = 0; i < DMA_PAGES; i++)
        d->page[i] = 0;
    d->chip[1].channel[0].mode = MODE_CASCADE;
    d->chip[1].mask = 0xe;
}

static void save(const void *device, struct device_state *s) {
    const struct dma *d = device;
    device_put(s, d->chip, sizeof d->chip);
    device_put(s, d->page, sizeof d->page);
}

static void load(void *device, struct device_state *s) {
    struct dma *d = device;
    device_take(s, d->chip, sizeof d->chip);
    device_take(s, d->page, sizeof d->page);
}

/* Those that the guest has set. */
static void describe(const void *device, const struct device_sink *sink) {
    static const char *const ways[] = {"verifies", "to memory", "from memory", "no direction"};
    const struct dma *d = device;
    for (unsigned i = 0; i < DMA_CHIPS * DMA_CHANNELS; i++) {
        const struct dma_chip *chip = &d->chip[i / DMA_CHANNELS];
        const struct dma_channel *c = &chip->channel[i % DMA_CHANNELS];
        char name[32];
        snprintf(name, sizeof name, "DMA %u", i);
        if (c->base_count || c->base_address)
            device_row(sink, name, "address, count", "0x%05x, %u, %s%s", page_base(d, i) | c->address, c->count,
                       ways[c->mode >> 2 & 3], chip->mask >> i % DMA_CHANNELS & 1 ? ", masked" : "");
    }
}

void dma_connect(struct dma *d, unsigned channel, void (*go)(void *), void *device) {
    d->client[channel] = (struct dma_client){go, device};
}

void dma_open(struct dma *d, struct bus *bus, const struct board *board) {
    *d = (struct dma){.board = board};
    reset(d);
    bus_add(bus, "dma", FIRST, FIRST + MASK_ALL, access_dma, d);
    bus_add(bus, "dma", SECOND, SECOND_LAST, access_dma, d);
    bus_add(bus, "dma pages", PAGES + 1, PAGES + DMA_PAGES - 1, access_pages, d);
}

static void *open_on(const struct device_site *site) {
    dma_open(&site->devices->dma, site->bus, site->board);
    return &site->devices->dma;
}

const struct device_class device_dma = {
    .name = "dma",
    .open = open_on,
    .reset = reset,
    .save = save,
    .load = load,
    .describe = describe,
};
