/* What a screen shows, dot by dot, of registers and display memory as guests set them; scaling;
 * PNG. */
#include "tests/unit/unit.h"

#include "vmm/devices/bus.h"
#include "vmm/devices/display/picture.h"
#include "vmm/devices/display/png.h"
#include "vmm/memory/layout.h"

static struct bus bus;
static struct vga vga;
static struct memory memory;
static struct picture picture;
static uint32_t row[PICTURE_COLUMNS];

static void moved(void *machine) { (void)machine; }
static const struct board board = {.moved = moved};

static void out(uint16_t port, uint8_t index, uint8_t value) {
    uint8_t bytes[2] = {index, value};
    bus_access(&bus, &(struct access){.address = port, .write = true, .size = 2, .data = bytes});
}
static void crtc(uint8_t index, uint8_t value) { vga.crtc[index] = value; }

static void new_vga(void) {
    bus = (struct bus){0};
    memory_clear(&memory);
    vga_open(&vga, &bus, &board, &memory);
}

static uint32_t dot(unsigned x, unsigned y) {
    picture_open(&picture, &vga, &memory);
    picture_row(&picture, y, row);
    return row[x];
}

static void is(unsigned width, unsigned height) {
    picture_open(&picture, &vga, &memory);
    CHECK(picture.width == width && picture.height == height);
}

/* --- modes, as a BIOS sets them ------------------------------------------------------- */

static void graphics_mode(uint8_t shift, uint8_t columns, uint8_t lines, uint8_t mode, uint8_t pitch) {
    new_vga();
    vga.attribute[0x10] = 1;
    vga.attribute[0x13] = 0;
    crtc(0x01, columns), crtc(0x09, lines), crtc(0x13, pitch), crtc(0x14, 0), crtc(0x17, mode);
    out(0x3ce, 5, shift), out(0x3ce, 6, 5), out(0x3c4, 2, 15), out(0x3c4, 4, 6);
}

static void mode_13h(void) {
    graphics_mode(0x40, 0x4f, 0x41, 0xa3, 0x28);
    crtc(0x14, 0x40);
    out(0x3c4, 4, 14);
    vga.dac[200][0] = 63, vga.dac[200][1] = 32;
}

static void plane_byte(unsigned offset, unsigned plane, uint8_t value) {
    memory_vram(&memory)[offset * 4 + plane] = value;
}

/* --- text ------------------------------------------------------------------------------ */

static void text(void) {
    static const uint8_t glyph[16] = {0x81, 0, 0, 0x18};
    new_vga();
    vga_set_font(&vga, 0, 'A', 1, 16, glyph);
    vga_set_font(&vga, 0, 0xc4, 1, 16, glyph);
    memory_write(&memory, 0xb8000, (uint8_t[]){'A', 0x1f, 0xc4, 0x70, ' ', 0x07}, 6);
    is(720, 400);
    CHECK(dot(0, 0) == 0xffffff && dot(1, 0) == 0x0000aa && dot(7, 0) == 0xffffff && dot(8, 0) == 0x0000aa);
    CHECK(dot(3, 3) == 0xffffff && dot(0, 3) == 0x0000aa);
    CHECK(dot(9 + 7, 0) == 0 && dot(9 + 8, 0) == 0); /* the ninth dot of line graphics ... */
    vga.attribute[0x10] &= ~4;
    CHECK(dot(9 + 8, 0) == 0xaaaaaa); /* ... but not of others */
    CHECK(dot(0, 13) == 0xffffff && dot(0, 12) == 0x0000aa); /* the cursor */
    crtc(0x0f, 1);
    CHECK(dot(0, 13) == 0x0000aa && dot(9, 13) == 0);
    out(0x3c4, 1, 1);
    is(640, 400);
    out(0x3c4, 1, 0x21);
    CHECK(dot(3, 3) == 0 && !picture.on);
}

