/* INT 10h, AH=4F: VESA BIOS Extensions 2.0, by the registers of dispi.h. */
#include "vmm/board/bios/video.h"

#include <string.h>

#include "vmm/devices/display/dispi.h"
#include "vmm/memory/memory.h"

enum { DONE = 0x004f, FAILED = 0x014f };
enum { MODE_LINEAR = 0x4000, MODE_KEEPS = 0x8000, MODE_NUMBER = 0x1ff };
enum { INFO_SIZE = 256, INFO_SIZE2 = 512, INFO_MODES = 0x22, INFO_OEM = 256, MODE_INFO_SIZE = 256 };

/* --- the modes --------------------------------------------------------------------------------------------- */

static const struct vbe_mode {
    uint16_t number, width, height;
    uint8_t bits;
} modes[] = {
    {0x100, 640, 400, 8},    {0x101, 640, 480, 8},    {0x103, 800, 600, 8},    {0x105, 1024, 768, 8},
    {0x107, 1280, 1024, 8},  {0x10d, 320, 200, 15},   {0x10e, 320, 200, 16},   {0x10f, 320, 200, 24},
    {0x110, 640, 480, 15},   {0x111, 640, 480, 16},   {0x112, 640, 480, 24},   {0x113, 800, 600, 15},
    {0x114, 800, 600, 16},   {0x115, 800, 600, 24},   {0x116, 1024, 768, 15},  {0x117, 1024, 768, 16},
    {0x118, 1024, 768, 24},  {0x119, 1280, 1024, 15}, {0x11a, 1280, 1024, 16}, {0x11b, 1280, 1024, 24},
    {0x140, 320, 200, 32},   {0x141, 640, 400, 32},   {0x142, 640, 480, 32},   {0x143, 800, 600, 32},
    {0x144, 1024, 768, 32},  {0x145, 1280, 1024, 32}, {0x146, 320, 200, 8},    {0x147, 1600, 1200, 32},
    {0x18f, 1280, 720, 32},  {0x192, 1920, 1080, 32},
};
enum { MODES = sizeof modes / sizeof *modes };
_Static_assert(INFO_MODES + 2 * (MODES + 1) <= INFO_SIZE, "the list is in the block that the caller gives");

static const struct vbe_mode *vbe_mode_of(uint16_t number) {
    for (unsigned i = 0; i < MODES; i++)
        if (modes[i].number == (number & MODE_NUMBER))
            return &modes[i];
    return NULL;
}

/* --- the registers ----------------------------------------------------------------------------------------- */

static void set_display(struct bios *b, uint16_t index, uint16_t value) {
    port_write(b, DISPI_INDEX, 2, index);
    port_write(b, DISPI_DATA, 2, value);
}

static uint16_t get_display(struct bios *b, uint16_t index) {
    port_write(b, DISPI_INDEX, 2, index);
    return (uint16_t)port_read(b, DISPI_DATA, 2);
}

struct vbe_shape vbe_shape(struct bios *b) {
    struct vbe_shape s = {.width = get_display(b, DISPI_WIDTH), .height = get_display(b, DISPI_HEIGHT),
                          .bits = get_display(b, DISPI_BITS)};
    unsigned size = (s.bits + 7) / 8;
    s.pitch = get_display(b, DISPI_VIRTUAL_WIDTH) * size;
    s.start = get_display(b, DISPI_Y) * s.pitch + get_display(b, DISPI_X) * size;
    return s;
}

static unsigned dot_size(struct bios *b) { return (get_display(b, DISPI_BITS) + 7u) / 8; }

static bool is_vbe_mode(struct bios *b) { return peek16(b, ebda(b, EBDA_VBE_MODE)); }

/* --- PCI: where the framebuffer is ------------------------------------------------------------------------- */

enum { CONFIG_ADDRESS = 0xcf8, CONFIG_DATA = 0xcfc, COMMAND = 0x04, BAR0 = 0x10 };

static void choose_config(struct bios *b, uint8_t at) {
    port_write(b, CONFIG_ADDRESS, 4, 0x80000000u | 2 << 11 | at); /* device 2 of bus 0 */
}

/* As firmware leaves it. */
void vbe_post(struct bios *b) {
    choose_config(b, BAR0);
    port_write(b, CONFIG_DATA, 4, MEMORY_FRAMEBUFFER);
    choose_config(b, COMMAND);
    port_write(b, CONFIG_DATA, 2, 3);
}

static uint32_t framebuffer(struct bios *b) {
    choose_config(b, BAR0);
    uint32_t base = port_read(b, CONFIG_DATA, 4) & ~15u;
    return base ? base : MEMORY_FRAMEBUFFER;
}

