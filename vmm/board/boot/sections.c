/* The sections of an ELF file; see sections.h. */
#include "vmm/board/boot/sections.h"

#include <elf.h>
#include <string.h>

bool section_is_inside(const struct image *im, uint64_t offset, uint64_t size) {
    return offset <= im->size && size <= im->size - offset;
}

/* Where the table is, how many headers of what size, and which has the names. */
struct table {
    uint64_t at;
    unsigned count, size, names;
};

static struct table table_of(const struct image *im) {
    Elf32_Ehdr e32;
    Elf64_Ehdr e64;
    if (im->is_elf64) {
        memcpy(&e64, im->bytes, sizeof e64);
        return (struct table){e64.e_shoff, e64.e_shnum, e64.e_shentsize, e64.e_shstrndx};
    }
    memcpy(&e32, im->bytes, sizeof e32);
    return (struct table){e32.e_shoff, e32.e_shnum, e32.e_shentsize, e32.e_shstrndx};
}

static size_t header_size(const struct image *im) {
    return im->is_elf64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
}

bool section_at(const struct image *im, unsigned n, struct section *out) {
    struct table t = table_of(im);
    uint64_t at = t.at + (uint64_t)n * t.size;
    if (n >= t.count || t.size != header_size(im) || t.at > im->size ||
        !section_is_inside(im, at, t.size))
        return false;
    Elf32_Shdr s32;
    Elf64_Shdr s64;
    if (im->is_elf64) {
        memcpy(&s64, im->bytes + at, sizeof s64);
        *out = (struct section){s64.sh_addr, s64.sh_offset, s64.sh_size, s64.sh_addralign, s64.sh_type,
                                (s64.sh_flags & SHF_EXECINSTR) != 0};
    } else {
        memcpy(&s32, im->bytes + at, sizeof s32);
        *out = (struct section){s32.sh_addr, s32.sh_offset, s32.sh_size, s32.sh_addralign, s32.sh_type,
                                (s32.sh_flags & SHF_EXECINSTR) != 0};
    }
    return true;
}

/* --- for a kernel --------------------------------------------------------------------- */

/* No segment has it, and there are bytes of it. */
static bool is_to_load(const struct image *im, const struct section *s) {
    return !s->address && s->size && s->type != SHT_NULL && s->type != SHT_NOBITS &&
           section_is_inside(im, s->offset, s->size);
}

/* Where it goes behind `used` bytes of others. */
static uint64_t place_of(const struct section *s, uint64_t used) {
    uint64_t align = s->align && s->align <= 4096 && !(s->align & (s->align - 1)) ? s->align : 16;
    return (used + align - 1) & ~(align - 1);
}

bool sections_of(const struct image *im, struct sections *out) {
    struct section s;
    if (!im->is_elf)
        return false;
    struct table t = table_of(im);
    *out = (struct sections){t.count, t.size, t.names, 0};
    if (!t.count || !section_at(im, t.count - 1, &s))
        return false;
    for (unsigned i = 0; section_at(im, i, &s); i++)
        if (is_to_load(im, &s))
            out->room = place_of(&s, out->room) + s.size;
    return true;
}

/* Its address in a header of the table. */
static void set_address(const struct image *im, uint8_t *header, uint64_t address) {
    uint32_t low = (uint32_t)address;
    if (im->is_elf64)
        memcpy(header + offsetof(Elf64_Shdr, sh_addr), &address, sizeof address);
    else
        memcpy(header + offsetof(Elf32_Shdr, sh_addr), &low, sizeof low);
}

void sections_table(const struct image *im, const struct sections *all, uint64_t base, uint8_t *to) {
    struct section s;
    uint64_t used = 0;
    memcpy(to, im->bytes + table_of(im).at, (size_t)all->count * all->header_size);
    for (unsigned i = 0; section_at(im, i, &s); i++) {
        if (!is_to_load(im, &s))
            continue;
        used = place_of(&s, used);
        set_address(im, to + (size_t)i * all->header_size, base + used);
        used += s.size;
    }
}

void sections_load(const struct image *im, const struct sections *all, uint64_t base, struct memory *m) {
    struct section s;
    uint64_t used = 0;
    for (unsigned i = 0; all->room && section_at(im, i, &s); i++) {
        if (!is_to_load(im, &s))
            continue;
        used = place_of(&s, used);
        memory_write(m, base + used, im->bytes + s.offset, s.size);
        used += s.size;
    }
}
