/* Reading a screen dot by dot; see picture.h. */
#include "vmm/devices/display/picture.h"

#include <string.h>

#include "vmm/memory/layout.h"

enum { DOUBLE_SCAN = 0x80, HEIGHT = 0x1f, MULTIPLY_BY_TWO = 4, BYTE_MODE = 0x40 };
enum { WRAP_A15 = 0x20, ROW_SCAN_0 = 1, ROW_SCAN_1 = 2, DOUBLE_WORD = 0x40 };
enum { SHIFT_INTERLEAVE = 0x20, SHIFT_256 = 0x40, EIGHT_DOTS = 1, PAN_STOPS = 0x20, LINE_GRAPHICS = 4 };
enum { PRESET_ROW_SCAN = 8, ATTRIBUTE_PAN = 0x13, FONT_PLANE = 2 };

/* --- shape ---------------------------------------------------------------------------- */

static unsigned least(unsigned a, unsigned b) { return a < b ? a : b; }

static unsigned scan_height(const struct vga *v) { return (v->crtc[CRTC_CHARACTER_HEIGHT] & HEIGHT) + 1u; }

static unsigned doubled(const struct vga *v) { return v->crtc[CRTC_CHARACTER_HEIGHT] & DOUBLE_SCAN ? 1 : 0; }

static enum picture_kind picture_kind_of(const struct vga *v) {
    if (dispi_is_on(&v->dispi))
        return PICTURE_LINEAR;
    if (vga_shows_text(v))
        return PICTURE_TEXT;
    if (v->graphics[GRAPHICS_MODE] & SHIFT_256)
        return PICTURE_256;
    return v->graphics[GRAPHICS_MODE] & SHIFT_INTERLEAVE ? PICTURE_CGA : PICTURE_16;
}

/* Dots of a character clock. */
static unsigned dots_of(const struct picture *p) {
    if (p->kind == PICTURE_256)
        return 4;
    return p->kind == PICTURE_TEXT && !(p->vga->sequencer[SEQUENCER_CLOCKING] & EIGHT_DOTS) ? 9 : 8;
}

/* In graphics the lines of a row are the same line, unless the row scan counter is part of their
 * address, as a CGA's. */
static unsigned repeat_of(const struct picture *p) {
    const struct vga *v = p->vga;
    bool cga = (v->crtc[CRTC_MODE] & (ROW_SCAN_0 | ROW_SCAN_1)) != (ROW_SCAN_0 | ROW_SCAN_1);
    bool rows_differ = p->kind == PICTURE_TEXT || cga;
    return (rows_differ ? 1 : scan_height(v)) << doubled(v);
}

static void set_picture_size(struct picture *p) {
    const struct vga *v = p->vga;
    unsigned lines = vga_vertical_end(v) << (v->crtc[CRTC_MODE] & MULTIPLY_BY_TWO ? 1 : 0);
    p->repeat = repeat_of(p);
    p->width = least((v->crtc[CRTC_DISPLAY_END] + 1u) * dots_of(p), PICTURE_COLUMNS);
    p->height = least((lines + p->repeat - 1) / p->repeat, PICTURE_ROWS);
}

void picture_open(struct picture *p, const struct vga *v, const struct memory *m) {
    *p = (struct picture){.kind = picture_kind_of(v), .on = vga_is_on(v), .vga = v, .memory = m};
    bool by_dac = p->kind == PICTURE_256 || p->kind == PICTURE_LINEAR;
    if (p->kind == PICTURE_LINEAR)
        p->width = v->dispi.width, p->height = v->dispi.height;
    else
        set_picture_size(p);
    for (unsigned i = 0; i < 256; i++)
        p->colors[i] = by_dac ? vga_dac_color(v, i) : vga_attribute_color(v, i & 15);
}

/* --- where a line is ------------------------------------------------------------------ */

/* Below the line compare display memory is shown from its begin. */
struct line {
    unsigned counter; /* the CRTC's memory address, of the first character clock */
    unsigned scan;    /* its line within the row */
    unsigned pan;     /* dots that are left out on the left */
};

