/* INT 10h, AH=00: a mode is what the VGA's registers are set to. The values are those that
 * IBM's VGA has for its modes. */
#include "vmm/board/bios/video.h"

#include "vmm/cpu/service.h"
#include "vmm/devices/display/dispi.h"

enum { CRTC_REGISTERS = 25, ATTRIBUTES = 20, GRAPHICS = 9, SEQUENCER = 4 };

struct shape { /* of a family of modes */
    uint8_t misc;
    uint8_t sequencer[SEQUENCER]; /* from register 1 on */
    uint8_t crtc[CRTC_REGISTERS];
    uint8_t graphics[GRAPHICS];
};

#define TEXT_GRAPHICS  {0, 0, 0, 0, 0, 0x10, 0x0e, 0x0f, 0xff}
#define PLANE_GRAPHICS {0, 0, 0, 0, 0, 0x00, 0x05, 0x0f, 0xff}
static const struct shape text40 = {
    0x67, {0x08, 0x03, 0x00, 0x02},
    {0x2d, 0x27, 0x28, 0x90, 0x2b, 0xa0, 0xbf, 0x1f, 0, 0x4f, 0x0d, 0x0e, 0, 0, 0, 0,
     0x9c, 0x8e, 0x8f, 0x14, 0x1f, 0x96, 0xb9, 0xa3, 0xff}, TEXT_GRAPHICS};
static const struct shape text80 = {
    0x67, {0x00, 0x03, 0x00, 0x02},
    {0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0, 0x4f, 0x0d, 0x0e, 0, 0, 0, 0,
     0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff}, TEXT_GRAPHICS};
static const struct shape mono80 = {
    0x66, {0x00, 0x03, 0x00, 0x02},
    {0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0, 0x4f, 0x0d, 0x0e, 0, 0, 0, 0,
     0x9c, 0x8e, 0x8f, 0x28, 0x0f, 0x96, 0xb9, 0xa3, 0xff}, {0, 0, 0, 0, 0, 0x10, 0x0a, 0x0f, 0xff}};
static const struct shape cga320 = {
    0x63, {0x09, 0x03, 0x00, 0x02},
    {0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0, 0xc1, 0, 0, 0, 0, 0, 0,
     0x9c, 0x8e, 0x8f, 0x14, 0x00, 0x96, 0xb9, 0xa2, 0xff}, {0, 0, 0, 0, 0, 0x30, 0x0f, 0x0f, 0xff}};
static const struct shape cga640 = {
    0x63, {0x01, 0x01, 0x00, 0x06},
    {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0, 0xc1, 0, 0, 0, 0, 0, 0,
     0x9c, 0x8e, 0x8f, 0x28, 0x00, 0x96, 0xb9, 0xc2, 0xff}, {0, 0, 0, 0, 0, 0x00, 0x0d, 0x0f, 0xff}};
static const struct shape ega320 = {
    0x63, {0x09, 0x0f, 0x00, 0x06},
    {0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0, 0xc0, 0, 0, 0, 0, 0, 0,
     0x9c, 0x8e, 0x8f, 0x14, 0x00, 0x96, 0xb9, 0xe3, 0xff}, PLANE_GRAPHICS};
static const struct shape ega640 = {
    0x63, {0x01, 0x0f, 0x00, 0x06},
    {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0, 0xc0, 0, 0, 0, 0, 0, 0,
     0x9c, 0x8e, 0x8f, 0x28, 0x00, 0x96, 0xb9, 0xe3, 0xff}, PLANE_GRAPHICS};
static const struct shape ega350 = {
    0xa3, {0x01, 0x0f, 0x00, 0x06},
    {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0, 0x40, 0, 0, 0, 0, 0, 0,
     0x83, 0x85, 0x5d, 0x28, 0x0f, 0x63, 0xba, 0xe3, 0xff}, PLANE_GRAPHICS};
static const struct shape vga640 = {
    0xe3, {0x01, 0x0f, 0x00, 0x06},
    {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0, 0x40, 0, 0, 0, 0, 0, 0,
     0xea, 0x8c, 0xdf, 0x28, 0x00, 0xe7, 0x04, 0xe3, 0xff}, PLANE_GRAPHICS};
static const struct shape vga320 = {
    0x63, {0x01, 0x0f, 0x00, 0x0e},
    {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0, 0x41, 0, 0, 0, 0, 0, 0,
     0x9c, 0x8e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff}, {0, 0, 0, 0, 0, 0x40, 0x05, 0x0f, 0xff}};

static const uint8_t text_colors[ATTRIBUTES] = {
    0, 1, 2, 3, 4, 5, 0x14, 7, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0, 0x0f, 0x08};
static const uint8_t mono_colors[ATTRIBUTES] = {
    0, 8, 8, 8, 8, 8, 8, 8, 0x10, 0x18, 0x18, 0x18, 0x18, 0x18, 0x18, 0x18, 0x0e, 0, 0x0f, 0x08};
