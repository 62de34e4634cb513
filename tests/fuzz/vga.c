/* The VGA and the display registers: ports and display memory, in any order and width; and the
 * picture that they make. After each step what is shown can be read; a saved state goes on as
 * the one that it was taken of.
 *
 * Input: steps of a kind and its bytes.
 */
#include "fuzz.h"

#include <string.h>

#include "vmm/devices/bus_mmio.h"
#include "vmm/devices/device.h"
#include "vmm/devices/display/picture.h"
#include "vmm/devices/display/screen.h"
#include "vmm/memory/layout.h"

extern const struct device_class device_vga;

static struct bus bus;
static struct vga vga;
static struct memory memory;
static uint64_t seen;

static void moved(void *machine) { (void)machine; }
static uint64_t now(void *machine) { return (void)machine, 123456789; }
static const struct board board = {.moved = moved, .now = now};

static void note(uint64_t value) { seen = (seen ^ value) * 0x100000001b3; }

static void access_port(struct feed *in, bool write) {
    static const uint16_t firsts[] = {0x3b0, 0x3c0, 0x3c0, 0x3d0, 0x1ce};
    uint8_t which = (uint8_t)feed_number(in, 1), data[4] = {0};
    uint16_t port = (uint16_t)(firsts[which % 5] + (which >> 3) % 16);
    unsigned size = 1u << which % 3;
    uint32_t value = (uint32_t)feed_number(in, size);
    if (which % 5 == 4)
        port = (uint16_t)(0x1ce + (which >> 3) % 3);
    memcpy(data, &value, sizeof data);
    bus_access(&bus, &(struct access){.address = port, .write = write, .size = size, .data = data});
    for (unsigned i = 0; i < size && !write; i++)
        note(data[i]);
}

/* A register by its index, as programs do. */
static void set_register(struct feed *in) {
    static const uint16_t ports[] = {0x3c4, 0x3ce, 0x3d4, 0x1ce};
    uint8_t which = (uint8_t)feed_number(in, 1) % 4;
    uint16_t index = (uint16_t)feed_number(in, 1), value = (uint16_t)feed_number(in, which == 3 ? 2 : 1);
    unsigned size = which == 3 ? 2 : 1;
    bus_access(&bus, &(struct access){.address = ports[which], .write = true, .size = size, .data = &index});
    bus_access(&bus, &(struct access){.address = ports[which] + 1, .write = true, .size = size, .data = &value});
}

/* RAM or device, as it is now. */
static void access_memory(struct feed *in, bool write) {
    uint32_t offset = (uint32_t)feed_number(in, 3);
    unsigned size = 1 + feed_number(in, 1) % 8;
    uint64_t at = offset & 0x800000 ? MEMORY_FRAMEBUFFER + offset % (MEMORY_VRAM - 8) : MEMORY_VIDEO + offset % 0x1fff8;
    uint64_t value = feed_number(in, size);
    uint8_t bytes[8];
    memcpy(bytes, &value, sizeof bytes);
    if (memory_at(&memory, at, size, write))
        write ? memory_write(&memory, at, bytes, size) : memory_read(&memory, at, bytes, size);
    else
        bus_mmio(&bus, &(struct access){.mmio = true, .address = at, .write = write, .size = size, .data = bytes});
    for (unsigned i = 0; i < size && !write; i++)
        note(bytes[i]);
}

static void look(void) {
    static struct screen s;
    static uint32_t row[PICTURE_COLUMNS];
    struct picture p;
    picture_open(&p, &vga, &memory);
    must(p.width && p.width <= PICTURE_COLUMNS && p.height && p.height <= PICTURE_ROWS, "a picture has a size");
    picture_row(&p, 0, row);
    picture_row(&p, p.height - 1, row);
    note(row[p.width - 1] ^ p.width << 16 ^ p.height);
    if (screen_read(&vga, &memory, &s))
        note(s.cell[s.rows ? s.rows - 1 : 0][0].character);
}

static void act_all(struct feed in) {
    while (in.left) {
        switch (feed_number(&in, 1) % 8) {
        case 0: case 1: access_port(&in, true); break;
        case 2: access_port(&in, false); break;
        case 3: case 4: set_register(&in); break;
        case 5: access_memory(&in, true); break;
        case 6: access_memory(&in, false); break;
        case 7: vga_set_framebuffer(&vga, (uint32_t)feed_number(&in, 4)); break;
        }
        if (in.left % 16 == 0)
            look();
    }
    look();
}

/* Registers by the device, memory by the pages that were marked as written: what is not, would
 * be missing from a snapshot. */
enum { PAGES = ((1 << 20) + MEMORY_VRAM) / PAGE_SIZE };
static uint64_t dirty[(PAGES + 63) / 64];
static uint8_t copy[PAGES][PAGE_SIZE];

static bool take_dirty(unsigned page) {
    bool is = dirty[page / 64] >> page % 64 & 1;
    dirty[page / 64] &= ~(1ull << page % 64);
    return is;
}

static void do_twice(struct feed rest) {
    static bool copied[PAGES];
    struct device_state s = {0};
    device_vga.save(&vga, &s);
    for (unsigned n = 0; n < PAGES; n++)
        if ((copied[n] = take_dirty(n)))
            memcpy(copy[n], memory.ram + n * PAGE_SIZE, PAGE_SIZE);
    seen = 0;
    act_all(rest);
    uint64_t first = seen;
    for (unsigned n = 0; n < PAGES; n++)
        if (take_dirty(n))
            copied[n] ? memcpy(memory.ram + n * PAGE_SIZE, copy[n], PAGE_SIZE)
                      : memset(memory.ram + n * PAGE_SIZE, 0, PAGE_SIZE);
    s.at = 0;
    s.end = s.length;
    device_vga.load(&vga, &s);
    seen = 0;
    act_all(rest);
    must(seen == first, "the same state leads to the same");
    device_state_free(&s);
}

static void begin(void) {
    if (!memory.ram)
        memory_open(&memory, 1 << 20);
    memory_clear(&memory);
    memset(dirty, 0, sizeof dirty);
    memory.dirty = dirty;
    memory_set_window(&memory, &(struct memory_piece){0});
    memory_set_framebuffer(&memory, 0);
    bus = (struct bus){0};
    vga_open(&vga, &bus, &board, &memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct feed in = {bytes, size};
    begin();
    act_all(feed_part(&in, feed_number(&in, 2) % 4096));
    do_twice(in);
    return 0;
}
