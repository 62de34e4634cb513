/* What minikvm says to a person about images. */
#ifndef MINIKVM_APP_IMAGES_H
#define MINIKVM_APP_IMAGES_H

#include "vmm/machine/machine.h"

/* What it was taken for: always when another kind might be meant, else for one who looks.
 * false: there is nothing to say. */
bool images_taken_for(const struct image *, bool looks, char *text, size_t size);
/* What a kernel asks for and does not get. */
bool images_wish(const struct image *, char *text, size_t size);
/* --list-images */
void images_list(void);

#endif
