/* The 8254 timer, in KVM's state struct, for the built-in CPU and for KVM
 * machines before they have chips in the kernel.
 *
 * Time is what the board's pit_now() says, in nanoseconds; nothing here asks a
 * clock. A counter is not counted: its value follows from when it was loaded.
 *
 * Ticks that came due while nobody looked are one tick: there is no backlog.
 */
#include "vmm/devices/devices.h"


enum { COUNTER0 = 0x40, CONTROL = 0x43, SPEAKER = 0x61, HZ = 1193182 };
enum { STATE_LSB = 1, STATE_MSB, STATE_WORD0, STATE_WORD1 }; /* how far an access is */

static uint64_t pit_now(const struct pit *pit) {
    return pit->board->now(pit->board->machine);
}

/* Without overflow for some centuries: whole seconds apart from the rest. */
static uint64_t pit_ticks(uint64_t ns) {
    return ns / 1000000000 * HZ + ns % 1000000000 * HZ / 1000000000;
}

static uint64_t to_ns(uint64_t ticks) { /* rounded up */
    return ticks / HZ * 1000000000 + (ticks % HZ * 1000000000 + HZ - 1) / HZ;
}

static uint64_t elapsed(const struct pit *pit, const struct kvm_pit_channel_state *c) {
    uint64_t t = pit_now(pit);
    return t > (uint64_t)c->count_load_time ? pit_ticks(t - c->count_load_time) : 0;
}

static bool is_periodic(const struct kvm_pit_channel_state *c) { return c->mode == 2 || c->mode == 3; }

static uint16_t pit_counter(const struct pit *pit, const struct kvm_pit_channel_state *c) {
    uint64_t ticks = elapsed(pit, c);
    if (!c->count)
        return 0;
    if (c->mode == 3)
        return c->count - 2 * ticks % c->count;
    return c->mode == 2 ? c->count - ticks % c->count : c->count - ticks;
}

/* The OUT pin; channel 2's can be read at port 0x61. */
static bool output(const struct pit *pit, const struct kvm_pit_channel_state *c) {
    uint64_t ticks = elapsed(pit, c);
    if (!c->gate)
        return c->mode != 0;
    switch (c->mode) {
    case 0: case 1:
        return (ticks >= c->count) == (c->mode == 0 || ticks > 0);
    case 2:
        return !c->count || ticks % c->count != c->count - 1;
    case 3:
        return !c->count || ticks % c->count < (c->count + 1) / 2;
    default:
        return ticks != c->count;
    }
}

/* When channel 0 raises IRQ 0 next, after a point in time; UINT64_MAX: never. */
static uint64_t due_after(const struct pit *pit, uint64_t time) {
    const struct kvm_pit_channel_state *c = &pit->state.channels[0];
    uint64_t load = c->count_load_time;
    if (!c->count || c->mode == 1 || c->mode == 5)
        return UINT64_MAX;
    uint64_t first = load + to_ns(c->count);
    if (first > time)
        return first;
    if (!is_periodic(c))
        return UINT64_MAX;
    uint64_t periods = pit_ticks(time - load) / c->count + 1;
    uint64_t due = load + to_ns(periods * c->count);
    return due > time ? due : load + to_ns((periods + 1) * c->count);
}

uint64_t pit_advance(struct pit *pit) {
    if (pit->due <= pit_now(pit)) {
        pit->board->irq(pit->board->machine, 0, true);
        pit->board->irq(pit->board->machine, 0, false);
        pit->due = due_after(pit, pit_now(pit));
    }
    return pit->due;
}

void pit_pass(struct pit *pit, uint64_t ns) { pit->passed += ns; }

void pit_restart(struct pit *pit) {
    for (int i = 0; i < 3; i++)
        pit->state.channels[i].count_load_time = pit_now(pit);
    pit->due = due_after(pit, pit_now(pit));
}

/* --- the speaker ------------------------------------------------------------------------- */

enum { REFRESH_NS = 15085 }; /* of the memory, by channel 1 */
enum { TONE_MIN = 20, TONE_MAX = 20000 };

static bool is_square(const struct kvm_pit_channel_state *c) { return c->mode == 3 || c->mode == 2; }

unsigned pit_tone(const struct kvm_pit_state2 *s) {
    const struct kvm_pit_channel_state *c = &s->channels[2];
    bool on = s->flags & KVM_PIT_FLAGS_SPEAKER_DATA_ON && c->gate && c->count && is_square(c);
    unsigned hz = on ? (HZ + c->count / 2) / c->count : 0;
    return hz >= TONE_MIN && hz <= TONE_MAX ? hz : 0;
}

void pit_ring(struct pit *pit) { pit->tones++; }

static void note_tone(struct pit *pit) {
    unsigned hz = pit_tone(&pit->state);
    if (hz && hz != pit->tone)
        pit->tones++;
    pit->tone = hz;
}

/* --- the registers --------------------------------------------------------------------- */

static void load(struct pit *pit, unsigned n, uint16_t value) {
    struct kvm_pit_channel_state *c = &pit->state.channels[n];
    c->count = value ? value : 0x10000;
    c->count_load_time = pit_now(pit);
    if (n == 0)
        pit->due = due_after(pit, pit_now(pit));
    else if (n == 2)
        note_tone(pit);
}

static void latch_count(struct pit *pit, struct kvm_pit_channel_state *c) {
    if (c->count_latched)
        return;
    c->latched_count = pit_counter(pit, c);
    c->count_latched = c->rw_mode;
}