/* --- what there is: 00, 01 --------------------------------------------------------------------------------- */

static void put16(uint8_t *to, uint32_t value) {
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *to, uint32_t value) {
    put16(to, value);
    put16(to + 2, value >> 16);
}

/* The list of modes is in the block itself; names too, if the caller knows of VBE 2. */
static void controller_info(struct call *c) {
    static const char oem[] = "minikvm";
    uint8_t info[INFO_SIZE2] = "VESA", asked[4];
    far_read(c, c->es, c->di, asked, sizeof asked);
    bool second = !memcmp(asked, "VBE2", sizeof asked);
    uint32_t here = (uint32_t)c->es << 16, strings = second ? here + (uint16_t)(c->di + INFO_OEM) : 0;
    put16(info + 0x04, 0x0200);
    put32(info + 0x06, strings);
    put32(info + 0x0a, 1); /* the DAC's width can be switched */
    put32(info + 0x0e, here + (uint16_t)(c->di + INFO_MODES));
    put16(info + 0x12, MEMORY_VRAM >> 16);
    for (unsigned n = 0; second && n < 3; n++) /* vendor, product, revision */
        put32(info + 0x16 + 4 * n, strings);
    for (unsigned i = 0; i < MODES; i++)
        put16(info + INFO_MODES + 2 * i, modes[i].number);
    put16(info + INFO_MODES + 2 * MODES, 0xffff);
    memcpy(info + INFO_OEM, oem, sizeof oem);
    far_write(c, c->es, c->di, info, second ? INFO_SIZE2 : INFO_SIZE);
    c->ax = DONE;
}

/* Sizes and places of red, green, blue and what is free. */
static void put_masks(uint8_t *to, unsigned bits) {
    static const uint8_t masks[][8] = {
        {5, 10, 5, 5, 5, 0, 1, 15}, {5, 11, 6, 5, 5, 0, 0, 0}, {8, 16, 8, 8, 8, 0, 0, 0}, {8, 16, 8, 8, 8, 0, 8, 24}};
    if (bits > 8)
        memcpy(to, masks[bits == 15 ? 0 : bits / 8 - 1], sizeof masks[0]);
}

static void put_window(uint8_t *info) {
    info[0x02] = 7; /* there, for reading and writing */
    put16(info + 0x04, 64);
    put16(info + 0x06, 64); /* KiB */
    put16(info + 0x08, 0xa000);
}

static void mode_info(struct call *c) {
    enum { MODE_ATTRIBUTES = 0x9f, PACKED = 4, DIRECT = 6 }; /* in colour, with text, linear, too */
    const struct vbe_mode *m = vbe_mode_of(c->cx);
    uint8_t info[MODE_INFO_SIZE] = {0};
    if (!m) {
        c->ax = FAILED;
        return;
    }
    unsigned pitch = m->width * ((m->bits + 7u) / 8), images = MEMORY_VRAM / (pitch * m->height) - 1;
    put16(info, MODE_ATTRIBUTES);
    put_window(info);
    put16(info + 0x10, pitch);
    put16(info + 0x12, m->width);
    put16(info + 0x14, m->height);
    info[0x16] = 8;
    info[0x17] = 16;
    info[0x18] = info[0x1a] = info[0x1e] = 1;
    info[0x19] = m->bits;
    info[0x1b] = m->bits == 8 ? PACKED : DIRECT;
    info[0x1d] = info[0x34] = info[0x35] = (uint8_t)(images < 255 ? images : 255);
    put_masks(info + 0x1f, m->bits);
    put32(info + 0x28, framebuffer(c->bios));
    put16(info + 0x32, pitch);
    put_masks(info + 0x36, m->bits);
    far_write(c, c->es, c->di, info, sizeof info);
    c->ax = DONE;
}

/* --- the mode: 02, 03 -------------------------------------------------------------------------------------- */

/* The data area has what text needs: 8 by 16 dots for a character. */
static void set_data(struct bios *b, const struct vbe_mode *m, uint16_t asked) {
    poke16(b, ebda(b, EBDA_VBE_MODE), asked);
    poke8(b, BDA_MODE, m->number & 0x7f);
    poke16(b, BDA_COLUMNS, m->width / 8);
    poke8(b, BDA_ROWS, (uint8_t)(m->height / 16 - 1));
    poke16(b, BDA_FONT_HEIGHT, 16);
    poke16(b, BDA_PAGE_SIZE, 0);
    set_vector(b, 0x43, ROM_SEGMENT, ROM_FONT16);
}