static unsigned pan_of(const struct picture *p) {
    unsigned pan = p->vga->attribute[ATTRIBUTE_PAN] & 15;
    if (p->kind == PICTURE_256)
        return pan / 2 & 3;
    if (dots_of(p) == 9)
        return pan >= 8 ? 0 : pan + 1;
    return pan & 7;
}

static struct line line_of(const struct picture *p, unsigned y) {
    const struct vga *v = p->vga;
    unsigned hardware = y * p->repeat, compare = vga_line_compare(v), pitch = v->crtc[CRTC_OFFSET] * 2u;
    unsigned preset = v->crtc[PRESET_ROW_SCAN];
    bool split = hardware > compare, pans = !split || !(v->attribute[ATTRIBUTE_MODE] & PAN_STOPS);
    unsigned scan = (split ? hardware - compare - 1 : hardware) >> doubled(v);
    unsigned start = v->crtc[CRTC_START_HIGH] << 8 | v->crtc[CRTC_START_LOW];
    if (!split)
        scan += preset & HEIGHT;
    return (struct line){(split ? 0 : start) + scan / scan_height(v) * pitch + (pans ? preset >> 5 & 3 : 0),
                         scan % scan_height(v), pans ? pan_of(p) : 0};
}

/* What goes out to display memory: the counter as it is, or shifted by one or two bits with the
 * upper ones in the free places; and a CGA's rows. */
static unsigned display_address(const struct vga *v, unsigned counter, unsigned scan) {
    unsigned mode = v->crtc[CRTC_MODE], at = counter & 0xffff;
    if (v->crtc[CRTC_UNDERLINE] & DOUBLE_WORD)
        at = at << 2 | (at >> 14 & 3);
    else if (!(mode & BYTE_MODE))
        at = at << 1 | (at >> (mode & WRAP_A15 ? 15 : 13) & 1);
    if (!(mode & ROW_SCAN_0))
        at = (at & ~0x2000u) | (scan & 1) << 13;
    if (!(mode & ROW_SCAN_1))
        at = (at & ~0x4000u) | (scan >> 1 & 1) << 14;
    return at & 0xffff;
}

/* --- the dots of a character clock ---------------------------------------------------- */

static void dots_16(struct vga_bytes b, uint8_t *dots) {
    for (unsigned i = 0; i < 8; i++) {
        unsigned bit = 7 - i;
        dots[i] = (uint8_t)((b.plane[0] >> bit & 1) | (b.plane[1] >> bit & 1) << 1 |
                            (b.plane[2] >> bit & 1) << 2 | (b.plane[3] >> bit & 1) << 3);
    }
}

/* Two bits of planes 0 and 1, and two of 2 and 3 above them. */
static void dots_cga(struct vga_bytes b, uint8_t *dots) {
    for (unsigned i = 0; i < 8; i++) {
        unsigned odd = i / 4, shift = 6 - 2 * (i % 4);
        dots[i] = (uint8_t)((b.plane[odd] >> shift & 3) | (b.plane[2 + odd] >> shift & 3) << 2);
    }
}

/* Attribute bit 3 chooses one of two fonts. */
static unsigned font_of(const struct vga *v, uint8_t attribute) {
    unsigned map = v->sequencer[SEQUENCER_FONT];
    unsigned a = (map >> 2 & 3) | (map >> 3 & 4), b = (map & 3) | (map >> 2 & 4);
    return vga_font_offset(attribute & 8 ? a : b);
}

/* The ninth dot is blank, but for the line graphics from C0 to DF. */
static void dots_text(const struct picture *p, struct vga_bytes cell, unsigned scan, bool inverse, uint8_t *dots) {
    const struct vga *v = p->vga;
    uint8_t character = cell.plane[0], attribute = cell.plane[1], mode = v->attribute[ATTRIBUTE_MODE];
    unsigned glyph = font_of(v, attribute) + character * VGA_FONT_HEIGHT + scan;
    unsigned bits = vga_bytes_at(v, p->memory, glyph).plane[FONT_PLANE] << 1;
    unsigned back = attribute >> 4 & (mode & 8 ? 7 : 15), fore = attribute & 15;
    if (mode & LINE_GRAPHICS && character >= 0xc0 && character < 0xe0)
        bits |= bits >> 1 & 1;
    if (inverse || ((attribute & 7) == 1 && scan == (v->crtc[CRTC_UNDERLINE] & HEIGHT)))
        bits = 0x1ff;
    for (unsigned i = 0; i < 9; i++)
        dots[i] = (uint8_t)(bits >> (8 - i) & 1 ? fore : back);
}

