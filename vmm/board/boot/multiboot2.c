/* Multiboot 2: the header of a kernel (specification 2.0, 3.1); see multiboot.h. */
#include "vmm/board/boot/multiboot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SEARCH = 32768, TAG_ALIGN = 8, I386 = 0 };
#define MAGIC 0xe85250d6u

struct header {
    uint32_t magic, architecture, length, checksum;
};
struct tag {
    uint16_t type, flags;
    uint32_t size;
};
enum { TAG_OPTIONAL = 1 };

/* Known while the tags are read. */
struct reading {
    struct image *im;
    const uint8_t *tag;     /* behind its `struct tag` */
    size_t room;            /* bytes from there to its end */
    struct multiboot_addresses addresses;
    bool has_addresses, has_entry, has_end, needs_console, has_text_console;
    char *error;
    size_t error_size;
};

bool multiboot2_find(const uint8_t *bytes, size_t size, size_t *at) {
    struct header h;
    for (*at = 0; *at + sizeof h <= size && *at + sizeof h <= SEARCH; *at += 8) {
        memcpy(&h, bytes + *at, sizeof h);
        if (h.magic == MAGIC && h.magic + h.architecture + h.length + h.checksum == 0)
            return true;
    }
    return false;
}

static uint32_t word(const struct reading *r, unsigned n) {
    uint32_t value = 0;
    memcpy(&value, r->tag + 4 * n, sizeof value);
    return value;
}

/* --- the tags ------------------------------------------------------------------------------- */

/* A loader must know what is asked for; that the machine has none of it is no error. */
static int read_request(struct reading *r) {
    enum { LAST_KNOWN = 21 };
    for (unsigned i = 0; 4 * (i + 1) <= r->room; i++)
        if (word(r, i) > LAST_KNOWN)
            return image_refuse(r->error, r->error_size, ENOTSUP, "%s: its Multiboot 2 header requires "
                          "information %u, which no loader knows; mark the request as optional",
                          r->im->path, word(r, i));
    return 0;
}

static int read_addresses(struct reading *r) {
    r->has_addresses = true;
    r->addresses.header = word(r, 0);
    r->addresses.load = word(r, 1);
    r->addresses.load_end = word(r, 2);
    r->addresses.bss_end = word(r, 3);
    return 0;
}

static int read_entry(struct reading *r) {
    r->has_entry = true;
    r->addresses.entry = word(r, 0);
    return 0;
}

static int read_console(struct reading *r) {
    r->needs_console = word(r, 0) & 1;
    r->has_text_console = word(r, 0) & 2;
    return 0;
}

static int read_framebuffer(struct reading *r) {
    struct multiboot *mb = &r->im->multiboot;
    mb->wants_screen = true;
    bool text = word(r, 2) == 0 && word(r, 0) && word(r, 0) <= 132;
    if (!text)
        multiboot_choose_screen(mb, word(r, 0), word(r, 1), word(r, 2));
    return 0;
}

static int read_relocatable(struct reading *r) {
    struct multiboot *mb = &r->im->multiboot;
    mb->relocatable = true;
    mb->lowest = word(r, 0);
    mb->highest = word(r, 1);
    mb->align = word(r, 2);
    mb->preference = word(r, 3);
    if (mb->align && !(mb->align & (mb->align - 1)) && mb->lowest <= mb->highest)
        return 0;
    return image_refuse(r->error, r->error_size, ENOEXEC, "%s: its Multiboot 2 header is damaged: "
                  "relocatable within 0x%x and 0x%x by 0x%x", r->im->path, mb->lowest, mb->highest, mb->align);
}

/* Modules are always at a page; nothing here is EFI's, so what is for that is passed over. */
static int read_nothing(struct reading *r) {
    (void)r;
    return 0;
}

static int read_end(struct reading *r) {
    r->has_end = true;
    return 0;
}

