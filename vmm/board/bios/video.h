/* INT 10h, between its files. */
#ifndef MINIKVM_BIOS_VIDEO_H
#define MINIKVM_BIOS_VIDEO_H

#include "vmm/board/bios/call.h"

enum { VIDEO_PAGES = 8, CELL = 2, SPACE = ' ', USUAL = 0x07 };

/* What a screen is now, by the data area. */
struct video {
    uint8_t mode;
    bool text;
    unsigned columns, rows, page_size, height; /* height: lines of a character */
    uint32_t memory; /* linear, of page 0; 0: of the adapter's own (vbe.c) */
    unsigned page;   /* the one shown */
};

struct cursor {
    unsigned row, column;
};

/* --- video_state.c --- */
struct video video_now(struct bios *);
struct cursor video_cursor(struct bios *, unsigned page);
/* In the data area, and on the screen if that page is shown. */
void video_move(struct bios *, const struct video *, unsigned page, struct cursor);
void video_shape(struct bios *, uint16_t shape); /* the CRTC's cursor, as the font has it */
void video_register(struct bios *, uint8_t index, uint8_t value); /* of the CRTC */
void video_register_pair(struct bios *, uint8_t index, unsigned value); /* high, then low */
uint8_t video_read_register(struct bios *, uint8_t index);

/* --- modes.c --- */
void video_set_mode(struct bios *, uint8_t mode, bool clear);

/* --- text.c --- */
void text_scroll(struct call *);
void text_read(struct call *);
void text_write(struct call *);
void text_write_character(struct call *);
void text_teletype(struct call *);
void text_string(struct call *);

/* --- pixels.c: graphics modes --- */
struct window {
    unsigned top, left, bottom, right; /* all inside */
    unsigned lines;                    /* by how many; 0: it is cleared */
    bool down;
    uint8_t attribute;
};
/* Bit 7 of the colour, where there are no 256: what is there is inverted by it. */
void pixels_draw(struct bios *, const struct video *, unsigned page, struct cursor, uint8_t character, uint8_t color);
uint8_t pixels_read(struct bios *, const struct video *, unsigned page, struct cursor); /* 0: none */
void pixels_scroll(struct bios *, const struct video *, unsigned page, const struct window *);
void pixels_put(struct call *);
void pixels_get(struct call *);

/* --- video_save.c --- */
void video_save(struct call *);     /* AH=1C */
void video_save_vbe(struct call *); /* AX=4F04 */

/* --- vbe.c: modes beyond a VGA's --- */
void vbe_function(struct call *); /* AH=4F */
void vbe_asks(struct call *, struct words *);
void vbe_answers(struct call *, struct words *);
void vbe_post(struct bios *);
/* What is shown, as the adapter's registers have it. */
struct vbe_shape {
    unsigned width, height, bits, pitch;
    uint32_t start; /* in its memory */
};
struct vbe_shape vbe_shape(struct bios *);

/* --- palette.c --- */
void palette_colors(struct call *); /* AH=0B */
void palette_function(struct call *); /* AH=10 */

/* --- fonts.c --- */
void font_function(struct call *); /* AH=11 */
/* 8, 14 or 16 lines of a character. */
void font_load_rom(struct bios *, unsigned block, unsigned height);

#endif
