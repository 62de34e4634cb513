/* Colours as a terminal's attributes, in as many colours as it has. */
#ifndef MINIKVM_PALETTE_H
#define MINIKVM_PALETTE_H

#include <stddef.h>
#include <stdint.h>

#include "vmm/app/paint.h"

/* Parameters of SGR (ECMA-48, 8.3.117) for text on a background, each with a ';' before it.
 * Without colours: bold for bright text, reversed on a brighter background. */
void palette_sgr(enum paint_colors, uint32_t foreground, uint32_t background, char *out, size_t size);

/* What a terminal has, by its environment; NULL: is not set. PAINT_PLAIN with NO_COLOR. */
enum paint_colors palette_of(const char *term, const char *colorterm, const char *no_color);

#endif
