/* A row of a text screen as text. */
#ifndef MINIKVM_SCREEN_TEXT_H
#define MINIKVM_SCREEN_TEXT_H

#include "vmm/devices/display/cp437.h"
#include "vmm/devices/display/screen.h"

enum { SCREEN_TEXT = SCREEN_COLUMNS * CP437_UTF8 + 1 };

/* In UTF-8 or in ASCII, without the blanks at its end, with a zero behind it; returns the
 * length. */
size_t screen_text_row(const struct screen *, unsigned row, bool utf8, char out[SCREEN_TEXT]);
/* How many rows there are down to the last that is not blank. */
unsigned screen_text_rows(const struct screen *);

#endif
