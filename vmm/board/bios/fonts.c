/* INT 10h, AH=11: fonts of the text modes, of the graphics modes, and where those in ROM are. */
#include "vmm/board/bios/video.h"
#include "vmm/devices/devices.h"
#include "vmm/devices/display/vga.h"

enum { LINES = 400, MAXIMUM_LINE = 0x09, VERTICAL_END = 0x12 };

struct font {
    uint16_t segment, offset;
    unsigned height, first, count;
};

static const uint16_t rom_fonts[] = {[8] = ROM_FONT8, [14] = ROM_FONT14, [16] = ROM_FONT16};

static struct font in_rom(unsigned height) {
    return (struct font){ROM_SEGMENT, rom_fonts[height], height, 0, 256};
}

/* As many rows as fit on the screen: 25, 28, 50. */
static void set_rows(struct call *c, unsigned height) {
    struct bios *b = c->bios;
    struct video v = video_now(b);
    unsigned rows = LINES / height, used = rows * height - 1;
    uint8_t lines = video_read_register(b, MAXIMUM_LINE);
    video_register(b, MAXIMUM_LINE, (uint8_t)((lines & ~0x1f) | (height - 1)));
    video_register(b, VERTICAL_END, (uint8_t)used);
    poke8(b, BDA_ROWS, (uint8_t)(rows - 1));
    poke16(b, BDA_FONT_HEIGHT, (uint16_t)height);
    poke16(b, BDA_PAGE_SIZE, (uint16_t)((rows * v.columns * CELL + 0xff) & ~0xffu));
    video_shape(b, peek16(b, BDA_CURSOR_SHAPE));
}

void font_load_rom(struct bios *b, unsigned block, unsigned height) {
    const uint8_t *glyphs = bios_rom + rom_fonts[height];
    vga_set_font(b->board->devices.vga, block, 0, 256, height, glyphs);
}

static void load(struct call *c, const struct font *f, bool resize) {
    uint8_t glyph[32];
    for (unsigned n = 0; f->height && f->height <= sizeof glyph && n < f->count && f->first + n < 256; n++) {
        far_read(c, f->segment, (uint16_t)(f->offset + n * f->height), glyph, f->height);
        vga_set_font(c->bios->board->devices.vga, c->bl, f->first + n, 1, f->height, glyph);
    }
    if (resize && f->height >= 4 && f->height <= sizeof glyph)
        set_rows(c, f->height);
}

/* Two of eight, in the bits that the sequencer has for them; attribute bit 3 chooses. */
static void choose_fonts(struct call *c) {
    enum { SEQUENCER = 0x3c4, CHARACTER_MAP = 3 };
    port_out(c->bios, SEQUENCER, CHARACTER_MAP);
    port_out(c->bios, SEQUENCER + 1, c->bl);
}

/* BL: rows by a number, or in DL. */
static void use_for_graphics(struct call *c, uint16_t segment, uint16_t offset, unsigned height) {
    static const uint8_t rows[] = {0, 14, 25, 43};
    unsigned n = c->bl && c->bl < 4 ? rows[c->bl] : c->dl;
    set_vector(c->bios, 0x43, segment, offset);
    poke16(c->bios, BDA_FONT_HEIGHT, (uint16_t)height);
    if (n)
        poke8(c->bios, BDA_ROWS, (uint8_t)(n - 1));
}

static void where_vector(struct call *c, unsigned n) {
    c->es = peek16(c->bios, n * 4 + 2);
    c->bp = peek16(c->bios, n * 4);
}

static void rom(struct call *c, uint16_t offset) {
    c->es = ROM_SEGMENT;
    c->bp = offset;
}

static void where(struct call *c) {
    switch (c->bh) {
    case 0: where_vector(c, 0x1f); break;
    case 1: where_vector(c, 0x43); break;
    case 2: rom(c, ROM_FONT14); break;
    case 3: rom(c, ROM_FONT8); break;
    case 4: rom(c, ROM_FONT8 + 1024); break;
    case 5: rom(c, ROM_FONT14_WIDE); break;
    case 6: rom(c, ROM_FONT16); break;
    case 7: rom(c, ROM_FONT16_WIDE); break;
    default: return;
    }
    c->cx = peek16(c->bios, BDA_FONT_HEIGHT);
    c->dl = peek8(c->bios, BDA_ROWS);
}

void font_function(struct call *c) {
    bool resize = c->al & 0x10;
    struct font own = {c->es, c->bp, c->bh, c->dx, c->cx}, f;
    switch (c->al) {
    case 0x00: case 0x10: load(c, &own, resize); break;
    case 0x01: case 0x11: f = in_rom(14); load(c, &f, resize); break;
    case 0x02: case 0x12: f = in_rom(8); load(c, &f, resize); break;
    case 0x04: case 0x14: f = in_rom(16); load(c, &f, resize); break;
    case 0x03: choose_fonts(c); break;
    case 0x20: set_vector(c->bios, 0x1f, c->es, c->bp); break;
    case 0x21: use_for_graphics(c, c->es, c->bp, c->cx); break;
    case 0x22: use_for_graphics(c, ROM_SEGMENT, ROM_FONT14, 14); break;
    case 0x23: use_for_graphics(c, ROM_SEGMENT, ROM_FONT8, 8); break;
    case 0x24: use_for_graphics(c, ROM_SEGMENT, ROM_FONT16, 16); break;
    case 0x30: where(c); break;
    default: c->unknown = true;
    }
}

void bios_load_font(struct bios *b) { font_load_rom(b, 0, 16); }
