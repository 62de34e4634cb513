/* Trace frames in a bounded buffer; see frames.h. */
#include "gdbstub/trace/frames.h"

#include <stdlib.h>
#include <string.h>

#include "gdbstub/layout.h"
#include "gdbstub/session.h"

enum { MEMORY_MAX = 0xffff /* of one 'M' block */ };

/* --- the ring ------------------------------------------------------------------------ */

static size_t cost(size_t length) { return sizeof(struct frame) + sizeof(struct frame *) + length; }

static struct frame **frame_slot(const struct frames *f, size_t number) {
    return &f->list[(f->head + number) % f->room];
}

const struct frame *frames_get(const struct frames *f, size_t number) {
    return number < f->count ? *frame_slot(f, number) : NULL;
}

static void drop_oldest(struct frames *f) {
    struct frame *oldest = *frame_slot(f, 0);
    f->used -= cost(oldest->length);
    free(oldest);
    f->head = (f->head + 1) % f->room;
    f->count--;
}

void frames_clear(struct frames *f) {
    while (f->count)
        drop_oldest(f);
    free(f->list);
    *f = (struct frames){.size = f->size, .circular = f->circular};
}

static bool frames_make_room(struct frames *f) {
    if (f->count < f->room)
        return true;
    size_t room = f->room ? 2 * f->room : 64;
    struct frame **list = malloc(room * sizeof *list);
    if (!list)
        return false;
    for (size_t i = 0; i < f->count; i++)
        list[i] = *frame_slot(f, i);
    free(f->list);
    f->list = list;
    f->room = room;
    f->head = 0;
    return true;
}

bool frames_add(struct frames *f, const struct frame *head, const struct buffer *blocks) {
    size_t needed = cost(blocks->length);
    while (f->circular && f->count && f->used + needed > f->size)
        drop_oldest(f);
    if (blocks->overflow || f->used + needed > f->size || !frames_make_room(f))
        return false;
    struct frame *frame = malloc(sizeof *frame + blocks->length);
    if (!frame)
        return false;
    *frame = *head;
    frame->length = blocks->length;
    if (blocks->length)
        memcpy(frame->data, blocks->data, blocks->length);
    f->count++;
    *frame_slot(f, f->count - 1) = frame;
    f->used += needed;
    f->created++;
    return true;
}

/* --- blocks --------------------------------------------------------------------------- */

static void frames_put_number(struct buffer *b, uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; i++)
        buffer_char(b, (char)(value >> 8 * i));
}

static uint64_t number_at(const uint8_t *at, unsigned size) {
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

void frame_put_memory(struct buffer *b, uint64_t address, const void *data, size_t length) {
    const uint8_t *from = data;
    for (size_t done = 0, part; done < length; done += part) {
        part = length - done < MEMORY_MAX ? length - done : MEMORY_MAX;
        buffer_char(b, 'M');
        frames_put_number(b, address + done, 8);
        frames_put_number(b, part, 2);
        buffer_append(b, from + done, part);
    }
}

void frame_put_variable(struct buffer *b, uint32_t number, int64_t value) {
    buffer_char(b, 'V');
    frames_put_number(b, number, 4);
    frames_put_number(b, (uint64_t)value, 8);
}

void frame_put_register(struct buffer *b, uint16_t number, const void *value, size_t size) {
    buffer_char(b, 'r');
    frames_put_number(b, number, 2);
    buffer_append(b, value, size);
}

bool frame_next(const struct frame *f, struct frame_block *b) {
    const uint8_t *at = b->end ? b->end : f->data;
    if (at == f->data + f->length)
        return false;
    b->kind = (char)*at++;
    unsigned name = b->kind == 'M' ? 8 : b->kind == 'V' ? 4 : b->kind == 'r' ? 2 : 0;
    b->name = number_at(at, name);
    b->data = at + name;
    switch (b->kind) {
    case 'M':
        b->length = number_at(b->data, 2);
        b->data += 2;
        break;
    case 'V': b->length = 8; break;
    case 'r': b->length = register_size(&f->layout->registers[b->name]); break;
    default: b->length = registers_size(f->layout); break;
    }
    b->end = b->data + b->length;
    return true;
}

bool frame_find(const struct frame *f, char kind, uint64_t name, struct frame_block *b) {
    *b = (struct frame_block){0};
    while (frame_next(f, b)) {
        uint64_t span = kind == 'M' ? b->length : 1;
        if (b->kind == kind && name - b->name < span)
            return true;
    }
    return false;
}

/* --- as a trace file has it ------------------------------------------------------------- */

/* tracepoint (2 bytes) size (4 bytes) blocks */
static void export_frame(const struct frame *f, struct buffer *out) {
    struct frame_block b = {0};
    size_t size = 0;
    for (const uint8_t *start = f->data; frame_next(f, &b); start = b.end)
        size += b.kind == 'r' ? 0 : (size_t)(b.end - start);
    frames_put_number(out, f->tracepoint, 2);
    frames_put_number(out, size, 4);
    b = (struct frame_block){0};
    for (const uint8_t *start = f->data; frame_next(f, &b); start = b.end)
        if (b.kind != 'r')
            buffer_append(out, start, (size_t)(b.end - start));
}

void frames_export(const struct frames *f, uint64_t offset, size_t length, struct buffer *out) {
    struct buffer one;
    uint64_t at = 0;
    buffer_init(&one, 2 * f->size);
    for (size_t i = 0; i < f->count && length; i++, at += one.length) {
        buffer_clear(&one);
        export_frame(*frame_slot(f, i), &one);
        if (offset >= at + one.length)
            continue;
        size_t skip = (size_t)(offset - at);
        size_t part = one.length - skip < length ? one.length - skip : length;
        buffer_append(out, one.data + skip, part);
        offset += part;
        length -= part;
    }
    buffer_free(&one);
}
