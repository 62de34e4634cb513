/* Large modes by Bochs' registers: what is shown, where it is in memory, whatever a guest writes. */
#include "tests/unit/unit.h"

#include "vmm/devices/bus_mmio.h"
#include "vmm/devices/display/picture.h"
#include "vmm/memory/layout.h"

static struct bus bus;
static struct vga vga;
static struct memory memory;
static struct picture picture;
static uint32_t row[PICTURE_COLUMNS];
static unsigned moves;

static void moved(void *machine) { (void)machine, moves++; }
static const struct board board = {.moved = moved};

static void new_vga(void) {
    bus = (struct bus){0};
    memory_clear(&memory);
    vga_open(&vga, &bus, &board, &memory);
    CHECK_STR(bus.error, "");
}

static void access_port(uint16_t port, bool write, uint16_t *value) {
    CHECK(bus_access(&bus, &(struct access){.address = port, .write = write, .size = 2, .data = value}) == IO_DONE);
}
static void set(uint16_t index, uint16_t value) {
    access_port(DISPI_INDEX, true, &index);
    access_port(DISPI_DATA, true, &value);
}
static uint16_t get(uint16_t index) {
    uint16_t value = 0x5555;
    access_port(DISPI_INDEX, true, &index);
    access_port(DISPI_DATA, false, &value);
    return value;
}

static void set_mode(uint16_t width, uint16_t height, uint16_t bits) {
    set(DISPI_ENABLE, 0);
    set(DISPI_WIDTH, width), set(DISPI_HEIGHT, height), set(DISPI_BITS, bits);
    set(DISPI_ENABLE, DISPI_ON | DISPI_LINEAR);
}

static uint32_t dot(unsigned x, unsigned y) {
    picture_open(&picture, &vga, &memory);
    picture_row(&picture, y, row);
    return row[x];
}

static void found(void) {
    new_vga();
    CHECK(get(DISPI_ID) == 0xb0c5);
    set(DISPI_ID, 0xb0c2);
    CHECK(get(DISPI_ID) == 0xb0c2);
    set(DISPI_ID, 0x1234);
    CHECK(get(DISPI_ID) == 0xb0c2 && get(DISPI_MEMORY) == 256);
    set(DISPI_ENABLE, DISPI_CAPABILITIES);
    CHECK(get(DISPI_WIDTH) == 2560 && get(DISPI_HEIGHT) == 1600 && get(DISPI_BITS) == 32);
    set(DISPI_ENABLE, 0);
    CHECK(get(DISPI_WIDTH) == 640 && get(DISPI_HEIGHT) == 480 && get(DISPI_BITS) == 8);
}

static void depths(void) {
    new_vga();
    vga.dac[9][0] = 63, vga.dac[9][1] = 1, vga.dac[9][2] = 0;
    static const struct {
        uint16_t bits, size;
        uint32_t dot, color;
    } all[] = {{8, 1, 9, 0xff0400}, {15, 2, 0x7c1f, 0xff00ff}, {15, 2, 0x0210, 0x008484}, {16, 2, 0xf81f, 0xff00ff},
               {16, 2, 0x07e0, 0x00ff00}, {16, 2, 0x0410, 0x008284}, {24, 3, 0x123456, 0x123456}, {32, 4, 0xff123456, 0x123456}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        set_mode(800, 600, all[i].bits);
        memory_write(&memory, MEMORY_FRAMEBUFFER + (800 * 10 + 5) * all[i].size, &all[i].dot, all[i].size);
        CHECK(dot(5, 10) == all[i].color && dot(4, 10) == 0 && dot(6, 10) == 0);
        CHECK(picture.width == 800 && picture.height == 600);
    }
    set(DISPI_ENABLE, 0);
    CHECK(dot(0, 0) == 0 && picture.width == 720);
}

/* Memory is there from its first use on. */
static void framebuffer_at(void) {
    uint32_t value = 0x11223344;
    struct access a = {.mmio = true, .address = MEMORY_FRAMEBUFFER + 0x300000, .write = true, .size = 4, .data = &value};
    new_vga();
    CHECK(!memory_at(&memory, MEMORY_FRAMEBUFFER, 1, false));
    uint8_t peeked = 1;
    CHECK(vga_peek(&vga, MEMORY_FRAMEBUFFER, &peeked) && !peeked && !vga_peek(&vga, MEMORY_FRAMEBUFFER - 1, &peeked));
    unsigned before = moves;
    CHECK(bus_mmio(&bus, &a) == IO_DONE && moves == before + 1);
    CHECK(memory_at(&memory, MEMORY_FRAMEBUFFER, MEMORY_VRAM, true) == memory_vram(&memory));
    value = 0;
    memory_read(&memory, MEMORY_FRAMEBUFFER + 0x300000, &value, 4);
    CHECK(value == 0x11223344);
    vga_set_framebuffer(&vga, 0xfd000000);
    CHECK(memory_at(&memory, 0xfd000000, 1, true) && !memory_at(&memory, MEMORY_FRAMEBUFFER, 1, true));
    a.address = MEMORY_FRAMEBUFFER;
    CHECK(bus_mmio(&bus, &a) == IO_NOBODY);
    vga_set_framebuffer(&vga, 0xffff0000); /* where it has no room */
    CHECK(!memory_at(&memory, 0xffff0000, 1, true));
    vga_set_framebuffer(&vga, 0);
    CHECK(memory_at(&memory, MEMORY_FRAMEBUFFER, 1, true));
}

