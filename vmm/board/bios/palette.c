/* INT 10h, AH=0B and 10: the attribute controller's palette, and the DAC's colours. */
#include "vmm/board/bios/video.h"

enum { PALETTE = 0x3c0, PALETTE_READ = 0x3c1, DAC_MASK = 0x3c6, DAC_READ = 0x3c7, DAC_WRITE = 0x3c8,
       DAC_DATA = 0x3c9 };
enum { MODE = 0x10, BORDER = 0x11, COLOR_SELECT = 0x14, SHOWN = 0x20, BLINK = 8 };

/* --- attribute controller: index and data come by one port ------------------------------------------------- */

static void expect_index(struct bios *b) { port_in(b, peek16(b, BDA_CRTC) + 6); }

static void set_attribute(struct bios *b, uint8_t index, uint8_t value) {
    expect_index(b);
    port_out(b, PALETTE, index);
    port_out(b, PALETTE, value);
    port_out(b, PALETTE, SHOWN);
}

static uint8_t get_attribute(struct bios *b, uint8_t index) {
    expect_index(b);
    port_out(b, PALETTE, index);
    uint8_t value = port_in(b, PALETTE_READ);
    expect_index(b);
    port_out(b, PALETTE, SHOWN);
    return value;
}

/* The background is color 0 in every mode, as other BIOSes for virtual machines have it; a bright
 * one has bit 4. */
static void set_background(struct bios *b, uint8_t color) {
    enum { BRIGHT = 0x10 };
    set_attribute(b, 0, (uint8_t)((color & 7) | (color & 8 ? BRIGHT : 0)));
    for (uint8_t i = 1; i < 4; i++)
        set_attribute(b, i, (uint8_t)((get_attribute(b, i) & ~BRIGHT) | (color & BRIGHT)));
    set_attribute(b, BORDER, color & 0x0f);
}

/* BH=0: border and background; 1: of a CGA's two palettes. */
void palette_colors(struct call *c) {
    struct bios *b = c->bios;
    uint8_t now = peek8(b, BDA_PALETTE);
    if (c->bh == 0) {
        poke8(b, BDA_PALETTE, (uint8_t)((now & ~0x1f) | (c->bl & 0x1f)));
        set_background(b, c->bl);
    } else if (c->bh == 1) {
        poke8(b, BDA_PALETTE, (uint8_t)((now & ~0x20) | (c->bl & 1) << 5));
        for (uint8_t i = 1; i < 4 && peek8(b, BDA_MODE) >= 4 && peek8(b, BDA_MODE) <= 6; i++)
            set_attribute(b, i, (uint8_t)((get_attribute(b, i) & ~1) | (c->bl & 1)));
    }
}

static void set_all(struct call *c) {
    uint8_t colors[17];
    far_read(c, c->es, c->dx, colors, sizeof colors);
    for (uint8_t i = 0; i < 16; i++)
        set_attribute(c->bios, i, colors[i]);
    set_attribute(c->bios, BORDER, colors[16]);
}

static void get_all(struct call *c) {
    uint8_t colors[17];
    for (uint8_t i = 0; i < 16; i++)
        colors[i] = get_attribute(c->bios, i);
    colors[16] = get_attribute(c->bios, BORDER);
    far_write(c, c->es, c->dx, colors, sizeof colors);
}

static void set_blink(struct call *c) {
    uint8_t mode = get_attribute(c->bios, MODE);
    set_attribute(c->bios, MODE, (uint8_t)((mode & ~BLINK) | (c->bl & 1 ? BLINK : 0)));
}

/* BL=0: BH is whether there are 4 pages of 64 colours or 16 of 16; 1: which of them. */
static void set_color_page(struct call *c) {
    struct bios *b = c->bios;
    uint8_t mode = get_attribute(b, MODE);
    if (c->bl == 0)
        set_attribute(b, MODE, (uint8_t)((mode & 0x7f) | (c->bh & 1) << 7));
    else
        set_attribute(b, COLOR_SELECT, (uint8_t)(mode & 0x80 ? c->bh & 15 : (c->bh & 3) << 2));
}

static void get_color_page(struct call *c) {
    uint8_t mode = get_attribute(c->bios, MODE), page = get_attribute(c->bios, COLOR_SELECT);
    c->bl = mode >> 7;
    c->bh = mode & 0x80 ? page & 15 : page >> 2 & 3;
}

/* --- DAC -------------------------------------------------------------------------------------------------------- */

static void set_colors(struct bios *b, uint8_t first, const uint8_t *rgb, unsigned count) {
    port_out(b, DAC_WRITE, first);
    for (unsigned i = 0; i < 3 * count; i++)
        port_out(b, DAC_DATA, rgb[i]);
}

static void get_colors(struct bios *b, uint8_t first, uint8_t *rgb, unsigned count) {
    port_out(b, DAC_READ, first);
    for (unsigned i = 0; i < 3 * count; i++)
        rgb[i] = port_in(b, DAC_DATA);
}

static unsigned block(const struct call *c) {
    unsigned room = c->bx < 256 ? 256 - c->bx : 0;
    return c->cx < room ? c->cx : room;
}

static void set_block(struct call *c) {
    uint8_t rgb[3 * 256];
    unsigned count = block(c);
    far_read(c, c->es, c->dx, rgb, 3 * count);
    set_colors(c->bios, c->bl, rgb, count);
}

static void get_block(struct call *c) {
    uint8_t rgb[3 * 256];
    unsigned count = block(c);
    get_colors(c->bios, c->bl, rgb, count);
    far_write(c, c->es, c->dx, rgb, 3 * count);
}

static void get_color(struct call *c) {
    uint8_t rgb[3];
    get_colors(c->bios, c->bl, rgb, 1);
    c->dh = rgb[0];
    c->ch = rgb[1];
    c->cl = rgb[2];
}

/* 30, 59 and 11 percent of red, green and blue. */
static void make_grey(struct call *c) {
    unsigned count = block(c);
    for (unsigned i = 0; i < count; i++) {
        uint8_t rgb[3];
        get_colors(c->bios, (uint8_t)(c->bl + i), rgb, 1);
        rgb[0] = rgb[1] = rgb[2] = (uint8_t)((rgb[0] * 77 + rgb[1] * 151 + rgb[2] * 28 + 128) >> 8);
        set_colors(c->bios, (uint8_t)(c->bl + i), rgb, 1);
    }
}

void palette_function(struct call *c) {
    struct bios *b = c->bios;
    switch (c->al) {
    case 0x00:
        if (c->bl <= COLOR_SELECT)
            set_attribute(b, c->bl, c->bh);
        break;
    case 0x01: set_attribute(b, BORDER, c->bh); break;
    case 0x02: set_all(c); break;
    case 0x03: set_blink(c); break;
    case 0x07:
        if (c->bl <= COLOR_SELECT)
            c->bh = get_attribute(b, c->bl);
        break;
    case 0x08: c->bh = get_attribute(b, BORDER); break;
    case 0x09: get_all(c); break;
    case 0x10: set_colors(b, c->bl, (const uint8_t[]){c->dh, c->ch, c->cl}, 1); break;
    case 0x12: set_block(c); break;
    case 0x13: set_color_page(c); break;
    case 0x15: get_color(c); break;
    case 0x17: get_block(c); break;
    case 0x18: port_out(b, DAC_MASK, c->bl); break;
    case 0x19: c->bx = port_in(b, DAC_MASK); break;
    case 0x1a: get_color_page(c); break;
    case 0x1b: make_grey(c); break;
    default: c->unknown = true;
    }
}
