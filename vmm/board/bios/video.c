/* INT 10h: the screen as a whole; cursor, pages, what the adapter is. */
#include "vmm/board/bios/video.h"

/* --- AH=00 to 05, 0F --------------------------------------------------------------------------------------- */

/* AL as other BIOSes leave it. */
static void set_video_mode(struct call *c) {
    uint8_t mode = c->al & 0x7f;
    video_set_mode(c->bios, mode, !(c->al & 0x80));
    c->al = mode > 7 ? 0x20 : mode == 6 ? 0x3f : 0x30;
}

static void set_cursor_shape(struct call *c) {
    poke16(c->bios, BDA_CURSOR_SHAPE, c->cx);
    video_shape(c->bios, c->cx);
}

static void set_cursor(struct call *c) {
    struct video v = video_now(c->bios);
    video_move(c->bios, &v, c->bh, (struct cursor){c->dh, c->dl});
}

static void get_cursor(struct call *c) {
    struct cursor at = video_cursor(c->bios, c->bh);
    c->ax = 0;
    c->cx = peek16(c->bios, BDA_CURSOR_SHAPE);
    c->dh = (uint8_t)at.row;
    c->dl = (uint8_t)at.column;
}

static void no_light_pen(struct call *c) { c->ax = c->bx = c->cx = c->dx = 0; }

static void set_page(struct call *c) {
    struct bios *b = c->bios;
    struct video v = video_now(b);
    if (c->al >= VIDEO_PAGES)
        return;
    v.page = c->al;
    poke8(b, BDA_PAGE, c->al);
    poke16(b, BDA_PAGE_START, (uint16_t)(c->al * v.page_size));
    video_register_pair(b, 0x0c, c->al * v.page_size / (v.text ? CELL : 1));
    video_move(b, &v, v.page, video_cursor(b, v.page));
}

static void which_mode(struct call *c) {
    c->ah = (uint8_t)peek16(c->bios, BDA_COLUMNS);
    c->al = peek8(c->bios, BDA_MODE) | (peek8(c->bios, BDA_VIDEO_CONTROL) & 0x80);
    c->bh = peek8(c->bios, BDA_PAGE);
}

/* --- AH=12, 1A, 1B: what the adapter is ----------------------------------------------------------------------- */

static void alternate(struct call *c) {
    switch (c->bl) {
    case 0x10: /* in colour, 256 KiB, the switches of an EGA */
        c->bx = peek16(c->bios, BDA_CRTC) == 0x3b4 ? 0x0103 : 0x0003;
        c->cx = peek8(c->bios, BDA_VIDEO_SWITCHES) & 0x0f;
        break;
    case 0x30: case 0x31: case 0x32: case 0x33: case 0x34: case 0x36:
        c->al = 0x12; /* as is: one monitor of 400 lines, always on */
        break;
    default:
        c->unknown = true;
    }
}

/* A VGA with a colour monitor. */
static void display_code(struct call *c) {
    if (c->al == 0) {
        c->bl = peek8(c->bios, BDA_DISPLAY);
        c->bh = 0;
    } else if (c->al == 1) {
        poke8(c->bios, BDA_DISPLAY, c->bl);
    } else {
        return;
    }
    c->al = 0x1a;
}

/* The state's 64 bytes begin with a pointer to what does not change, and 30 bytes of the
 * data area. */
static void functionality(struct call *c) {
    struct bios *b = c->bios;
    uint8_t state[64] = {0};
    uint32_t fixed = (uint32_t)ROM_SEGMENT << 16 | ROM_FUNCTIONALITY;
    if (c->bx)
        return;
    for (unsigned i = 0; i < 4; i++)
        state[i] = (uint8_t)(fixed >> 8 * i);
    for (unsigned i = 0; i < 30; i++)
        state[4 + i] = peek8(b, BDA_MODE + i);
    state[0x22] = peek8(b, BDA_ROWS) + 1;
    state[0x23] = peek8(b, BDA_FONT_HEIGHT);
    state[0x25] = peek8(b, BDA_DISPLAY);
    state[0x27] = 16;                      /* colours */
    state[0x29] = VIDEO_PAGES;
    state[0x2a] = 2;                       /* 400 lines */
    state[0x31] = 3;                       /* 256 KiB */
    far_write(c, c->es, c->di, state, sizeof state);
    c->al = 0x1b;
}

/* No windows' shadow of the screen: ES:DI is the screen. */
static void as_it_is(struct call *c) { (void)c; }

/* --- words --------------------------------------------------------------------------------------------------------- */