static void latch_status(struct pit *pit, struct kvm_pit_channel_state *c) {
    if (c->status_latched)
        return;
    c->status = output(pit, c) << 7 | c->rw_mode << 4 | c->mode << 1 | c->bcd;
    c->status_latched = 1;
}

static void read_back(struct pit *pit, uint8_t command) {
    for (int i = 0; i < 3; i++) {
        if (!(command & 2 << i))
            continue;
        if (!(command & 0x20))
            latch_count(pit, &pit->state.channels[i]);
        if (!(command & 0x10))
            latch_status(pit, &pit->state.channels[i]);
    }
}

static void pit_write_control(struct pit *pit, uint8_t value) {
    unsigned n = value >> 6, rw = value >> 4 & 3;
    if (n == 3) {
        read_back(pit, value);
        return;
    }
    struct kvm_pit_channel_state *c = &pit->state.channels[n];
    if (rw == 0) {
        latch_count(pit, c);
        return;
    }
    c->rw_mode = rw;
    c->read_state = c->write_state = rw == 3 ? STATE_WORD0 : rw;
    c->mode = value >> 1 & 7;
    c->mode &= c->mode > 5 ? 3 : 7; /* 6 and 7 are 2 and 3 */
    c->bcd = value & 1;
}

static void write_counter(struct pit *pit, unsigned n, uint8_t value) {
    struct kvm_pit_channel_state *c = &pit->state.channels[n];
    switch (c->write_state) {
    case STATE_MSB:
        load(pit, n, value << 8);
        break;
    case STATE_WORD0:
        c->write_latch = value;
        c->write_state = STATE_WORD1;
        break;
    case STATE_WORD1:
        load(pit, n, c->write_latch | value << 8);
        c->write_state = STATE_WORD0;
        break;
    default:
        load(pit, n, value);
        break;
    }
}

/* A latched count comes byte by byte, as rw_mode has it. */
static uint8_t read_latched(struct kvm_pit_channel_state *c) {
    bool high = c->count_latched == STATE_MSB;
    bool more = c->count_latched == STATE_WORD0;
    c->count_latched = more ? STATE_MSB : 0;
    return high ? c->latched_count >> 8 : c->latched_count;
}

static uint8_t read_counter(struct pit *pit, unsigned n) {
    struct kvm_pit_channel_state *c = &pit->state.channels[n];
    if (c->status_latched) {
        c->status_latched = 0;
        return c->status;
    }
    if (c->count_latched)
        return read_latched(c);
    uint16_t value = pit_counter(pit, c);
    bool high = c->read_state == STATE_MSB || c->read_state == STATE_WORD1;
    if (c->read_state >= STATE_WORD0)
        c->read_state ^= STATE_WORD0 ^ STATE_WORD1;
    return high ? value >> 8 : value;
}

static enum io_result access_pit(void *device, const struct access *a) {
    struct pit *pit = device;
    unsigned n = a->address - COUNTER0;
    if (!a->write)
        return access_reply(a, a->address == CONTROL ? 0xff : read_counter(pit, n));
    enum io_result result = pit->board->uses_irqchip(pit->board->machine); /* as in pic.c */
    if (a->address == CONTROL)
        pit_write_control(pit, access_byte(a));
    else
        write_counter(pit, n, access_byte(a));
    return result;
}

/* Port 0x61: bit 0 gates channel 2, bit 1 the speaker; bit 4 toggles as memory is refreshed, bit
 * 5 shows the channel's output. */
static uint8_t pit_read_speaker(const struct pit *pit) {
    const struct kvm_pit_channel_state *c = &pit->state.channels[2];
    bool data = pit->state.flags & KVM_PIT_FLAGS_SPEAKER_DATA_ON, refresh = pit_now(pit) / REFRESH_NS & 1;
    return (uint8_t)(c->gate | data << 1 | pit->parity | refresh << 4 | output(pit, c) << 5);
}

static enum io_result access_speaker(void *device, const struct access *a) {
    struct pit *pit = device;
    struct kvm_pit_channel_state *c = &pit->state.channels[2];
    if (!a->write)
        return access_reply(a, pit_read_speaker(pit));
    if (access_byte(a) & 1 && !c->gate)
        c->count_load_time = pit_now(pit);
    c->gate = access_byte(a) & 1;
    pit->parity = access_byte(a) & 0xc;
    pit->state.flags &= ~KVM_PIT_FLAGS_SPEAKER_DATA_ON;
    pit->state.flags |= access_byte(a) & 2 ? KVM_PIT_FLAGS_SPEAKER_DATA_ON : 0;
    note_tone(pit);
    return IO_DONE;
}

static void reset(void *device) {
    struct pit *pit = device;
    *pit = (struct pit){.board = pit->board, .passed = pit->passed, .due = UINT64_MAX};
    for (int i = 0; i < 3; i++)
        pit->state.channels[i] = (struct kvm_pit_channel_state){
            .mode = i == 0 ? 0 : 3, .gate = i != 2, .rw_mode = 3, .read_state = STATE_WORD0,
            .write_state = STATE_WORD0};
}

void pit_open(struct pit *pit, struct bus *bus, const struct board *board) {
    pit->board = board;
    reset(pit);
    if (!bus)
        return;
    bus_add(bus, "pit", COUNTER0, CONTROL, access_pit, pit);
    bus_add(bus, "speaker", SPEAKER, SPEAKER, access_speaker, pit);
}

static void *open_on(const struct device_site *site) {
    pit_open(&site->devices->pit, site->irqchip ? site->bus : NULL, site->board);
    return &site->devices->pit;
}

const struct device_class device_pit = {
    .name = "pit",
    .open = open_on,
    .reset = reset,
    .size = sizeof(struct pit),
};
