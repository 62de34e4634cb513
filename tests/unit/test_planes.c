/* The four planes of a VGA: every write and read mode, against a model that follows the text of
 * IBM's manual bit by bit; and views of display memory as RAM, which come and go. */
#include "tests/unit/unit.h"

#include "vmm/devices/bus_mmio.h"
#include "vmm/devices/display/vga.h"
#include "vmm/memory/layout.h"

static struct bus bus;
static struct vga vga;
static struct memory memory;
static unsigned moves;

static void moved(void *machine) { (void)machine, moves++; }

static const struct board board = {.moved = moved};

/* --- the guest ------------------------------------------------------------------------ */

static void out(uint16_t port, uint8_t index, uint8_t value) {
    uint8_t bytes[2] = {index, value};
    bus_access(&bus, &(struct access){.address = port, .write = true, .size = 2, .data = bytes});
}
static void sequencer(uint8_t index, uint8_t value) { out(0x3c4, index, value); }
static void graphics(uint8_t index, uint8_t value) { out(0x3ce, index, value); }

static void bytes_of(uint32_t at, bool write, void *data, unsigned size) {
    struct access a = {.mmio = true, .address = at, .write = write, .size = size, .data = data};
    uint8_t *ram = memory_at(&memory, at, size, write);
    if (!ram)
        CHECK(bus_mmio(&bus, &a) == IO_DONE);
    else if (write)
        memory_write(&memory, at, data, size);
    else
        memory_read(&memory, at, data, size);
}
static void write_at(uint32_t at, uint8_t value) { bytes_of(at, true, &value, 1); }
static uint8_t read_at(uint32_t at) {
    uint8_t value = 0x5a;
    bytes_of(at, false, &value, 1);
    return value;
}

static uint32_t random_state = 1;
static uint32_t random_of(uint32_t n) {
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % n;
}

/* --- the model: planes as arrays, one bit after the other ------------------------------- */

static struct model {
    uint8_t plane[4][0x10000], latch[4];
    uint8_t map_mask, memory_mode;
    uint8_t set_reset, enable, compare, rotate, read_map, mode, misc, dont_care, bit_mask;
} model;

static uint32_t base(void) {
    static const uint32_t of[4] = {0xa0000, 0xa0000, 0xb0000, 0xb8000};
    return of[model.misc >> 2 & 3];
}
static uint32_t size(void) {
    static const uint32_t of[4] = {0x20000, 0x10000, 0x8000, 0x8000};
    return of[model.misc >> 2 & 3];
}
static bool chain4(void) { return model.memory_mode & 8; }
static bool odd_even(void) { return !chain4() && !(model.memory_mode & 4); }

static unsigned offset_of(uint32_t at) {
    unsigned n = at - base();
    if (chain4())
        return n & 0xfffc;
    if (model.misc & 2) /* the odd/even bit is replaced by a higher one */
        return (n & 0xfffe) | (n >> 16 & 1);
    return n & 0xffff;
}

static unsigned bit(unsigned byte, unsigned n) { return byte >> n & 1; }

static unsigned logic(unsigned new, unsigned latch) {
    switch (model.rotate >> 3 & 3) {
    case 0: return new;
    case 1: return new & latch;
    case 2: return new | latch;
    default: return new ^ latch;
    }
}

/* One bit of one plane. */
static unsigned new_bit(unsigned p, unsigned n, uint8_t value) {
    unsigned latch = bit(model.latch[p], n), count = model.rotate & 7, turned = bit(value, (n + count) % 8);
    switch (model.mode & 3) {
    case 0: {
        unsigned from = bit(model.enable, p) ? bit(model.set_reset, p) : turned;
        return bit(model.bit_mask, n) ? logic(from, latch) : latch;
    }
    case 1: return latch;
    case 2: return bit(model.bit_mask, n) ? logic(bit(value, p), latch) : latch;
    default: return bit(model.bit_mask, n) && turned ? logic(bit(model.set_reset, p), latch) : latch;
    }
}

static void model_write(uint32_t at, uint8_t value) {
    unsigned o = offset_of(at);
    for (unsigned p = 0; p < 4; p++) {
        bool chosen = chain4() ? (at & 3) == p : !odd_even() || (at & 1) == (p & 1);
        uint8_t byte = 0;
        for (unsigned n = 0; n < 8; n++)
            byte |= (uint8_t)(new_bit(p, n, value) << n);
        if (chosen && bit(model.map_mask, p))
            model.plane[p][o] = byte;
    }
}