static const uint8_t cga4_colors[ATTRIBUTES] = {
    0, 0x13, 0x15, 0x17, 2, 4, 6, 7, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x01, 0, 0x03, 0};
static const uint8_t cga2_colors[ATTRIBUTES] = {
    0, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x01, 0, 0x01, 0};
static const uint8_t ega_colors[ATTRIBUTES] = {
    0, 1, 2, 3, 4, 5, 6, 7, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x01, 0, 0x0f, 0};
static const uint8_t vga_colors[ATTRIBUTES] = {
    0, 1, 2, 3, 4, 5, 0x14, 7, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x01, 0, 0x0f, 0};
static const uint8_t two_colors[ATTRIBUTES] = {
    0, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x01, 0, 0x0f, 0};
static const uint8_t own_colors[ATTRIBUTES] = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0x41, 0, 0x0f, 0};

static const struct mode {
    uint8_t number, columns, rows, height;
    uint16_t page_size;
    const struct shape *shape;
    const uint8_t *colors;
} modes[] = {
    {0x00, 40, 25, 16, 0x0800, &text40, text_colors}, {0x01, 40, 25, 16, 0x0800, &text40, text_colors},
    {0x02, 80, 25, 16, 0x1000, &text80, text_colors}, {0x03, 80, 25, 16, 0x1000, &text80, text_colors},
    {0x04, 40, 25, 8, 0x4000, &cga320, cga4_colors},  {0x05, 40, 25, 8, 0x4000, &cga320, cga4_colors},
    {0x06, 80, 25, 8, 0x4000, &cga640, cga2_colors},  {0x07, 80, 25, 16, 0x1000, &mono80, mono_colors},
    {0x0d, 40, 25, 8, 0x2000, &ega320, ega_colors},   {0x0e, 80, 25, 8, 0x4000, &ega640, ega_colors},
    {0x0f, 80, 25, 14, 0x8000, &ega350, mono_colors}, {0x10, 80, 25, 14, 0x8000, &ega350, vga_colors},
    {0x11, 80, 30, 16, 0x0000, &vga640, two_colors},  {0x12, 80, 30, 16, 0x0000, &vga640, vga_colors},
    {0x13, 40, 25, 8, 0x0000, &vga320, own_colors},
};

static const struct mode *find_mode(uint8_t number) {
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (modes[i].number == number)
            return &modes[i];
    return NULL;
}

/* --- the DAC: six bits of red, green and blue each ------------------------------------------------------- */

struct rgb {
    uint8_t part[3];
};

/* Of 64 colours: two bits of each, the lower ones in bits 3 to 5. */
static struct rgb ega_color(unsigned n) {
    struct rgb c;
    for (unsigned i = 0; i < 3; i++)
        c.part[i] = (uint8_t)((n >> (2 - i) & 1 ? 0x2a : 0) | (n >> (5 - i) & 1 ? 0x15 : 0));
    return c;
}

/* The wheel of 24 hues from blue on: one part of the colour rises or falls in four steps. */
static struct rgb hue(unsigned n, const uint8_t level[5]) {
    static const uint8_t moving[6] = {0, 2, 1, 0, 2, 1}; /* red rises, blue falls, green rises … */
    static const uint8_t from[6][3] = {{0, 0, 4}, {4, 0, 4}, {4, 0, 0}, {4, 4, 0}, {0, 4, 0}, {0, 4, 4}};
    unsigned side = n / 4, step = n % 4;
    struct rgb c;
    for (unsigned i = 0; i < 3; i++) {
        unsigned at = from[side][i];
        if (i == moving[side])
            at = at ? at - step : at + step;
        c.part[i] = level[at];
    }
    return c;
}

/* Mode 13h: 16 colours, 16 greys, 24 hues in three intensities of three saturations. */
static struct rgb vga_color(unsigned n) {
    static const uint8_t greys[16] = {0, 5, 8, 11, 14, 17, 20, 24, 28, 32, 36, 40, 45, 50, 56, 63};
    static const uint8_t levels[9][5] = {
        {0, 16, 31, 47, 63}, {31, 39, 47, 55, 63}, {45, 49, 54, 58, 63},
        {0, 7, 14, 21, 28},  {14, 17, 21, 24, 28}, {20, 22, 24, 26, 28},
        {0, 4, 8, 12, 16},   {8, 10, 12, 14, 16},  {11, 12, 13, 15, 16}};
    if (n < 16)
        return ega_color(n == 6 ? 0x14 : n < 8 ? n : n + 0x30);
    if (n < 32)
        return (struct rgb){{greys[n - 16], greys[n - 16], greys[n - 16]}};
    if (n < 248)
        return hue((n - 32) % 24, levels[(n - 32) / 24]);
    return (struct rgb){{0, 0, 0}};
}

/* Modes of 200 lines are for a monitor of 16 colours: bit 4 makes each bright. */
static struct rgb cga_color(unsigned n) {
    unsigned bright = n & 0x10 ? 0x38 : 0, hue = n & 7;
    return ega_color(hue == 6 && !bright ? 0x14 : hue | bright);
}

