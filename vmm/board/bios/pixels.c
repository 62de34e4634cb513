/* INT 10h in graphics modes: dots, and characters that are drawn by the fonts at INT 43h and 1Fh.
 *
 * Eight dots, as a character has on a line, are 1 byte (of each plane), 2 (of a CGA's four
 * colours), or a byte to four for each dot. */
#include "vmm/board/bios/video.h"

#include <string.h>

#include "vmm/cpu/service.h"
#include "vmm/devices/devices.h"
#include "vmm/devices/display/vga.h"
#include "vmm/memory/layout.h"

enum { CELL_BYTES = 32, GLYPH_LINES = 32, ROW_CELLS = 240, CGA_BANK = 0x2000, INVERT = 0x80 };

struct surface {
    struct bios *bios;
    uint8_t *vram;  /* the adapter's memory, if it is there; `stride` bytes are a byte of each plane */
    unsigned stride;
    /* else: */
    uint32_t at;    /* linear, of line 0 */
    bool cga;       /* odd lines are 8 KiB further */
    unsigned planes, cell; /* bytes of eight dots */
    unsigned pitch, width, height;
    unsigned bits;  /* of a dot, in the adapter's memory */
    unsigned plane; /* the one that is read and written */
};

static struct surface vbe_surface(struct bios *b) {
    struct vbe_shape s = vbe_shape(b);
    return (struct surface){.bios = b, .vram = memory_vram(b->board->memory) + s.start, .planes = 1, .stride = 1,
                            .cell = (s.bits + 7) / 8 * 8, .pitch = s.pitch, .width = s.width,
                            .height = s.height, .bits = s.bits};
}

static struct surface surface_of(struct bios *b, const struct video *v, unsigned page) {
    static const uint16_t heights[] = {[0x0f] = 350, [0x10] = 350, [0x11] = 480, [0x12] = 480};
    bool chunky = v->mode == 0x13, cga = v->mode <= 6;
    bool alike = v->mode == 0x11; /* two colours: all planes are written, and have the same */
    if (!v->memory)
        return vbe_surface(b);
    struct surface s = {.bios = b, .cga = cga, .bits = chunky ? 8 : 0,
                        .planes = chunky || cga || alike ? 1 : VGA_PLANES, .cell = chunky ? 8 : v->mode == 4 || v->mode == 5 ? 2 : 1,
                        .width = v->columns * 8, .height = 200};
    if (v->mode < sizeof heights / sizeof *heights && heights[v->mode])
        s.height = heights[v->mode];
    s.pitch = v->columns * s.cell;
    uint32_t offset = chunky || cga ? 0 : page * v->page_size & 0xffff;
    s.at = v->memory + offset;
    if (s.planes == VGA_PLANES && b->board->devices.vga->view == VIEW_PLANES) {
        s.vram = memory_vram(b->board->memory) + offset * VGA_PLANES; /* many accesses are quick there */
        s.stride = VGA_PLANES;
    }
    return s;
}

/* --- bytes ------------------------------------------------------------------------------------------------- */

static void vga_register(const struct surface *s, uint16_t port, uint8_t index, uint8_t value) {
    port_out(s->bios, port, index);
    port_out(s->bios, port + 1, value);
}

/* Reads and writes are of this plane. */
static void choose_plane(struct surface *s, unsigned plane) {
    s->plane = plane;
    if (s->planes == 1 || s->vram)
        return;
    vga_register(s, 0x3c4, 2, (uint8_t)(1 << plane));
    vga_register(s, 0x3ce, 4, (uint8_t)plane);
}

static void choose_all(const struct surface *s) {
    if (s->planes == 1 || s->vram)
        return;
    vga_register(s, 0x3c4, 2, 0x0f);
    vga_register(s, 0x3ce, 4, 0);
}

/* `count` cells of a line. false: they are not all on the surface. */
static bool cells_are_inside(const struct surface *s, unsigned y, unsigned column, unsigned count) {
    return y < s->height && column + count <= s->width / 8 && count <= ROW_CELLS;
}

static uint32_t line_offset(const struct surface *s, unsigned y, unsigned column) {
    uint32_t line = s->cga ? (y & 1) * CGA_BANK + y / 2 * s->pitch : y * s->pitch;
    return line + column * s->cell;
}

static bool is_in_vram(const struct surface *s, const uint8_t *at, unsigned length) {
    const uint8_t *vram = memory_vram(s->bios->board->memory);
    return (size_t)(at - vram) + length <= MEMORY_VRAM;
}