static uint8_t model_read(uint32_t at) {
    unsigned o = offset_of(at);
    uint8_t result = 0;
    for (unsigned p = 0; p < 4; p++)
        model.latch[p] = model.plane[p][o];
    if (chain4())
        return model.latch[at & 3];
    if (!(model.mode & 8))
        return model.latch[model.mode & 0x10 ? (model.read_map & 2) | (at & 1) : model.read_map & 3];
    for (unsigned n = 0; n < 8; n++) {
        bool equal = true;
        for (unsigned p = 0; p < 4; p++)
            equal &= !bit(model.dont_care, p) || bit(model.latch[p], n) == bit(model.compare, p);
        result |= (uint8_t)(equal << n);
    }
    return result;
}

/* --- both ------------------------------------------------------------------------------- */

static void new_vga(void) {
    bus = (struct bus){0};
    memory_clear(&memory);
    vga_open(&vga, &bus, &board, &memory);
    model = (struct model){.map_mask = 3, .memory_mode = 2, .mode = 0x10, .misc = 0x0e, .bit_mask = 0xff};
    CHECK_STR(bus.error, "");
}

static void set_sequencer(uint8_t index, uint8_t value, uint8_t *field, uint8_t bits) {
    sequencer(index, value);
    *field = value & bits;
}
static void set_graphics(uint8_t index, uint8_t value, uint8_t *field, uint8_t bits) {
    graphics(index, value);
    *field = value & bits;
}

static void any_register(void) {
    uint8_t any = (uint8_t)random_of(256);
    switch (random_of(11)) {
    case 0: set_sequencer(2, any, &model.map_mask, 15); break;
    case 1: set_sequencer(4, any & 14, &model.memory_mode, 14); break;
    case 2: set_graphics(0, any, &model.set_reset, 15); break;
    case 3: set_graphics(1, any & 1 ? any : 0, &model.enable, 15); break;
    case 4: set_graphics(2, any, &model.compare, 15); break;
    case 5: set_graphics(3, any & 1 ? any : 0, &model.rotate, 31); break;
    case 6: set_graphics(4, any, &model.read_map, 3); break;
    case 7: set_graphics(5, any, &model.mode, 0x7b); break;
    case 8: set_graphics(6, any & 15, &model.misc, 15); break;
    case 9: set_graphics(7, any, &model.dont_care, 15); break;
    case 10: set_graphics(8, any & 1 ? 0xff : any, &model.bit_mask, 0xff); break;
    }
}

/* As RAM it has no latches: the guest that has seen them can't be told from one that has not, so
 * the model's are taken then. */
static void any_access(void) {
    uint32_t at = base() + random_of(size());
    uint8_t value = (uint8_t)random_of(256);
    if (vga.view != VIEW_PLANES)
        memcpy(vga.latch, model.latch, sizeof vga.latch);
    if (random_of(2)) {
        uint8_t wanted = model_read(at);
        CHECK(read_at(at) == wanted);
        memcpy(vga.latch, model.latch, sizeof vga.latch);
    } else {
        model_write(at, value);
        write_at(at, value);
    }
}

static void compare_all(void) {
    for (unsigned o = 0; o < 0x10000; o++) {
        struct vga_bytes b = vga_bytes_at(&vga, &memory, o);
        for (unsigned p = 0; p < 4; p++)
            if (b.plane[p] != model.plane[p][o]) {
                CHECK(b.plane[p] == model.plane[p][o]);
                return;
            }
    }
}

/* Beyond a window the planes are not compared where a view shows the window again. */
static void like_the_model(void) {
    new_vga();
    for (unsigned n = 0; n < 20000; n++) {
        any_register();
        for (unsigned i = random_of(20); i; i--)
            any_access();
    }
    set_sequencer(4, 6, &model.memory_mode, 14);
    set_sequencer(2, 15, &model.map_mask, 15);
    set_graphics(6, 5, &model.misc, 15);
    CHECK(vga.view == VIEW_PLANES);
    compare_all();
}

/* Wide accesses are bytes, the lowest address first. */
static void wide(void) {
    new_vga();
    graphics(6, 5);
    sequencer(4, 6);
    sequencer(2, 15);
    char text[] = "abcdefgh";
    bytes_of(0xa0000, true, text, 8);
    for (unsigned i = 0; i < 8; i++)
        CHECK(vga_bytes_at(&vga, &memory, i).plane[3] == 'a' + i);
    uint8_t peeked = 0;
    graphics(4, 3);
    CHECK(vga_peek(&vga, 0xa0003, &peeked) && peeked == 'd' && !vga.latch[0]);
    CHECK(!vga_peek(&vga, 0xb8000, &peeked));
    char read[8];
    bytes_of(0xa0000, false, read, 8);
    CHECK(!memcmp(read, "abcdefgh", 8) && vga.latch[0] == 'h');
}

