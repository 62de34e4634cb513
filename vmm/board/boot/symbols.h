/* The symbol table of an image, as far as a debugger's client gets it wrong.
 *
 * Rule: nothing in a file is believed; what does not lie within it is not there.
 */
#ifndef MINIKVM_SYMBOLS_H
#define MINIKVM_SYMBOLS_H

#include "vmm/board/boot/image.h"

/* Does a symbol stand there of which its table does not say that it is data: a label of
 * an assembler's, or a function? */
bool symbols_label(const struct image *, uint64_t address);

#endif