static void ask_character(struct call *c, struct words *w) {
    if (c->al >= ' ' && c->al < 0x7f)
        words_add(w, "'%c'", c->al);
    else
        words_add(w, "character %02x", c->al);
}

static void ask_characters(struct call *c, struct words *w) {
    ask_character(c, w);
    words_add(w, ", %u of them", c->cx);
    if (c->ah == 0x09)
        words_add(w, ", attribute %02x", c->bl);
}

static void ask_mode(struct call *c, struct words *w) { words_add(w, "%02x", c->al); }
static void ask_place(struct call *c, struct words *w) { words_add(w, "row %u, column %u", c->dh, c->dl); }

static void ask_window(struct call *c, struct words *w) {
    words_add(w, "rows %u to %u, columns %u to %u, by %u", c->ch, c->dh, c->cl, c->dl, c->al);
}

static void ask_string(struct call *c, struct words *w) {
    char text[41];
    unsigned n = 0, step = c->al & 2 ? 2 : 1;
    for (; n < c->cx && n < sizeof text - 1; n++) {
        uint8_t byte;
        far_read(c, c->es, (uint16_t)(c->bp + n * step), &byte, 1);
        text[n] = byte >= ' ' && byte < 0x7f ? (char)byte : '.';
    }
    text[n] = '\0';
    words_add(w, "\"%s\"%s at row %u, column %u", text, n < c->cx ? "..." : "", c->dh, c->dl);
}

static void no_answer(struct call *c, struct words *w) { (void)c, words_add(w, "done"); }

static const struct service list[] = {
    TOLD(0x10, BY_AH(0x00), "set the mode", set_video_mode, ask_mode, no_answer),
    TOLD(0x10, BY_AH(0x01), "cursor shape", set_cursor_shape, NULL, no_answer),
    TOLD(0x10, BY_AH(0x02), "move the cursor", set_cursor, ask_place, no_answer),
    ROW(0x10, BY_AH(0x03), "where is the cursor", get_cursor),
    ROW(0x10, BY_AH(0x04), "light pen", no_light_pen),
    ROW(0x10, BY_AH(0x05), "show a page", set_page),
    TOLD(0x10, BY_AH(0x06), "scroll up", text_scroll, ask_window, no_answer),
    TOLD(0x10, BY_AH(0x07), "scroll down", text_scroll, ask_window, no_answer),
    ROW(0x10, BY_AH(0x08), "read a character", text_read),
    TOLD(0x10, BY_AH(0x09), "write characters", text_write, ask_characters, no_answer),
    TOLD(0x10, BY_AH(0x0a), "write characters, attributes kept", text_write_character, ask_characters,
         no_answer),
    ROW(0x10, BY_AH(0x0b), "colours", palette_colors),
    ROW(0x10, BY_AH(0x0c), "write a pixel", pixels_put),
    ROW(0x10, BY_AH(0x0d), "read a pixel", pixels_get),
    TOLD(0x10, BY_AH(0x0e), "print", text_teletype, ask_character, no_answer),
    ROW(0x10, BY_AH(0x0f), "which mode is it", which_mode),
    ROW(0x10, BY_AH(0x10), "palette", palette_function),
    ROW(0x10, BY_AH(0x11), "fonts", font_function),
    ROW(0x10, BY_AH(0x12), "adapter", alternate),
    TOLD(0x10, BY_AH(0x13), "print a string", text_string, ask_string, no_answer),
    ROW(0x10, BY_AH(0x1a), "display", display_code),
    ROW(0x10, BY_AH(0x1b), "state of the adapter", functionality),
    ROW(0x10, BY_AH(0x1c), "save or restore the adapter", video_save),
    ROW(0x10, BY_AX(0x4f04), "save or restore the adapter", video_save_vbe),
    TOLD(0x10, BY_AH(0x4f), "VBE", vbe_function, vbe_asks, vbe_answers),
    ROW(0x10, BY_AH(0xfe), "shadow of the screen", as_it_is),
    ROW(0x10, BY_AH(0xff), "show the shadow", as_it_is),
};
const struct services services_video = {list, sizeof list / sizeof *list};

void video_post(struct bios *b) {
    poke8(b, BDA_VIDEO_CONTROL, 0x60);
    poke8(b, BDA_VIDEO_SWITCHES, 0xf9);
    poke8(b, BDA_VIDEO_FLAGS, 0x51);
    poke8(b, BDA_DISPLAY, 0x08);
    vbe_post(b);
    video_set_mode(b, 3, true);
}
