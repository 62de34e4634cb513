/* An image that is a CD: the boot image on it is what is loaded. */
#include "vmm/board/boot/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The last block need not be whole in the file. */
static bool read_block_of_file(void *context, uint32_t block, uint8_t to[ELTORITO_BLOCK]) {
    const int *fd = context;
    ssize_t n = pread(*fd, to, ELTORITO_BLOCK, (off_t)block * ELTORITO_BLOCK);
    if (n > 0)
        memset(to + n, 0, ELTORITO_BLOCK - (size_t)n);
    return n > 0;
}

static bool read_boot_image(const struct eltorito *e, int fd, uint8_t *to, size_t size) {
    uint8_t block[ELTORITO_BLOCK];
    for (size_t done = 0; done < size; done += ELTORITO_BLOCK) {
        size_t n = size - done < ELTORITO_BLOCK ? size - done : ELTORITO_BLOCK;
        if (!read_block_of_file(&fd, e->image + (uint32_t)(done / ELTORITO_BLOCK), block))
            return false;
        memcpy(to + done, block, n);
    }
    return true;
}

int image_read_cd(struct image *im, int fd, char *error, size_t size) {
    char why[200];
    struct eltorito *e = &im->eltorito;
    if (!eltorito_find(read_block_of_file, &fd, e, why, sizeof why))
        return image_refuse(error, size, EINVAL, "%s: cannot boot this CD: %s", im->path, why);
    size_t length = (size_t)e->sectors * ELTORITO_SECTOR;
    uint8_t *bytes = malloc(length);
    if (!bytes || !read_boot_image(e, fd, bytes, length)) {
        free(bytes);
        return image_refuse(error, size, bytes ? EIO : ENOMEM, "%s: cannot read the boot image", im->path);
    }
    free(im->bytes);
    im->bytes = bytes;
    im->size = length;
    im->told_drive = eltorito_drive(e, im->drive);
    return 0;
}