static void get_cells(const struct surface *s, unsigned y, unsigned column, unsigned count, uint8_t *to) {
    unsigned length = count * s->cell;
    memset(to, 0, length);
    if (!cells_are_inside(s, y, column, count))
        return;
    uint32_t offset = line_offset(s, y, column);
    if (!s->vram) {
        service_read(s->bios->cpu, s->at + offset, to, length);
        return;
    }
    const uint8_t *from = s->vram + offset * s->stride + s->plane;
    for (unsigned i = 0; is_in_vram(s, from, length * s->stride) && i < length; i++)
        to[i] = from[i * s->stride];
}

static void put_cells(const struct surface *s, unsigned y, unsigned column, unsigned count, const uint8_t *from) {
    unsigned length = count * s->cell;
    if (!cells_are_inside(s, y, column, count))
        return;
    uint32_t offset = line_offset(s, y, column);
    if (!s->vram) {
        service_write(s->bios->cpu, s->at + offset, from, length);
        return;
    }
    uint8_t *to = s->vram + offset * s->stride + s->plane;
    if (!is_in_vram(s, to, length * s->stride))
        return;
    memory_dirty(s->bios->board->memory, to, length * s->stride);
    for (unsigned i = 0; i < length; i++)
        to[i * s->stride] = from[i];
}

/* --- dots -------------------------------------------------------------------------------------------------- */

/* One of 16 colours in the bits of a dot that has its own; with 256 it is what it is. */
static uint32_t dot_value(const struct surface *s, uint8_t color) {
    unsigned bright = color & 8 ? 0x55 : 0, part[3];
    if (s->bits <= 8)
        return color;
    for (unsigned i = 0; i < 3; i++)
        part[i] = (color >> (2 - i) & 1 ? 0xaa : 0) + bright;
    if (s->bits == 15)
        return part[0] >> 3 << 10 | part[1] >> 3 << 5 | part[2] >> 3;
    if (s->bits == 16)
        return part[0] >> 3 << 11 | part[1] >> 2 << 5 | part[2] >> 3;
    return part[0] << 16 | part[1] << 8 | part[2];
}

static void set_dot(const struct surface *s, uint8_t *cell, unsigned n, uint32_t value, unsigned plane) {
    unsigned size = s->cell / 8, bits = s->cell;
    for (unsigned i = 0; i < size; i++)
        cell[n * size + i] = (uint8_t)(value >> 8 * i);
    if (size)
        return;
    unsigned shift = 8 - bits - n * bits % 8, mask = (1u << bits) - 1;
    uint8_t *byte = &cell[n * bits / 8];
    value = s->planes > 1 ? value >> plane & 1 : value & mask;
    *byte = (uint8_t)((*byte & ~(mask << shift)) | value << shift);
}

static uint32_t get_dot(const struct surface *s, const uint8_t *cell, unsigned n) {
    unsigned size = s->cell / 8, bits = s->cell;
    uint32_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)cell[n * size + i] << 8 * i;
    return size ? value : cell[n * bits / 8] >> (8 - bits - n * bits % 8) & ((1u << bits) - 1);
}

/* AH=0C, 0D: BH is the page. */
void pixels_put(struct call *c) {
    struct video v = video_now(c->bios);
    struct surface s = surface_of(c->bios, &v, c->bh & (VIDEO_PAGES - 1));
    bool inverts = s.cell < 8 && c->al & INVERT;
    uint8_t cell[CELL_BYTES];
    for (unsigned plane = 0; !v.text && plane < s.planes; plane++) {
        choose_plane(&s, plane);
        get_cells(&s, c->dx, c->cx / 8, 1, cell);
        uint32_t was = get_dot(&s, cell, c->cx % 8), dot = dot_value(&s, inverts ? c->al & 0x7f : c->al);
        set_dot(&s, cell, c->cx % 8, inverts ? dot ^ was << (s.planes > 1 ? plane : 0) : dot, plane);
        put_cells(&s, c->dx, c->cx / 8, 1, cell);
    }
    if (!v.text)
        choose_all(&s);
}

void pixels_get(struct call *c) {
    struct video v = video_now(c->bios);
    struct surface s = surface_of(c->bios, &v, c->bh & (VIDEO_PAGES - 1));
    uint8_t cell[CELL_BYTES];
    uint32_t dot = 0;
    if (v.text)
        return;
    for (unsigned plane = 0; plane < s.planes; plane++) {
        choose_plane(&s, plane);
        get_cells(&s, c->dx, c->cx / 8, 1, cell);
        dot |= get_dot(&s, cell, c->cx % 8) << plane;
    }
    choose_all(&s);
    c->al = (uint8_t)dot;
}

/* --- characters -------------------------------------------------------------------------------------------- */

