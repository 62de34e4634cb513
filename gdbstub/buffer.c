/* Text and bytes on their way out; see buffer.h. */
#include "gdbstub/buffer.h"

#include "gdbstub/hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALLEST = 1024 };

void buffer_init(struct buffer *b, size_t limit) { *b = (struct buffer){.limit = limit}; }

void buffer_free(struct buffer *b) {
    free(b->data);
    buffer_init(b, b->limit);
}

void buffer_clear(struct buffer *b) {
    b->length = 0;
    b->overflow = false;
}

static bool grow(struct buffer *b, size_t needed) {
    size_t capacity = b->capacity ? b->capacity : SMALLEST;
    while (capacity < needed)
        capacity *= 2;
    char *data = realloc(b->data, capacity);
    if (!data)
        return false;
    b->data = data;
    b->capacity = capacity;
    return true;
}

char *buffer_extend(struct buffer *b, size_t size) {
    bool fits = size <= b->limit - b->length;
    if (!fits || (b->length + size > b->capacity && !grow(b, b->length + size))) {
        b->overflow = true;
        return NULL;
    }
    char *room = b->data + b->length;
    b->length += size;
    return room;
}

void buffer_char(struct buffer *b, char c) { buffer_append(b, &c, 1); }

void buffer_append(struct buffer *b, const void *bytes, size_t size) {
    char *room = size ? buffer_extend(b, size) : NULL;
    if (room)
        memcpy(room, bytes, size);
}

void buffer_text(struct buffer *b, const char *text) { buffer_append(b, text, strlen(text)); }

void buffer_vprintf(struct buffer *b, const char *format, va_list list) {
    char text[512];
    va_list again;
    va_copy(again, list);
    int length = vsnprintf(text, sizeof text, format, list);
    if (length >= (int)sizeof text) {
        char *room = buffer_extend(b, (size_t)length + 1);
        if (room) {
            vsnprintf(room, (size_t)length + 1, format, again);
            b->length--; /* its end mark */
        }
    } else if (length > 0) {
        buffer_append(b, text, (size_t)length);
    }
    va_end(again);
}

void buffer_printf(struct buffer *b, const char *format, ...) {
    va_list list;
    va_start(list, format);
    buffer_vprintf(b, format, list);
    va_end(list);
}

void buffer_hex(struct buffer *b, const void *bytes, size_t size) {
    char *room = size <= b->limit / 2 ? buffer_extend(b, 2 * size) : NULL;
    if (room)
        hex_encode(room, bytes, size);
    else
        b->overflow = true;
}

void buffer_binary(struct buffer *b, const void *bytes, size_t size) {
    const char *from = bytes;
    char *start = size <= b->limit / 2 ? buffer_extend(b, 2 * size) : NULL, *to = start;
    if (!start) {
        b->overflow = true;
        return;
    }
    for (size_t i = 0; i < size; i++) {
        char c = from[i];
        bool special = c == '}' || c == '#' || c == '$' || c == '*';
        if (special)
            *to++ = '}';
        *to++ = special ? (char)(c ^ 0x20) : c;
    }
    b->length -= 2 * size - (size_t)(to - start);
}

void buffer_xml(struct buffer *b, const char *text) {
    static const char *const entities[256] = {
        ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&apos;",
    };
    for (; *text; text++) {
        const char *entity = entities[(unsigned char)*text];
        if (entity)
            buffer_text(b, entity);
        else if ((unsigned char)*text >= ' ')
            buffer_char(b, *text);
    }
}