/* The DAC and what is not the mode's are those of mode 13h. */
static void set_vbe_mode(struct call *c) {
    struct bios *b = c->bios;
    const struct vbe_mode *m = vbe_mode_of(c->bx);
    bool keeps = c->bx & MODE_KEEPS;
    c->ax = DONE;
    if ((c->bx & MODE_NUMBER) < 0x100) {
        video_set_mode(b, c->bl & 0x7f, !keeps);
        return;
    }
    if (!m) {
        c->ax = FAILED;
        return;
    }
    uint16_t asked = c->bx & (MODE_LINEAR | MODE_KEEPS | MODE_NUMBER);
    video_set_mode(b, 0x13, false);
    set_display(b, DISPI_WIDTH, m->width);
    set_display(b, DISPI_HEIGHT, m->height);
    set_display(b, DISPI_BITS, m->bits);
    set_display(b, DISPI_ENABLE, DISPI_ON | (c->bx & MODE_LINEAR ? DISPI_LINEAR : 0) | (keeps ? DISPI_NO_CLEAR : 0));
    set_data(b, m, asked);
}

static void get_vbe_mode(struct call *c) {
    uint16_t mode = peek16(c->bios, ebda(c->bios, EBDA_VBE_MODE));
    c->bx = mode ? mode : peek8(c->bios, BDA_MODE);
    c->ax = DONE;
}

/* --- what is shown: 05, 06, 07 ----------------------------------------------------------------------------- */

/* BH=0: set, 1: get; BL is the window, of which there is one. */
static void bank(struct call *c) {
    c->ax = DONE;
    if (!is_vbe_mode(c->bios) || c->bl || c->bh > 1 || (c->bh == 0 && c->dx >= MEMORY_VRAM / DISPI_BANK_SIZE))
        c->ax = FAILED;
    else if (c->bh == 0)
        set_display(c->bios, DISPI_BANK, c->dx);
    else
        c->dx = get_display(c->bios, DISPI_BANK);
}

/* BL: set in dots, get, set in bytes, get the longest. */
static void line_length(struct call *c) {
    struct bios *b = c->bios;
    unsigned size = dot_size(b), height = get_display(b, DISPI_HEIGHT), longest = MEMORY_VRAM / height / size & ~7u;
    unsigned wanted = c->bl == 2 ? c->cx / size : c->cx;
    c->ax = DONE;
    if (!is_vbe_mode(b) || c->bl > 3 || (c->bl != 1 && c->bl != 3 && wanted > longest)) {
        c->ax = FAILED;
        return;
    }
    if (c->bl == 0 || c->bl == 2)
        set_display(b, DISPI_VIRTUAL_WIDTH, (uint16_t)((wanted + 7) & ~7u));
    unsigned width = c->bl == 3 ? longest : get_display(b, DISPI_VIRTUAL_WIDTH);
    c->cx = (uint16_t)width;
    c->bx = (uint16_t)(width * size);
    c->dx = (uint16_t)(MEMORY_VRAM / (width * size) < 0xffff ? MEMORY_VRAM / (width * size) : 0xffff);
}

/* BL: set now or at the next retrace, get. What is outside of memory is refused. */
static void display_start(struct call *c) {
    struct bios *b = c->bios;
    c->ax = DONE;
    if (!is_vbe_mode(b) || (c->bl & 0x7f) > 1) {
        c->ax = FAILED;
        return;
    }
    if (c->bl == 1) {
        c->bh = 0;
        c->cx = get_display(b, DISPI_X);
        c->dx = get_display(b, DISPI_Y);
        return;
    }
    set_display(b, DISPI_X, c->cx);
    set_display(b, DISPI_Y, c->dx);
    if (get_display(b, DISPI_X) != c->cx || get_display(b, DISPI_Y) != c->dx)
        c->ax = FAILED;
}

/* --- colours: 08, 09 --------------------------------------------------------------------------------------- */

/* BL=0: set to at most BH bits, 6 or 8; 1: get. */
static void dac_width(struct call *c) {
    uint16_t enable = get_display(c->bios, DISPI_ENABLE);
    c->ax = DONE;
    if (!is_vbe_mode(c->bios) || c->bl > 1 || (c->bl == 0 && c->bh < 6)) {
        c->ax = FAILED;
        return;
    }
    if (c->bl == 0)
        set_display(c->bios, DISPI_ENABLE,
                    (uint16_t)((enable & ~DISPI_DAC8) | DISPI_NO_CLEAR | (c->bh >= 8 ? DISPI_DAC8 : 0)));
    c->bh = get_display(c->bios, DISPI_ENABLE) & DISPI_DAC8 ? 8 : 6;
}

