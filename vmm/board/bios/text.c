/* INT 10h: characters on the screen; in graphics modes pixels.c draws them. */
#include "vmm/board/bios/video.h"

#include "vmm/cpu/service.h"

enum { BEL = 7, BACKSPACE = 8, LINE_FEED = 10, RETURN = 13 };

/* --- cells ---------------------------------------------------------------------------------------------- */

/* Linear address of a cell; pages wrap in 32 KiB of display memory. */
static uint32_t cell(const struct video *v, unsigned page, struct cursor at) {
    uint32_t offset = (page & (VIDEO_PAGES - 1)) * v->page_size + (at.row * v->columns + at.column) * CELL;
    return v->memory + (offset & 0x7fff);
}

/* --- writing ------------------------------------------------------------------------------------------------- */

enum { KEEP = -1 }; /* an attribute: as it is */

static void put_cell(struct bios *b, const struct video *v, unsigned page, struct cursor at, uint8_t character,
                int attribute) {
    if (!v->text) {
        pixels_draw(b, v, page, at, character, attribute == KEEP ? USUAL : (uint8_t)attribute);
        return;
    }
    poke8(b, cell(v, page, at), character);
    if (attribute != KEEP)
        poke8(b, cell(v, page, at) + 1, (uint8_t)attribute);
}

static struct cursor next_cell(const struct video *v, struct cursor at) {
    at.column++;
    return at.column < v->columns ? at : (struct cursor){at.row + 1, 0};
}

/* A person who reads a pipe sees where the cursor was put to another line, or further right. */
static void print_here(struct bios *b, struct cursor at, uint8_t character) {
    bool control = character == LINE_FEED || character == RETURN || character == BACKSPACE;
    if (at.row != b->text_row && b->text_used && !control)
        put_text(b, '\n');
    else if (at.row == b->text_row && at.column > b->text_column && b->text_used && !control)
        put_text(b, ' ');
    put_text(b, character);
}

static void printed_to(struct bios *b, struct cursor at) {
    b->text_row = at.row;
    b->text_column = at.column;
    b->text_used = at.column > 0;
}

/* From the cursor on, which stays. */
static void write(struct call *c, int attribute) {
    struct video v = video_now(c->bios);
    struct cursor at = video_cursor(c->bios, c->bh);
    unsigned count = c->cx < v.rows * v.columns ? c->cx : v.rows * v.columns;
    if (count == 1)
        print_here(c->bios, at, c->al), printed_to(c->bios, next_cell(&v, at));
    for (unsigned n = 0; n < count; n++, at = next_cell(&v, at))
        put_cell(c->bios, &v, c->bh, at, c->al, attribute);
}

void text_write(struct call *c) { write(c, c->bl); }

void text_write_character(struct call *c) {
    struct video v = video_now(c->bios);
    write(c, v.text ? KEEP : c->bl);
}

void text_read(struct call *c) {
    struct video v = video_now(c->bios);
    struct cursor at = video_cursor(c->bios, c->bh);
    c->ax = v.text ? peek16(c->bios, cell(&v, c->bh, at)) : pixels_read(c->bios, &v, c->bh, at);
}

/* --- scrolling ---------------------------------------------------------------------------------------------------- */

static void fill_row(struct bios *b, const struct video *v, unsigned page, const struct window *w, unsigned row) {
    uint16_t cells[132];
    for (unsigned i = 0; i <= w->right - w->left; i++)
        cells[i] = (uint16_t)(w->attribute << 8 | SPACE);
    service_write(b->cpu, cell(v, page, (struct cursor){row, w->left}), cells,
                  (w->right - w->left + 1) * CELL);
}

static void copy_row(struct bios *b, const struct video *v, unsigned page, const struct window *w, unsigned from,
                     unsigned to) {
    uint16_t cells[132];
    unsigned length = (w->right - w->left + 1) * CELL;
    service_read(b->cpu, cell(v, page, (struct cursor){from, w->left}), cells, length);
    service_write(b->cpu, cell(v, page, (struct cursor){to, w->left}), cells, length);
}