static struct rgb dac_color(const struct mode *m, unsigned n) {
    bool cga = (m->number >= 4 && m->number <= 6) || m->number == 0x0d || m->number == 0x0e;
    if (m->number == 0x13)
        return vga_color(n);
    if (n >= 64)
        return (struct rgb){{0, 0, 0}};
    return cga ? cga_color(n) : ega_color(n);
}

static void set_dac(struct bios *b, const struct mode *m) {
    port_out(b, 0x3c6, 0xff);
    port_out(b, 0x3c8, 0);
    for (unsigned n = 0; n < 256; n++) {
        struct rgb c = dac_color(m, n);
        for (unsigned i = 0; i < 3; i++)
            port_out(b, 0x3c9, c.part[i]);
    }
}

/* --- the registers ------------------------------------------------------------------------------------------- */

static void set_attributes(struct bios *b, const struct mode *m) {
    port_in(b, m->number == 7 ? 0x3ba : 0x3da); /* an index comes next */
    for (unsigned i = 0; i < ATTRIBUTES; i++) {
        port_out(b, 0x3c0, (uint8_t)i);
        port_out(b, 0x3c0, m->colors[i]);
    }
    port_out(b, 0x3c0, 0x14);
    port_out(b, 0x3c0, 0x00);
    port_out(b, 0x3c0, 0x20); /* the screen is shown */
}

static void set_registers(struct bios *b, const struct mode *m) {
    const struct shape *s = m->shape;
    uint16_t crtc = m->number == 7 ? 0x3b4 : 0x3d4;
    port_out(b, 0x3c2, s->misc);
    for (unsigned i = 0; i < SEQUENCER; i++) {
        port_out(b, 0x3c4, (uint8_t)(i + 1));
        port_out(b, 0x3c5, s->sequencer[i]);
    }
    port_out(b, crtc, 0x11); /* its bit 7 protects 00 to 07 */
    port_out(b, crtc + 1, 0x00);
    for (unsigned i = 0; i < CRTC_REGISTERS; i++) {
        port_out(b, crtc, (uint8_t)i);
        port_out(b, crtc + 1, s->crtc[i]);
    }
    for (unsigned i = 0; i < GRAPHICS; i++) {
        port_out(b, 0x3ce, (uint8_t)i);
        port_out(b, 0x3cf, s->graphics[i]);
    }
    set_attributes(b, m);
}

/* --- memory ----------------------------------------------------------------------------------------------------- */

static void clear_memory(struct bios *b, const struct video *v) {
    uint16_t cells[512];
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        cells[i] = v->text ? USUAL << 8 | SPACE : 0;
    unsigned length = v->memory == 0xa0000 ? 0x10000 : 0x8000;
    for (unsigned at = 0; at < length; at += sizeof cells)
        service_write(b->cpu, v->memory + at, cells, sizeof cells);
}

static void set_mode_data(struct bios *b, const struct mode *m) {
    poke8(b, BDA_MODE, m->number);
    poke16(b, BDA_COLUMNS, m->columns);
    poke16(b, BDA_PAGE_SIZE, m->page_size);
    poke16(b, BDA_PAGE_START, 0);
    for (unsigned page = 0; page < VIDEO_PAGES; page++)
        poke16(b, BDA_CURSORS + 2 * page, 0);
    poke16(b, BDA_CURSOR_SHAPE, 0x0607);
    poke8(b, BDA_PAGE, 0);
    poke16(b, BDA_CRTC, m->number == 7 ? 0x3b4 : 0x3d4);
    poke8(b, BDA_MODE_REGISTER, 0x29);
    poke8(b, BDA_PALETTE, 0x30);
    poke8(b, BDA_ROWS, m->rows - 1);
    poke16(b, BDA_FONT_HEIGHT, m->height);
}

/* Its display registers come first, or the VGA's show nothing. */
static void leave_vbe(struct bios *b) {
    port_write(b, DISPI_INDEX, 2, DISPI_ENABLE);
    if (port_read(b, DISPI_DATA, 2) & DISPI_ON)
        port_write(b, DISPI_DATA, 2, 0);
    poke16(b, ebda(b, EBDA_VBE_MODE), 0);
}

void video_set_mode(struct bios *b, uint8_t number, bool clear) {
    const struct mode *m = find_mode(number);
    if (!m)
        return;
    leave_vbe(b);
    set_registers(b, m);
    set_dac(b, m);
    set_mode_data(b, m);
    uint8_t control = peek8(b, BDA_VIDEO_CONTROL);
    poke8(b, BDA_VIDEO_CONTROL, (uint8_t)((control & 0x7f) | (clear ? 0 : 0x80)));
    struct video v = video_now(b);
    if (clear)
        clear_memory(b, &v);
    if (v.text)
        font_load_rom(b, 0, m->height);
    static const uint16_t fonts[] = {[8] = ROM_FONT8, [14] = ROM_FONT14, [16] = ROM_FONT16};
    set_vector(b, 0x43, ROM_SEGMENT, fonts[m->height]);
}
