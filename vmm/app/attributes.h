/* What the terminal says of itself (primary device attributes, ECMA-48 and DEC STD 070), and how
 * large its cells are.
 *
 * Rule: the answer never reaches a guest as keys. It may come at any time, or never; nobody waits
 * for it but attributes_wait(), for a moment, so that it does not reach a shell either.
 */
#ifndef MINIKVM_ATTRIBUTES_H
#define MINIKVM_ATTRIBUTES_H

#include <stdbool.h>
#include <stddef.h>

void attributes_ask(void); /* once; further calls do nothing */
/* Takes the answer out of what was read; the new length. */
size_t attributes_take(unsigned char *bytes, size_t length);
bool attributes_have_sixel(void); /* it has answered, and said so */
/* Before the terminal is given back: an answer that is still to come. */
void attributes_wait(void);

/* Of a cell, in dots. false: the terminal does not say. */
bool attributes_cell(unsigned *width, unsigned *height);

#endif