static const struct {
    const char *name;
    unsigned size; /* at least, with its struct tag */
    int (*read)(struct reading *);
} tags[] = {
    {"end", 8, read_end},
    {"information request", 8, read_request},
    {"address", 24, read_addresses},
    {"entry address", 12, read_entry},
    {"console flags", 12, read_console},
    {"framebuffer", 20, read_framebuffer},
    {"module alignment", 8, read_nothing},
    {"EFI boot services", 8, read_nothing},
    {"EFI i386 entry", 12, read_nothing},
    {"EFI amd64 entry", 12, read_nothing},
    {"relocatable", 24, read_relocatable},
};
enum { TAGS = sizeof tags / sizeof *tags };

static int read_tag(struct reading *r, const struct tag *t) {
    if (t->type < TAGS && t->size < tags[t->type].size)
        return image_refuse(r->error, r->error_size, ENOEXEC, "%s: its Multiboot 2 header is damaged: the tag "
                      "'%s' has %u bytes, not %u", r->im->path, tags[t->type].name, t->size, tags[t->type].size);
    if (t->type >= TAGS && !(t->flags & TAG_OPTIONAL))
        return image_refuse(r->error, r->error_size, ENOTSUP, "%s: its Multiboot 2 header requires tag %u, "
                      "which minikvm does not know; mark it as optional", r->im->path, t->type);
    if (t->type >= TAGS || (tags[t->type].read == read_request && t->flags & TAG_OPTIONAL))
        return 0;
    return tags[t->type].read(r);
}

static int read_tags(struct reading *r, size_t length) {
    const uint8_t *header = r->im->bytes + r->im->multiboot.header;
    int err = 0;
    for (size_t at = sizeof(struct header); !err && !r->has_end && at + sizeof(struct tag) <= length;) {
        struct tag t;
        memcpy(&t, header + at, sizeof t);
        if (t.size < sizeof t || t.size > length - at)
            return image_refuse(r->error, r->error_size, ENOEXEC, "%s: its Multiboot 2 header is damaged: tag "
                          "%u of %u bytes does not fit", r->im->path, t.type, t.size);
        r->tag = header + at + sizeof t;
        r->room = t.size - sizeof t;
        err = read_tag(r, &t);
        at += (t.size + TAG_ALIGN - 1ull) & ~(TAG_ALIGN - 1ull);
    }
    return err;
}

/* --- the whole ------------------------------------------------------------------------------ */

static int take_tag(struct reading *r) {
    struct image *im = r->im;
    if (!r->has_end)
        return image_refuse(r->error, r->error_size, ENOEXEC, "%s: its Multiboot 2 header has no end tag", im->path);
    if (r->needs_console && !r->has_text_console && !im->multiboot.screen.width)
        multiboot_choose_screen(&im->multiboot, 0, 0, 0);
    if (r->has_addresses && !r->has_entry)
        return image_refuse(r->error, r->error_size, ENOEXEC, "%s: its Multiboot 2 header has load addresses, "
                      "but no entry address", im->path);
    if (r->has_addresses)
        return multiboot_place(im, r->addresses, r->error, r->error_size);
    if (!im->is_elf)
        return image_refuse(r->error, r->error_size, ENOEXEC, "%s: its Multiboot 2 header does not say where it "
                      "is loaded, and it is no ELF file", im->path);
    im->entry = r->has_entry ? r->addresses.entry : im->entry;
    return 0;
}

int multiboot2_parse(struct image *im, char *error, size_t size) {
    struct multiboot *mb = &im->multiboot;
    struct header h;
    struct reading r = {.im = im, .error = error, .error_size = size};
    if (!multiboot2_find(im->bytes, im->size, &mb->header))
        return image_refuse(error, size, ENOEXEC, "%s: there is no Multiboot 2 header in its first 32 KiB; "
                      "choose another --mode", im->path);
    memcpy(&h, im->bytes + mb->header, sizeof h);
    if (h.architecture != I386)
        return image_refuse(error, size, ENOTSUP, "%s: its Multiboot 2 header is for architecture %u, not i386 (0)",
                      im->path, h.architecture);
    if (h.length < sizeof h || mb->header + (uint64_t)h.length > SEARCH || h.length > im->size - mb->header)
        return image_refuse(error, size, ENOEXEC, "%s: its Multiboot 2 header of %u bytes is not within the "
                      "first 32 KiB of the file", im->path, h.length);
    int err = read_tags(&r, h.length);
    return err ? err : take_tag(&r);
}
