/* What an image's bytes are, and where they go in memory; see image.h. */
#include "vmm/board/boot/image.h"

#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MIB = 1 << 20, DEFAULT_LOAD = 0x1000 };
enum { BOOT_SECTOR_LOAD = 0x7c00 }; /* as a PC's BIOS has it */

int image_refuse(char *error, size_t size, int err, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(error, size, format, args);
    va_end(args);
    return -err;
}

static int read_all(int fd, uint8_t *to, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t n = read(fd, to + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        done += n;
    }
    return 0;
}

int image_read(struct image *im, int fd, size_t length, char *error, size_t size) {
    im->size = length;
    im->bytes = malloc(length);
    int err = im->bytes ? read_all(fd, im->bytes, length) : -ENOMEM;
    return err ? image_refuse(error, size, -err, "%s: cannot read it: %s", im->path, strerror(-err))
               : 0;
}

/* --- ELF ----------------------------------------------------------------------------- */

/* What we need of a header and of a segment, of either class. */
struct elf {
    uint64_t entry, phoff;
    unsigned phnum, phentsize;
};
struct segment {
    uint64_t offset, vaddr, paddr, filesz, memsz;
    bool load;
};

static struct elf elf_header(const struct image *im) {
    Elf32_Ehdr e32;
    Elf64_Ehdr e64;
    if (im->is_elf64) {
        memcpy(&e64, im->bytes, sizeof e64);
        return (struct elf){e64.e_entry, e64.e_phoff, e64.e_phnum, e64.e_phentsize};
    }
    memcpy(&e32, im->bytes, sizeof e32);
    return (struct elf){e32.e_entry, e32.e_phoff, e32.e_phnum, e32.e_phentsize};
}

static struct segment elf_segment(const struct image *im, const struct elf *e, unsigned i) {
    const uint8_t *at = im->bytes + e->phoff + (uint64_t)i * e->phentsize;
    Elf32_Phdr p32;
    Elf64_Phdr p64;
    if (im->is_elf64) {
        memcpy(&p64, at, sizeof p64);
        return (struct segment){p64.p_offset, p64.p_vaddr, p64.p_paddr, p64.p_filesz, p64.p_memsz,
                                p64.p_type == PT_LOAD};
    }
    memcpy(&p32, at, sizeof p32);
    return (struct segment){p32.p_offset, p32.p_vaddr, p32.p_paddr, p32.p_filesz, p32.p_memsz,
                            p32.p_type == PT_LOAD};
}

static bool segment_at(const struct image *im, unsigned n, struct image_segment *out) {
    struct elf e = elf_header(im);
    if (n >= e.phnum)
        return false;
    struct segment s = elf_segment(im, &e, n);
    *out = (struct image_segment){s.vaddr, s.paddr + im->shift, s.load ? s.memsz : 0};
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

/* The identification, before anything of the rest is used. */
static const char *ident_problem(const struct image *im) {
    const uint8_t *b = im->bytes;
    if (b[EI_DATA] != ELFDATA2LSB)
        return "not little-endian, so not for an x86";
    if (b[EI_CLASS] != ELFCLASS32 && b[EI_CLASS] != ELFCLASS64)
        return "of an unknown class";
    if (im->size < (b[EI_CLASS] == ELFCLASS64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)))
        return "cut off within its header";
    uint16_t type = b[16] | b[17] << 8, machine = b[18] | b[19] << 8;
    if (machine != EM_386 && machine != EM_X86_64)
        return "for another processor, not an x86";
    if (b[EI_CLASS] == ELFCLASS64 && machine != EM_X86_64)
        return "64-bit, but not for x86-64";
    return type == ET_EXEC || type == ET_DYN ? NULL : "no executable (link it first)";
}

static const char *segment_problem(const struct image *im, const struct segment *s) {
    if (s->filesz > s->memsz)
        return "damaged: a segment has more bytes in the file than in memory";
    if (s->offset > im->size || s->filesz > im->size - s->offset)
        return "cut off: a segment lies behind the end of the file";
    if (s->paddr > MEMORY_MAX || s->memsz > MEMORY_MAX - s->paddr)
        return "linked too high: a segment's physical address is above 3 GiB (check the linker script's AT())";
    return NULL;
}

static const char *elf_problem(struct image *im) {
    const char *problem = ident_problem(im);
    if (problem)
        return problem;
    im->is_elf64 = im->bytes[EI_CLASS] == ELFCLASS64;
    struct elf e = elf_header(im);
    unsigned need = im->is_elf64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    if (e.phnum == 0 || e.phentsize < need)
        return "without program headers, so there is nothing to load";
    if (e.phoff > im->size || (uint64_t)e.phnum * e.phentsize > im->size - e.phoff)
        return "cut off within its program headers";
    for (unsigned i = 0; i < e.phnum; i++) {
        struct segment s = elf_segment(im, &e, i);
        if (!s.load || s.memsz == 0)
            continue;
        if ((problem = segment_problem(im, &s)))
            return problem;
        if (s.paddr + s.memsz > im->end)
            im->end = s.paddr + s.memsz;
    }
    im->entry = e.entry;
    return im->end ? NULL : "without a segment to load";
}

bool image_is_boot_sector(const struct image *im) {
    return !im->is_elf && im->size >= IMAGE_SECTOR && im->bytes[IMAGE_SECTOR - 2] == 0x55 &&
           im->bytes[IMAGE_SECTOR - 1] == 0xaa;
}

int image_parse(struct image *im, const struct image_options *o, char *error, size_t size) {
    im->is_elf = im->size >= EI_NIDENT && !memcmp(im->bytes, ELFMAG, SELFMAG);
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

/* So many bytes of the file go to `to`, and zeros behind them up to `room`. */
struct piece {
    uint64_t offset, length, to, room;
};

static bool put_piece(const struct image *im, struct memory *m, struct piece p) {
    uint8_t *to = memory_at(m, p.to, p.room, true);
    if (!to)
        return false;
    memcpy(to, im->bytes + p.offset, p.length);
    memory_zero(m, p.to + p.length, p.room - p.length);
    return true;
}

static bool put_segments(const struct image *im, struct memory *m) {
    struct elf e = elf_header(im);
    for (unsigned i = 0; i < e.phnum; i++) {
        struct segment s = elf_segment(im, &e, i);
        if (!s.load || s.memsz == 0)
            continue;
        if (!put_piece(im, m, (struct piece){s.offset, s.filesz, s.paddr + im->shift, s.memsz}))
            return false;
    }
    return true;
}

/* Beyond real mode the CPU's first state has tables at the top of RAM (boot_state.c). */
static uint64_t reserved(const struct image *im) {
    return im->mode == START_PROTECTED || im->mode == START_LONG ? IMAGE_RESERVED : 0;
}

int image_put(const struct image *im, struct memory *m, char *error, size_t size) {
    struct piece whole = {im->offset, im->length, im->load, im->end - im->load};
    bool fits = im->end + reserved(im) <= m->ram_size;
    if (fits)
        fits = im->in_one_piece ? put_piece(im, m, whole) : put_segments(im, m);
    if (fits)
        return 0;
    uint64_t end = im->end <= m->ram_size ? memory_size(m) : m->ram_size;
    return image_refuse(error, size, ENOSPC, "%s: the image needs RAM up to 0x%llx%s, and guest RAM ends at 0x%llx%s; use "
                  "--mem=%lluM", im->path, (unsigned long long)im->end,
                  reserved(im) ? " and 32 KiB above that" : "",
                  (unsigned long long)end, m->rom ? " (below the ROM)" : "",
                  (unsigned long long)((im->end + reserved(im)) / MIB + 1));
}
