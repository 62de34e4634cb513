/* What a guest has put on its screen and did not print: at its end it comes out as text.
 *
 * Rule: nothing is printed twice. When all lines of the screen are found, in this order, in
 * the last of what the guest printed, it did print them.
 */
#ifndef MINIKVM_LEFTOVER_H
#define MINIKVM_LEFTOVER_H

#include "vmm/app/tail.h"
#include "vmm/devices/display/screen.h"

/* Adds what was printed; a backspace takes the character before it back, as on a screen. */
void leftover_note(struct tail *printed, const char *text, size_t length);
/* Has the screen something that was not printed? */
bool leftover_is_there(const struct screen *, const struct tail *printed);
/* The rows from the first to the last that is not blank, each as a line. */
void leftover_print(const struct screen *, bool utf8,
                    void (*put)(void *context, const char *text, size_t length), void *context);

#endif
