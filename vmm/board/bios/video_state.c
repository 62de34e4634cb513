/* What the screen is, by the data area, and its CRT controller. */
#include "vmm/board/bios/video.h"

/* --- the CRTC ---------------------------------------------------------------------------------------- */

static uint16_t crtc(struct bios *b) { return peek16(b, BDA_CRTC); }

void video_register(struct bios *b, uint8_t index, uint8_t value) {
    port_out(b, crtc(b), index);
    port_out(b, crtc(b) + 1, value);
}

uint8_t video_read_register(struct bios *b, uint8_t index) {
    port_out(b, crtc(b), index);
    return port_in(b, crtc(b) + 1);
}

void video_register_pair(struct bios *b, uint8_t index, unsigned value) {
    video_register(b, index, (uint8_t)(value >> 8));
    video_register(b, index + 1, (uint8_t)value);
}

/* --- what it is now ----------------------------------------------------------------------------------- */

static uint32_t memory_of(struct bios *b, uint8_t mode) {
    if (peek16(b, ebda(b, EBDA_VBE_MODE)))
        return 0;
    return mode == 7 ? 0xb0000 : mode < 7 ? 0xb8000 : 0xa0000;
}

static bool is_text_mode(uint8_t mode) { return mode <= 3 || mode == 7; }

struct video video_now(struct bios *b) {
    uint8_t mode = peek8(b, BDA_MODE) & 0x7f;
    uint32_t memory = memory_of(b, mode);
    struct video v = {
        .mode = mode, .text = memory && is_text_mode(mode),
        .columns = peek16(b, BDA_COLUMNS), .rows = peek8(b, BDA_ROWS) + 1u,
        .page_size = peek16(b, BDA_PAGE_SIZE), .height = peek16(b, BDA_FONT_HEIGHT),
        .memory = memory,
        .page = peek8(b, BDA_PAGE) & (VIDEO_PAGES - 1),
    };
    v.columns = v.columns && v.columns <= (v.text ? 132 : 240) ? v.columns : 80;
    return v;
}

struct cursor video_cursor(struct bios *b, unsigned page) {
    uint16_t at = peek16(b, BDA_CURSORS + 2 * (page & (VIDEO_PAGES - 1)));
    return (struct cursor){at >> 8, at & 0xff};
}

void video_move(struct bios *b, const struct video *v, unsigned page, struct cursor to) {
    page &= VIDEO_PAGES - 1;
    poke16(b, BDA_CURSORS + 2 * page, (uint16_t)(to.row << 8 | to.column));
    if (page == v->page && v->text)
        video_register_pair(b, 0x0e, page * v->page_size / CELL + to.row * v->columns + to.column);
}

/* Programs give the lines of a CGA's eight; with a larger font they are scaled. */
void video_shape(struct bios *b, uint16_t shape) {
    unsigned start = shape >> 8 & 0x3f, end = shape & 0x1f, height = peek16(b, BDA_FONT_HEIGHT);
    if (height > 8 && end < 8 && start < 0x20) {
        start = end != start + 1 ? (start + 1) * height / 8 - 1 : (end + 1) * height / 8 - 2;
        end = (end + 1) * height / 8 - 1;
    }
    video_register(b, 0x0a, (uint8_t)start);
    video_register(b, 0x0b, (uint8_t)end);
}
