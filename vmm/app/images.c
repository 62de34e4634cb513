/* What is said about images; see images.h. */
#include "vmm/app/images.h"

#include <stdio.h>

bool images_taken_for(const struct image *im, bool looks, char *text, size_t size) {
    if (!im->kind || !(looks || image_is_guess(im)))
        return false;
    image_describe(im, text, size);
    return true;
}

bool images_wish(const struct image *im, char *text, size_t size) {
    snprintf(text, size, "%.200s asks for %s, and there is text only: 80x25 at 0xb8000", im->path,
             im->multiboot.wish);
    return im->multiboot.wish[0];
}

void images_list(void) {
    struct image_kind_doc k;
    printf("| image | known by | starts |\n|---|---|---|\n");
    for (unsigned n = 0; image_kind_doc(n, &k); n++)
        printf("| %s | %s | %s%s |\n", k.name, k.known_by, k.boots ? "" : "not: ", k.starts);
}