static bool is_cursor(const struct picture *p, unsigned counter, unsigned scan) {
    enum { CURSOR_OFF = 0x20 };
    const uint8_t *crtc = p->vga->crtc;
    return (counter & 0xffff) == (unsigned)(crtc[CRTC_CURSOR_HIGH] << 8 | crtc[CRTC_CURSOR_LOW]) &&
           !(crtc[CRTC_CURSOR_START] & CURSOR_OFF) && scan >= (crtc[CRTC_CURSOR_START] & HEIGHT) &&
           scan <= (crtc[CRTC_CURSOR_END] & HEIGHT);
}

static void dots_at(const struct picture *p, unsigned counter, unsigned scan, uint8_t *dots) {
    struct vga_bytes b = vga_bytes_at(p->vga, p->memory, display_address(p->vga, counter, scan));
    switch (p->kind) {
    case PICTURE_TEXT: dots_text(p, b, scan, is_cursor(p, counter, scan), dots); break;
    case PICTURE_16: dots_16(b, dots); break;
    case PICTURE_CGA: dots_cga(b, dots); break;
    case PICTURE_256: memcpy(dots, b.plane, sizeof b.plane); break;
    case PICTURE_LINEAR: break; /* it has no character clock */
    }
}

/* --- rows ----------------------------------------------------------------------------- */

static uint32_t linear_color(const struct picture *p, uint32_t dot) {
    switch (p->vga->dispi.bits) {
    case 8: return p->colors[dot & 255];
    case 15: return (dot & 0x7c00) << 9 | (dot & 0x7000) << 4 | (dot & 0x3e0) << 6 | (dot & 0x380) << 1 | (dot & 31) << 3 |
                    (dot >> 2 & 7);
    case 16: return (dot & 0xf800) << 8 | (dot & 0xe000) << 3 | (dot & 0x7e0) << 5 | (dot & 0x600) >> 1 | (dot & 31) << 3 |
                    (dot >> 2 & 7);
    default: return dot & 0xffffff;
    }
}

/* As in vga_bytes_at(), the guest may be writing there now. */
__attribute__((no_sanitize("thread"))) static void linear_row(const struct picture *p, unsigned y, uint32_t *row) {
    const struct dispi *d = &p->vga->dispi;
    unsigned size = dispi_dot_size(d);
    uint64_t at = dispi_start(d) + (uint64_t)y * dispi_pitch(d);
    const volatile uint8_t *from = memory_vram(p->memory) + at;
    for (unsigned x = 0; x < p->width && at + (x + 1) * size <= MEMORY_VRAM; x++) {
        uint32_t dot = 0;
        for (unsigned i = 0; i < size; i++)
            dot |= (uint32_t)*from++ << 8 * i;
        row[x] = linear_color(p, dot);
    }
}

void picture_row(const struct picture *p, unsigned y, uint32_t row[PICTURE_COLUMNS]) {
    struct line line = line_of(p, y);
    unsigned step = dots_of(p);
    uint8_t dots[9];
    memset(row, 0, p->width * sizeof *row);
    if (p->on && p->kind == PICTURE_LINEAR) {
        linear_row(p, y, row);
        return;
    }
    for (unsigned n = 0; p->on && n * step < p->width + line.pan; n++) {
        dots_at(p, line.counter + n, line.scan, dots);
        for (unsigned i = 0; i < step; i++)
            if (n * step + i - line.pan < p->width) /* it may be left of the screen: a large number */
                row[n * step + i - line.pan] = p->colors[dots[i]];
    }
}
