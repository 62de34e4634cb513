/* Images as the command line has them: files with symbols, and what is said about an image. */
#ifndef MINIKVM_APP_IMAGES_H
#define MINIKVM_APP_IMAGES_H

#include "vmm/app/options.h"

/* What it was taken for: always when another kind might be meant, else for one who looks.
 * false: there is nothing to say. */
bool images_taken_for(const struct image *, bool looks, char *text, size_t size);
/* What a kernel asks for and does not get. */
bool images_wish(const struct image *, char *text, size_t size);
/* Options that are for other kinds of image. */
bool images_unused(const struct image *, char *text, size_t size);
/* The files of --symbols, for all machines; 0, or -errno, and it was said why. */
int images_open_symbols(struct options *);
void images_close_symbols(struct options *);
/* --list-images */
void images_list(void);

#endif