/* Attribute bit 3 is a font then. */
static void two_fonts(void) {
    static const uint8_t full[16] = {255, 255}, empty[16];
    new_vga();
    vga_set_font(&vga, 0, 'A', 1, 16, empty);
    vga_set_font(&vga, 5, 'A', 1, 16, full);
    out(0x3c4, 3, 0x20 | 1 << 2); /* font A is 5 */
    memory_write(&memory, 0xb8000, (uint8_t[]){'A', 0x07, 'A', 0x0f}, 4);
    CHECK(dot(0, 0) == 0 && dot(9, 0) == 0xffffff);
}

/* --- graphics --------------------------------------------------------------------------- */

static void chained(void) {
    mode_13h();
    is(320, 200);
    CHECK(vga.view == VIEW_CHAIN4);
    memory_write(&memory, 0xa0000 + 199 * 320 + 319, (uint8_t[]){200}, 1);
    CHECK(dot(319, 199) == 0xff8200 && dot(318, 199) == 0);
    crtc(0x0d, 80); /* a line further */
    CHECK(dot(319, 198) == 0xff8200);
    vga.attribute[0x13] = 4; /* two dots */
    CHECK(dot(317, 198) == 0xff8200);
    vga.dac_mask = 0x0f;
    vga.dac[8][0] = 63;
    CHECK(dot(317, 198) >> 16 == 0xff);
}

static void unchained(void) {
    graphics_mode(0x40, 0x4f, 0x40, 0xe3, 0x28);
    vga.dac[9][2] = 63;
    is(320, 400); /* mode X with all lines */
    plane_byte(80 * 399 + 79, 3, 9);
    CHECK(dot(319, 399) == 0x0000ff);
    crtc(0x09, 0x41), crtc(0x01, 0x59), crtc(0x13, 0x2d); /* 360 dots */
    is(360, 200);
    plane_byte(90, 1, 9);
    CHECK(dot(1, 1) == 0x0000ff);
}

static void sixteen_colors(void) {
    graphics_mode(0, 0x4f, 0x40, 0xe3, 0x28);
    is(640, 400);
    plane_byte(80 * 10 + 1, 0, 0x80), plane_byte(80 * 10 + 1, 1, 0xc0), plane_byte(80 * 10 + 1, 3, 0x01);
    CHECK(dot(8, 10) == 0x00aaaa && dot(9, 10) == 0x00aa00 && dot(15, 10) == 0x555555 && dot(10, 10) == 0);
    vga.attribute[0x13] = 3;
    CHECK(dot(5, 10) == 0x00aaaa && dot(12, 10) == 0x555555);
    vga.attribute[0x12] = 1; /* plane 0 alone */
    CHECK(dot(5, 10) == 0x0000aa && dot(6, 10) == 0);
}

/* Below the line compare memory is shown from its begin, and does not pan if it is told so. */
static void split(void) {
    graphics_mode(0, 0x4f, 0x40, 0xe3, 0x28);
    crtc(0x0c, 0x40), crtc(0x18, 99), crtc(0x07, 0x0f), crtc(0x09, 0);
    plane_byte(0, 0, 0x80);
    plane_byte(0x4000, 1, 0x80);
    CHECK(dot(0, 0) == 0x00aa00 && dot(0, 99) == 0 && dot(0, 100) == 0x0000aa);
    vga.attribute[0x13] = 1;
    CHECK(dot(0, 100) == 0);
    vga.attribute[0x10] |= 0x20;
    CHECK(dot(0, 100) == 0x0000aa);
}

