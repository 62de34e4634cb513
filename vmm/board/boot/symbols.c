/* The symbol table of an image; see symbols.h. */
#include "vmm/board/boot/symbols.h"

#include <elf.h>
#include <string.h>

#include "vmm/board/boot/sections.h"

struct symbol {
    uint64_t value;
    unsigned type;
    bool defined;
};

static size_t symbol_size(const struct image *im) {
    return im->is_elf64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
}

static struct symbol symbol_at(const struct image *im, uint64_t at) {
    if (im->is_elf64) {
        Elf64_Sym s;
        memcpy(&s, im->bytes + at, sizeof s);
        return (struct symbol){s.st_value, ELF64_ST_TYPE(s.st_info),
                               s.st_shndx != SHN_UNDEF && s.st_name};
    }
    Elf32_Sym s;
    memcpy(&s, im->bytes + at, sizeof s);
    return (struct symbol){s.st_value, ELF32_ST_TYPE(s.st_info),
                           s.st_shndx != SHN_UNDEF && s.st_name};
}

static bool is_label_in(const struct image *im, const struct section *table, uint64_t address) {
    size_t size = symbol_size(im);
    for (uint64_t at = 0; at + size <= table->size; at += size) {
        struct symbol s = symbol_at(im, table->offset + at);
        if (s.defined && s.value == address && s.type <= STT_FUNC && s.type != STT_OBJECT)
            return true;
    }
    return false;
}

bool symbols_label(const struct image *im, uint64_t address) {
    struct section s;
    if (!im->is_elf || im->size < sizeof(Elf64_Ehdr))
        return false;
    for (unsigned i = 0; section_at(im, i, &s); i++)
        if (s.type == SHT_SYMTAB && section_is_inside(im, s.offset, s.size) &&
            is_label_in(im, &s, address))
            return true;
    return false;
}
