/* What an image's bytes are, and where they go in memory; see image.h. */
#include "vmm/board/boot/image.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/board/boot/elf.h"
#include "vmm/host/files.h"
#include "vmm/memory/layout.h"

enum { MIB = 1 << 20, DEFAULT_LOAD = 0x1000 };
enum { BOOT_SECTOR_LOAD = 0x7c00 }; /* as a PC's BIOS has it */

int image_refuse(char *error, size_t size, int err, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(error, size, format, args);
    va_end(args);
    return -err;
}

int image_read(struct image *im, int fd, size_t length, char *error, size_t size) {
    im->size = length;
    im->bytes = malloc(length);
    int err = im->bytes ? file_read(fd, im->bytes, length) : -ENOMEM;
    return err ? image_refuse(error, size, -err, "%s: cannot read it: %s", im->path, strerror(-err))
               : 0;
}

/* --- ELF ----------------------------------------------------------------------------- */

/* Of an image that image_parse() has accepted. */
static struct elf elf_of(const struct image *im) {
    struct elf e;
    elf_read(&e, im->bytes, im->size);
    return e;
}

static bool segment_at(const struct image *im, unsigned n, struct image_segment *out) {
    struct elf e = elf_of(im);
    struct elf_segment s;
    if (!elf_segment(&e, n, &s))
        return false;
    *out = (struct image_segment){s.linked, s.loaded + im->shift, s.size};
    return true;
}

bool image_segment(const struct image *im, unsigned n, struct image_segment *out) {
    return im->is_elf && !im->is_elf64 && segment_at(im, n, out);
}

bool image_extent(const struct image *im, unsigned n, struct image_segment *out) {
    if (im->is_elf && !im->in_one_piece)
        return segment_at(im, n, out);
    *out = (struct image_segment){im->load, im->load, im->end - im->load};
    return n == 0;
}

static const char *elf_problem(struct image *im) {
    struct elf e;
    const char *problem = elf_open(&e, im->bytes, im->size);
    im->is_elf64 = e.word == 8;
    im->entry = e.entry;
    im->end = e.end;
    return problem;
}

bool image_is_boot_sector(const struct image *im) {
    return !im->is_elf && im->size >= IMAGE_SECTOR && im->bytes[IMAGE_SECTOR - 2] == 0x55 &&
           im->bytes[IMAGE_SECTOR - 1] == 0xaa;
}

int image_parse(struct image *im, const struct image_options *o, char *error, size_t size) {
    im->is_elf = !im->is_cd && elf_is(im->bytes, im->size);
    const char *problem = im->is_elf ? elf_problem(im) : NULL;
    if (problem)
        return image_refuse(error, size, ENOEXEC, "%s: an ELF file that is %s", im->path, problem);
    if (!im->is_elf) {
        im->in_one_piece = true;
        im->length = im->size;
        im->load = image_is_boot_sector(im) ? BOOT_SECTOR_LOAD : DEFAULT_LOAD;
        im->load = o->has_load ? o->load : im->load;
        im->entry = im->load;
        im->end = im->load + im->size;
    }
    im->entry = o->has_entry ? o->entry : im->entry;
    return 0;
}

/* --- into memory ------------------------------------------------------------------------ */

static bool put_segments(const struct image *im, struct memory *m) {
    struct elf e = elf_of(im);
    struct elf_segment s;
    for (unsigned n = 0; elf_segment(&e, n, &s); n++)
        if (s.size && !memory_load(m, s.loaded + im->shift, im->bytes + s.offset, s.length, s.size))
            return false;
    return true;
}

/* Beyond real mode the CPU's first state has tables at the top of RAM (boot_state.c). */
static uint64_t reserved(const struct image *im) {
    return im->mode == START_PROTECTED || im->mode == START_LONG ? IMAGE_RESERVED : 0;
}

int image_put(const struct image *im, struct memory *m, char *error, size_t size) {
    bool fits = im->end + reserved(im) <= m->ram_size;
    if (fits)
        fits = im->in_one_piece ? memory_load(m, im->load, im->bytes + im->offset, im->length,
                                              im->end - im->load)
                                : put_segments(im, m);
    if (fits)
        return 0;
    uint64_t end = im->end <= m->ram_size ? memory_size(m) : m->ram_size;
    return image_refuse(error, size, ENOSPC, "%s: the image needs RAM up to 0x%llx%s, and guest RAM ends at 0x%llx%s; use "
                  "--mem=%lluM", im->path, (unsigned long long)im->end,
                  reserved(im) ? " and 32 KiB above that" : "",
                  (unsigned long long)end, m->rom && end + m->rom_size > MIB ? " (below the ROM)" : "",
                  (unsigned long long)((im->end + reserved(im)) / MIB + 1));
}