/* Even and odd lines are 8 KiB apart, two bits a dot. */
static void cga(void) {
    graphics_mode(0x30, 0x27, 0xc1, 0xa2, 0x14);
    out(0x3c4, 4, 2), out(0x3c4, 2, 3), out(0x3ce, 6, 0x0f);
    CHECK(vga.view == VIEW_ODD_EVEN);
    is(320, 200);
    memory_write(&memory, 0xb8000 + 80, (uint8_t[]){0x1b, 0xe4}, 2);
    memory_write(&memory, 0xb8000 + 0x2000, (uint8_t[]){0xc0}, 1);
    for (unsigned x = 0; x < 8; x++)
        CHECK(dot(x, 2) == picture.colors[x < 4 ? x : 7 - x]);
    CHECK(dot(0, 1) == picture.colors[3] && dot(0, 0) == 0);
    graphics_mode(0, 0x4f, 0xc1, 0xc2, 0x28);
    out(0x3c4, 2, 1), out(0x3ce, 6, 0x0d);
    CHECK(vga.view == VIEW_PLANE0);
    is(640, 200);
    memory_write(&memory, 0xb8000 + 0x2000 + 79, (uint8_t[]){1}, 1);
    CHECK(dot(639, 1) == 0x0000aa && dot(638, 1) == 0);
}

/* Whatever the registers say, it is read within memory and the row. */
static void any_registers(void) {
    uint32_t random = 1;
    new_vga();
    for (unsigned n = 0; n < 2000; n++) {
        uint8_t *bytes = (uint8_t *)&vga + offsetof(struct vga, misc);
        for (unsigned i = 0; i < offsetof(struct vga, dac) - offsetof(struct vga, misc); i++)
            bytes[i] = (random = random * 1664525 + 1013904223) >> 24;
        vga_remap(&vga);
        picture_open(&picture, &vga, &memory);
        CHECK(picture.width && picture.width <= PICTURE_COLUMNS && picture.height && picture.height <= PICTURE_ROWS);
        picture_row(&picture, random % picture.height, row);
    }
}

/* --- scaling ---------------------------------------------------------------------------- */

static void scale(void) {
    static uint32_t small[160 * 100], large[640 * 400];
    mode_13h();
    for (unsigned i = 0; i < 64000; i++)
        memory.ram[0xa0000 + i] = i % 320 % 2 ? 200 : 0;
    memory.ram[0xa0000 + 321] = 0;
    picture_open(&picture, &vga, &memory);
    picture_scale(&picture, 160, 100, small);
    CHECK(small[0] == 0x3f2000 && small[1] == 0x7f4100 && small[159 * 100] == 0x7f4100);
    picture_scale(&picture, 640, 400, large);
    CHECK(large[0] == 0 && large[2] == 0xff8200 && large[640 * 2 + 2] == 0 && large[3] == large[2]);
    unsigned columns = 80, rows = 48;
    picture_fit(&picture, &columns, &rows);
    CHECK(columns == 64 && rows == 48);
    columns = 40;
    picture_fit(&picture, &columns, &rows);
    CHECK(columns == 40 && rows == 30);
}

/* --- PNG: its chunks, by their lengths; the rest is checked by a decoder in tests/cli ------ */

static uint8_t file[10000];
static size_t length;

static void put(void *context, const void *bytes, size_t n) {
    (void)context;
    if (length + n <= sizeof file)
        memcpy(file + length, bytes, n);
    length += n;
}

static void png(void) {
    struct png p = {.put = put};
    png_begin(&p, 2, 1);
    png_row(&p, (uint32_t[PICTURE_COLUMNS]){0x123456, 0xabcdef});
    png_end(&p);
    static const uint8_t idat[] = {0, 0, 0, 12, 'I', 'D', 'A', 'T', 0, 7, 0, 0xf8, 0xff, 0,
                                   0x12, 0x34, 0x56, 0xab, 0xcd, 0xef};
    CHECK(length == 8 + 25 + 14 + 24 + 21 + 12);
    CHECK(!memcmp(file + 8 + 25 + 14, idat, sizeof idat));
    CHECK(!memcmp(file + length - 8, "IEND\xae\x42\x60\x82", 8));
}

int main(void) {
    memory_open(&memory, 1 << 20);
    text();
    two_fonts();
    chained();
    unchained();
    sixteen_colors();
    split();
    cga();
    any_registers();
    scale();
    png();
    memory_close(&memory);
    return unit_end();
}