/* --- views as RAM ----------------------------------------------------------------------- */

static void text_goes_into_planes(void) {
    new_vga();
    memory_write(&memory, 0xb8000, "H\x1fi\x1f", 4);
    unsigned before = moves;
    graphics(6, 0x05);
    sequencer(4, 6);
    graphics(5, 0);
    CHECK(moves > before && !memory_at(&memory, 0xa0000, 1, false) && memory_at(&memory, 0xb8000, 1, true));
    struct vga_bytes b = vga_bytes_at(&vga, &memory, 2);
    CHECK(b.plane[0] == 'i' && b.plane[1] == 0x1f && !vga_bytes_at(&vga, &memory, 1).plane[0]);
    graphics(4, 1);
    CHECK(read_at(0xa0000) == 0x1f && read_at(0xa0001) == 0); /* plane 1; odd and even are chained no longer */
    graphics(4, 0);
    sequencer(2, 1);
    write_at(0xa0002, '!');
    sequencer(2, 3);
    sequencer(4, 2);
    graphics(5, 0x10);
    graphics(6, 0x0e);
    char text[5] = "";
    CHECK(memory_at(&memory, 0xb8000, 0x8000, true) && memory_read(&memory, 0xb8000, text, 4) == 4);
    CHECK_STR(text, "H\x1f!\x1f");
}

/* Mode 13h's dots are a plane each; without chain 4 they are where mode X finds them. */
static void chained_and_not(void) {
    new_vga();
    graphics(5, 0x40);
    graphics(6, 5);
    sequencer(2, 15);
    sequencer(4, 14);
    CHECK(vga.view == VIEW_CHAIN4 && memory_at(&memory, 0xa0000, 0x10000, true));
    memory_write(&memory, 0xa0000, "01234567", 8);
    sequencer(4, 6);
    CHECK(vga.view == VIEW_PLANES);
    struct vga_bytes b = vga_bytes_at(&vga, &memory, 4), none = vga_bytes_at(&vga, &memory, 1);
    CHECK(!memcmp(b.plane, "4567", 4) && !memcmp(none.plane, "\0\0\0\0", 4));
    sequencer(2, 4);
    write_at(0xa0004, 'x');
    sequencer(2, 15);
    sequencer(4, 14);
    CHECK(read_at(0xa0006) == 'x' && read_at(0xa0005) == '5' && vga.view == VIEW_CHAIN4);
}

/* What a guest does that has a font of its own. */
static void font_by_hand(void) {
    new_vga();
    memory_write(&memory, 0xb8000, "A\x07", 2);
    sequencer(2, 4), sequencer(4, 7), graphics(4, 2), graphics(5, 0), graphics(6, 4);
    for (unsigned i = 0; i < 16; i++)
        write_at(0xa0000 + 'A' * 32 + i, (uint8_t)(0x80 | i));
    CHECK(read_at(0xa0000 + 'A' * 32 + 5) == 0x85);
    sequencer(2, 3), sequencer(4, 3), graphics(4, 0), graphics(5, 0x10), graphics(6, 0x0e);
    CHECK(vga.view == VIEW_ODD_EVEN && read_at(0xb8000) == 'A' && read_at(0xb8001) == 7);
    CHECK(vga_bytes_at(&vga, &memory, 'A' * 32 + 5).plane[2] == 0x85);
}

/* What a snapshot is to have. */
static void pages_are_dirty(void) {
    static uint64_t dirty[(17u << 20) / PAGE_SIZE / 64 + 1];
    const unsigned vram = (1u << 20) / PAGE_SIZE;
    new_vga();
    memory.dirty = dirty;
    graphics(6, 5), sequencer(4, 6), sequencer(2, 15);
    memset(dirty, 0, sizeof dirty);
    write_at(0xa0400, 1);
    memory.dirty = NULL;
    for (unsigned i = 0; i < sizeof dirty / sizeof *dirty; i++)
        CHECK(dirty[i] == (i == (vram + 1) / 64 ? 1ull << (vram + 1) % 64 : 0));
}

int main(void) {
    memory_open(&memory, 1 << 20);
    like_the_model();
    wide();
    text_goes_into_planes();
    chained_and_not();
    font_by_hand();
    pages_are_dirty();
    memory_close(&memory);
    return unit_end();
}
