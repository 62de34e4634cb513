/* Multiboot 1: the header of a kernel (specification 0.6.96, 3.1); see multiboot.h. */
#include "vmm/board/boot/multiboot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { MAGIC = 0x1badb002, SEARCH = 8192 };
enum {
    FLAG_SCREEN = 1 << 2,
    FLAGS_REQUIRED = 0xffff,
    FLAGS_KNOWN = 7, /* align modules; tell the memory; tell about the screen */
    FLAG_ADDRESSES = 1 << 16,
};

struct header {
    uint32_t magic, flags, checksum;
    uint32_t header, load, load_end, bss_end, entry; /* physical; with FLAG_ADDRESSES */
    uint32_t mode, width, height, depth;             /* with FLAG_SCREEN */
};

bool multiboot1_find(const uint8_t *bytes, size_t size, size_t *at) {
    uint32_t h[3];
    for (*at = 0; *at + sizeof h <= size && *at + sizeof h <= SEARCH; *at += 4) {
        memcpy(h, bytes + *at, sizeof h);
        if (h[0] == MAGIC && h[0] + h[1] + h[2] == 0)
            return true;
    }
    return false;
}

/* What would lie behind the file's end is zeros. */
static struct header read_multiboot_header(const uint8_t *bytes, size_t size, size_t at) {
    struct header h = {0};
    memcpy(&h, bytes + at, size - at < sizeof h ? size - at : sizeof h);
    return h;
}

bool multiboot1_has_addresses(const uint8_t *bytes, size_t size) {
    size_t at;
    return multiboot1_find(bytes, size, &at) &&
           read_multiboot_header(bytes, size, at).flags & FLAG_ADDRESSES;
}

static void take_wish(struct multiboot *mb, const struct header *h) {
    mb->wants_screen = true;
    if (h->mode == 0)
        multiboot_choose_screen(mb, h->width, h->height, h->depth);
}

int multiboot1_parse(struct image *im, char *error, size_t size) {
    struct multiboot *mb = &im->multiboot;
    if (!multiboot1_find(im->bytes, im->size, &mb->header))
        return image_refuse(error, size, ENOEXEC, "%s: there is no Multiboot 1 header in its first 8 KiB; "
                      "choose another --mode", im->path);
    struct header h = read_multiboot_header(im->bytes, im->size, mb->header);
    uint32_t unknown = h.flags & FLAGS_REQUIRED & ~FLAGS_KNOWN;
    if (unknown)
        return image_refuse(error, size, ENOTSUP, "%s: its Multiboot header requires what no loader knows "
                      "(flags 0x%x); only bits 0 to 2 and 16 have a meaning", im->path, unknown);
    size_t length = h.flags & FLAG_SCREEN ? sizeof h : h.flags & FLAG_ADDRESSES ? offsetof(struct header, mode) : 12;
    if (length > im->size - mb->header)
        return image_refuse(error, size, ENOEXEC, "%s: the file ends within its Multiboot 1 header", im->path);
    if (h.flags & FLAG_SCREEN)
        take_wish(mb, &h);
    if (h.flags & FLAG_ADDRESSES)
        return multiboot_place(im, (struct multiboot_addresses){h.header, h.load, h.load_end, h.bss_end,
                                                          h.entry}, error, size);
    if (im->is_elf)
        return 0;
    return image_refuse(error, size, ENOEXEC, "%s: its Multiboot header does not say where it is loaded "
                  "(flag 16), and it is no ELF file", im->path);
}