static void scroll(struct bios *b, const struct video *v, unsigned page, const struct window *w) {
    unsigned rows = w->bottom - w->top + 1;
    unsigned lines = w->lines && w->lines < rows ? w->lines : rows;
    for (unsigned n = 0; n < rows; n++) {
        unsigned to = w->down ? w->bottom - n : w->top + n, from = w->down ? to - lines : to + lines;
        if (n + lines < rows)
            copy_row(b, v, page, w, from, to);
        else
            fill_row(b, v, page, w, to);
    }
}

static unsigned smaller(unsigned a, unsigned b) { return a < b ? a : b; }

void text_scroll(struct call *c) {
    struct video v = video_now(c->bios);
    struct window w = {c->ch, c->cl, smaller(c->dh, v.rows - 1), smaller(c->dl, v.columns - 1),
                       c->al, c->ah == 0x07, c->bh};
    if (w.top > w.bottom || w.left > w.right)
        return;
    if (v.text)
        scroll(c->bios, &v, v.page, &w);
    else
        pixels_scroll(c->bios, &v, v.page, &w);
}

/* The line that comes has the attribute of where the cursor was. */
static struct cursor keep_inside(struct bios *b, const struct video *v, unsigned page, struct cursor at) {
    struct window all = {0, 0, v->rows - 1, v->columns - 1, 1, false, 0};
    if (at.row < v->rows)
        return at;
    struct cursor last = {v->rows - 1, at.column < v->columns ? at.column : 0};
    if (v->text) {
        all.attribute = peek8(b, cell(v, page, last) + 1);
        scroll(b, v, page, &all);
    } else {
        pixels_scroll(b, v, page, &all);
    }
    at.row = v->rows - 1;
    return at;
}

/* --- printing --------------------------------------------------------------------------------------------------------- */

static struct cursor print_character(struct bios *b, const struct video *v, unsigned page, struct cursor at,
                           uint8_t character, int attribute) {
    switch (character) {
    case BEL: pit_ring(&b->board->devices.pit); return at;
    case BACKSPACE:
        at.column -= at.column > 0;
        return at;
    case RETURN:
        at.column = 0;
        return at;
    case LINE_FEED:
        at.row++;
        break;
    default:
        put_cell(b, v, page, at, character, attribute);
        at = next_cell(v, at);
    }
    return keep_inside(b, v, page, at);
}

/* In text modes the attribute stays, in graphics BL is the colour. */
void text_teletype(struct call *c) {
    struct bios *b = c->bios;
    struct video v = video_now(b);
    struct cursor at = video_cursor(b, v.page);
    print_here(b, at, c->al);
    at = print_character(b, &v, v.page, at, c->al, v.text ? KEEP : c->bl);
    printed_to(b, at);
    video_move(b, &v, v.page, at);
}

/* Bit 0 of AL: the cursor goes along; bit 1: each character has its attribute behind it. */
void text_string(struct call *c) {
    struct bios *b = c->bios;
    struct video v = video_now(b);
    unsigned page = c->bh & (VIDEO_PAGES - 1), step = c->al & 2 ? 2 : 1;
    struct cursor before = video_cursor(b, page), at = {c->dh, c->dl};
    if (c->dh == 0xff) /* where it is */
        at = before;
    /* In graphics a screenful at most: each line that scrolls is thousands of dots. */
    unsigned most = v.text ? UINT16_MAX : v.rows * v.columns, count = c->cx < most ? c->cx : most;
    for (unsigned n = 0; n < count; n++) {
        uint8_t pair[2] = {0, c->bl};
        far_read(c, c->es, (uint16_t)(c->bp + n * step), pair, step);
        print_here(b, at, pair[0]);
        at = print_character(b, &v, page, at, pair[0], pair[1]);
        printed_to(b, at);
    }
    video_move(b, &v, page, c->al & 1 ? at : before);
}
