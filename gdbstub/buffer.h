/* Text and bytes on their way out.
 *
 * Rule: a buffer grows on demand but never beyond its limit. What does not fit
 * (or cannot be allocated) is left out and `overflow` set, so that a writer
 * may go on and the one who sends looks once, at the end.
 */
#ifndef GDBSTUB_BUFFER_H
#define GDBSTUB_BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buffer {
    char *data;
    size_t length, capacity, limit;
    bool overflow;
};

void buffer_init(struct buffer *, size_t limit);
void buffer_free(struct buffer *);
/* Empty again; the memory is kept. */
void buffer_clear(struct buffer *);
/* Room for `size` more bytes at the end, counted as used. NULL: overflow. */
char *buffer_extend(struct buffer *, size_t size);

void buffer_char(struct buffer *, char);
void buffer_append(struct buffer *, const void *, size_t size);
void buffer_text(struct buffer *, const char *);
void buffer_printf(struct buffer *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_vprintf(struct buffer *, const char *format, va_list)
    __attribute__((format(printf, 2, 0)));
/* As hexadecimal text. */
void buffer_hex(struct buffer *, const void *, size_t size);
/* As binary data of a reply ("Overview": }, #, $ and * are escaped). */
void buffer_binary(struct buffer *, const void *, size_t size);
/* As the content of an XML element or attribute. */
void buffer_xml(struct buffer *, const char *);

#endif