/* Four bytes a colour: blue, green, red, nothing. BL: set, get, (80) set at the retrace. */
static void palette(struct call *c) {
    struct bios *b = c->bios;
    c->ax = DONE;
    if ((c->bl & 0x7f) > 1 || c->cx > 256 || c->dx + c->cx > 256) {
        c->ax = FAILED;
        return;
    }
    for (unsigned i = 0; i < c->cx; i++) {
        uint8_t color[4] = {0};
        uint16_t at = (uint16_t)(c->di + 4 * i);
        port_out(b, c->bl == 1 ? 0x3c7 : 0x3c8, (uint8_t)(c->dx + i));
        if (c->bl != 1)
            far_read(c, c->es, at, color, sizeof color);
        for (unsigned part = 3; part-- > 0;)
            if (c->bl == 1)
                color[part] = port_in(b, 0x3c9);
            else
                port_out(b, 0x3c9, color[part]);
        if (c->bl == 1)
            far_write(c, c->es, at, color, sizeof color);
    }
}

/* --- what the monitor is: 15 ------------------------------------------------------------------------------- */

/* EDID 1.3 (VESA E-EDID 3): digital, sRGB; 640x480, 800x600, 1024x768 and 1280x1024 at 60 Hz, of
 * which 1024x768 is the best. The last byte makes the sum 0. */
static const uint8_t edid[128] = {
    0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x35, 0x76, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x22,
    0x01, 0x03, 0x80, 0x1a, 0x14, 0x78, 0x0a, 0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54, 0x21,
    0x08, 0x00, 0x81, 0x80, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01,
    /* 65 MHz; 1024 and 320 dots, 768 and 38 lines; where the pulses are; 260 by 195 mm */
    0x64, 0x19, 0x00, 0x40, 0x41, 0x00, 0x26, 0x30, 0x18, 0x88, 0x36, 0x00, 0x04, 0xc3, 0x10, 0x00, 0x00, 0x18,
    0x00, 0x00, 0x00, 0xfc, 0x00, 'm', 'i', 'n', 'i', 'k', 'v', 'm', '\n', ' ', ' ', ' ', ' ', ' ',
    0x00, 0x00, 0x00, 0x10, [126] = 0,
};

/* BL=0: which ways there are to ask, and how many seconds it takes; 1: block DX of it. */
static void monitor_data(struct call *c) {
    uint8_t block[sizeof edid];
    c->ax = DONE;
    if (c->bl == 0) {
        c->bx = 0x0103;
        return;
    }
    if (c->bl > 1 || c->dx) {
        c->ax = FAILED;
        return;
    }
    memcpy(block, edid, sizeof block);
    for (unsigned i = 0; i < sizeof block - 1; i++)
        block[sizeof block - 1] -= block[i];
    far_write(c, c->es, c->di, block, sizeof block);
}

/* --- all of them ------------------------------------------------------------------------------------------- */

void vbe_function(struct call *c) {
    switch (c->al) {
    case 0x00: controller_info(c); break;
    case 0x01: mode_info(c); break;
    case 0x02: set_vbe_mode(c); break;
    case 0x03: get_vbe_mode(c); break;
    case 0x05: bank(c); break;
    case 0x06: line_length(c); break;
    case 0x07: display_start(c); break;
    case 0x08: dac_width(c); break;
    case 0x09: palette(c); break;
    case 0x0a: case 0x10: c->ax = FAILED; break; /* no protected-mode interface, no power management */
    case 0x15: monitor_data(c); break;
    default: c->unknown = true; /* AL is not 4Fh: not supported */
    }
}

/* --- words ------------------------------------------------------------------------------------------------- */

static void words_of_mode(uint16_t asked, struct words *w) {
    const struct vbe_mode *m = vbe_mode_of(asked);
    words_add(w, " %x", asked & MODE_NUMBER);
    if (m)
        words_add(w, " (%ux%u, %u bits)", m->width, m->height, m->bits);
    words_add(w, "%s%s", asked & MODE_LINEAR ? ", linear" : "", asked & MODE_KEEPS ? ", not cleared" : "");
}

void vbe_asks(struct call *c, struct words *w) {
    static const char *const names[] = {"what there is", "what is mode", "set mode", "which mode is it", "state",
                                        "bank", "length of a line", "first dot", "width of the DAC", "colours",
                                        "protected-mode interface"};
    if (c->al < sizeof names / sizeof *names)
        words_add(w, "%s", names[c->al]);
    if (c->al == 1 || c->al == 2)
        words_of_mode(c->al == 1 ? c->cx : c->bx, w);
    if (c->al == 5 && c->bh == 0)
        words_add(w, " %u", c->dx);
}

void vbe_answers(struct call *c, struct words *w) { words_add(w, c->ax == DONE ? "done" : "no"); }
