/* Writing a picture as PNG (ISO/IEC 15948), without compression: deflate's stored blocks.
 *
 * Rule: a row at a time, so no picture is held in memory.
 */
#ifndef MINIKVM_PNG_H
#define MINIKVM_PNG_H

#include <stddef.h>
#include <stdint.h>

#include "vmm/devices/display/picture.h"

struct png {
    void (*put)(void *context, const void *bytes, size_t length);
    void *context;
    uint32_t width, crc, adler;
};

void png_begin(struct png *, uint32_t width, uint32_t height);
void png_row(struct png *, const uint32_t row[PICTURE_COLUMNS]); /* `width` dots of 0xRRGGBB */
void png_end(struct png *);

#endif