static unsigned glyph_height(const struct video *v) {
    return v->height == 0 ? 1 : v->height < GLYPH_LINES ? v->height : GLYPH_LINES;
}

/* The upper half of a font of eight lines has a vector of its own. */
static void read_glyph(struct bios *b, const struct video *v, uint8_t character, uint8_t glyph[GLYPH_LINES]) {
    unsigned height = glyph_height(v);
    bool upper = height == 8 && character >= 128;
    unsigned vector = (upper ? 0x1f : 0x43) * 4;
    uint32_t font = peek16(b, vector + 2) * 16u + peek16(b, vector);
    service_read(b->cpu, font + (upper ? character - 128u : character) * height, glyph, height);
}

static void draw_line(const struct surface *s, unsigned y, unsigned column, uint8_t bits, uint8_t color,
                      unsigned plane) {
    bool inverts = s->cell < 8 && color & INVERT;
    uint8_t cell[CELL_BYTES] = {0}, was[CELL_BYTES];
    for (unsigned n = 0; n < 8; n++)
        set_dot(s, cell, n, bits >> (7 - n) & 1 ? dot_value(s, color) : 0, plane);
    if (inverts) {
        get_cells(s, y, column, 1, was);
        for (unsigned i = 0; i < s->cell; i++)
            cell[i] ^= was[i];
    }
    put_cells(s, y, column, 1, cell);
}

void pixels_draw(struct bios *b, const struct video *v, unsigned page, struct cursor at, uint8_t character,
                 uint8_t color) {
    struct surface s = surface_of(b, v, page & (VIDEO_PAGES - 1));
    unsigned height = glyph_height(v);
    uint8_t glyph[GLYPH_LINES];
    read_glyph(b, v, character, glyph);
    for (unsigned plane = 0; plane < s.planes; plane++) {
        choose_plane(&s, plane);
        for (unsigned line = 0; line < height; line++)
            draw_line(&s, at.row * height + line, at.column, glyph[line], color, plane);
    }
    choose_all(&s);
}

/* Dots that are not of colour 0. */
static void read_shape(struct surface *s, unsigned y, unsigned column, unsigned height,
                       uint8_t shape[GLYPH_LINES]) {
    uint8_t cell[CELL_BYTES];
    memset(shape, 0, GLYPH_LINES);
    for (unsigned plane = 0; plane < s->planes; plane++) {
        choose_plane(s, plane);
        for (unsigned line = 0; line < height; line++) {
            get_cells(s, y + line, column, 1, cell);
            for (unsigned n = 0; n < 8; n++)
                shape[line] |= (uint8_t)((get_dot(s, cell, n) != 0) << (7 - n));
        }
    }
    choose_all(s);
}

uint8_t pixels_read(struct bios *b, const struct video *v, unsigned page, struct cursor at) {
    struct surface s = surface_of(b, v, page & (VIDEO_PAGES - 1));
    unsigned height = glyph_height(v);
    uint8_t shape[GLYPH_LINES], glyph[GLYPH_LINES];
    read_shape(&s, at.row * height, at.column, height, shape);
    for (unsigned character = 0; character < 256; character++) {
        read_glyph(b, v, (uint8_t)character, glyph);
        if (!memcmp(shape, glyph, height))
            return (uint8_t)character;
    }
    return 0;
}

/* --- scrolling --------------------------------------------------------------------------------------------- */

static void scroll_plane(const struct surface *s, const struct window *w, unsigned height, unsigned plane) {
    unsigned count = w->right - w->left + 1, all = (w->bottom - w->top + 1) * height;
    unsigned by = w->lines && w->lines * height < all ? w->lines * height : all;
    uint8_t blank[ROW_CELLS * CELL_BYTES] = {0}, moved[ROW_CELLS * CELL_BYTES];
    for (unsigned n = 0; n < count * 8; n++)
        set_dot(s, blank + n / 8 * s->cell, n % 8, dot_value(s, w->attribute), plane);
    for (unsigned n = 0; n < all; n++) {
        unsigned to = w->top * height + (w->down ? all - 1 - n : n), from = w->down ? to - by : to + by;
        if (n + by < all)
            get_cells(s, from, w->left, count, moved);
        put_cells(s, to, w->left, count, n + by < all ? moved : blank);
    }
}

void pixels_scroll(struct bios *b, const struct video *v, unsigned page, const struct window *w) {
    struct surface s = surface_of(b, v, page & (VIDEO_PAGES - 1));
    if (w->right - w->left >= ROW_CELLS)
        return;
    for (unsigned plane = 0; plane < s.planes; plane++) {
        choose_plane(&s, plane);
        scroll_plane(&s, w, glyph_height(v), plane);
    }
    choose_all(&s);
}