static void banks(void) {
    new_vga();
    set_mode(640, 480, 8);
    set(DISPI_BANK, 3);
    CHECK(get(DISPI_BANK) == 3 && memory_at(&memory, 0xa0000, 0x10000, true) == memory_vram(&memory) + 0x30000);
    set(DISPI_BANK, 0xffff);
    CHECK(memory_at(&memory, 0xa0000, 0x10000, true) == memory_vram(&memory) + 0xff0000);
    set(DISPI_ENABLE, 0);
    CHECK(memory_at(&memory, 0xa0000, 0x10000, true) == memory.ram + 0xa0000);
}

static void clears_or_not(void) {
    new_vga();
    set_mode(640, 480, 8);
    memory_write(&memory, MEMORY_FRAMEBUFFER + 0x40000, "x", 1);
    set(DISPI_ENABLE, 0);
    set(DISPI_ENABLE, DISPI_ON | DISPI_NO_CLEAR);
    CHECK(memory_vram(&memory)[0x40000] == 'x');
    set(DISPI_ENABLE, 0);
    set(DISPI_ENABLE, DISPI_ON);
    CHECK(memory_vram(&memory)[0x40000] == 0);
}

/* The text that was there is there again. */
static void text_again(void) {
    new_vga();
    memory_write(&memory, 0xb8000, "A\x07", 2);
    set(DISPI_ENABLE, DISPI_ON | DISPI_NO_CLEAR);
    memory_zero(&memory, 0xb8000, 4096);
    set(DISPI_ENABLE, 0);
    CHECK(memory.ram[0xb8000] == 'A');
}

static void scrolls(void) {
    new_vga();
    set_mode(640, 480, 32);
    set(DISPI_VIRTUAL_WIDTH, 1024);
    CHECK(get(DISPI_VIRTUAL_WIDTH) == 1024 && get(DISPI_VIRTUAL_HEIGHT) == 4096);
    set(DISPI_X, 384), set(DISPI_Y, 4096 - 480);
    memory_write(&memory, MEMORY_FRAMEBUFFER + MEMORY_VRAM - 4, "\xff\0\0", 3);
    CHECK(dot(639, 479) == 0x0000ff);
    set(DISPI_X, 385), set(DISPI_Y, 5000);
    CHECK(get(DISPI_X) == 384 && get(DISPI_Y) == 4096 - 480);
}

static void dac_of_eight_bits(void) {
    new_vga();
    vga.dac[1][2] = 63;
    set(DISPI_ENABLE, DISPI_ON | DISPI_DAC8);
    uint8_t bytes[] = {1};
    CHECK(vga.dac[1][2] == 255);
    bus_access(&bus, &(struct access){.address = 0x3c8, .write = true, .size = 1, .data = bytes});
    for (unsigned i = 0; i < 3; i++) {
        bytes[0] = (uint8_t)(0x81 + i);
        bus_access(&bus, &(struct access){.address = 0x3c9, .write = true, .size = 1, .data = bytes});
    }
    CHECK(vga_dac_color(&vga, 1) == 0x818283);
    set(DISPI_ENABLE, DISPI_ON);
    CHECK(vga.dac[1][0] == 0x20);
}

/* Each picture can be read, and no register leads out of memory. */
static void any_values(void) {
    uint32_t random = 7;
    new_vga();
    for (unsigned n = 0; n < 5000; n++) {
        random = random * 1664525 + 1013904223;
        set(random >> 28 & 15, (uint16_t)(random >> (n % 3 * 4)));
        (void)get(random >> 24 & 15);
        picture_open(&picture, &vga, &memory);
        CHECK(picture.width && picture.width <= PICTURE_COLUMNS && picture.height && picture.height <= PICTURE_ROWS);
        picture_row(&picture, picture.height - 1, row);
    }
}

int main(void) {
    memory_open(&memory, 1 << 20);
    found();
    depths();
    framebuffer_at();
    banks();
    clears_or_not();
    text_again();
    scrolls();
    dac_of_eight_bits();
    any_values();
    memory_close(&memory);
    return unit_end();
}
