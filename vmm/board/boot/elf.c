/* Reading ELF files; see elf.h. In both classes the fields that are wanted have the same order,
 * and are words of the class from e_entry and from p_offset on.
 */
#include "vmm/board/boot/elf.h"

#include <elf.h>
#include <string.h>

#include "vmm/memory/memory.h"

static uint64_t elf_number(const struct elf *e, uint64_t at, unsigned size) {
    uint64_t value = 0;
    memcpy(&value, e->bytes + at, size);
    return value;
}

bool elf_is(const uint8_t *bytes, size_t size) {
    return size >= EI_NIDENT && !memcmp(bytes, ELFMAG, SELFMAG);
}

/* The identification, before anything of the rest is used. */
static const char *ident_problem(const struct elf *e) {
    const uint8_t *b = e->bytes;
    if (b[EI_DATA] != ELFDATA2LSB)
        return "not little-endian, so not for an x86";
    if (b[EI_CLASS] != ELFCLASS32 && b[EI_CLASS] != ELFCLASS64)
        return "of an unknown class";
    if (e->size < (b[EI_CLASS] == ELFCLASS64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)))
        return "cut off within its header";
    unsigned type = elf_number(e, offsetof(Elf32_Ehdr, e_type), 2);
    unsigned machine = elf_number(e, offsetof(Elf32_Ehdr, e_machine), 2);
    if (machine != EM_386 && machine != EM_X86_64)
        return "for another processor, not an x86";
    if (b[EI_CLASS] == ELFCLASS64 && machine != EM_X86_64)
        return "64-bit, but not for x86-64";
    return type == ET_EXEC || type == ET_DYN ? NULL : "no executable (link it first)";
}

void elf_read(struct elf *e, const uint8_t *bytes, size_t size) {
    *e = (struct elf){.bytes = bytes, .size = size};
    bool wide = e->bytes[EI_CLASS] == ELFCLASS64;
    e->word = wide ? 8 : 4;
    e->entry = elf_number(e, offsetof(Elf32_Ehdr, e_entry), e->word);
    e->table = elf_number(e, offsetof(Elf32_Ehdr, e_entry) + e->word, e->word);
    e->row = elf_number(e, wide ? offsetof(Elf64_Ehdr, e_phentsize) : offsetof(Elf32_Ehdr, e_phentsize), 2);
    e->count = elf_number(e, wide ? offsetof(Elf64_Ehdr, e_phnum) : offsetof(Elf32_Ehdr, e_phnum), 2);
}

bool elf_segment(const struct elf *e, unsigned n, struct elf_segment *s) {
    uint64_t at = e->table + (uint64_t)n * e->row;
    if (n >= e->count)
        return false;
    bool loads = elf_number(e, at, 4) == PT_LOAD;
    s->offset = elf_number(e, at + e->word, e->word);
    s->linked = elf_number(e, at + 2 * e->word, e->word);
    s->loaded = elf_number(e, at + 3 * e->word, e->word);
    s->length = loads ? elf_number(e, at + 4 * e->word, e->word) : 0;
    s->size = loads ? elf_number(e, at + 5 * e->word, e->word) : 0;
    return true;
}

static const char *segment_problem(const struct elf *e, const struct elf_segment *s) {
    if (s->length > s->size)
        return "damaged: a segment has more bytes in the file than in memory";
    if (s->offset > e->size || s->length > e->size - s->offset)
        return "cut off: a segment lies behind the end of the file";
    if (s->loaded > MEMORY_MAX || s->size > MEMORY_MAX - s->loaded)
        return "linked too high: a segment's physical address is above 3 GiB (check the linker script's AT())";
    return NULL;
}

const char *elf_open_headers(struct elf *e, const uint8_t *bytes, size_t size) {
    *e = (struct elf){.bytes = bytes, .size = size};
    const char *problem = ident_problem(e);
    if (problem)
        return problem;
    elf_read(e, bytes, size);
    if (e->count == 0 || e->row < (e->word == 8 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
        return "without program headers, so there is nothing to load";
    if (e->table > size || (uint64_t)e->count * e->row > size - e->table)
        return "cut off within its program headers";
    return NULL;
}

const char *elf_open(struct elf *e, const uint8_t *bytes, size_t size) {
    const char *problem = elf_open_headers(e, bytes, size);
    struct elf_segment s;
    if (problem)
        return problem;
    for (unsigned n = 0; elf_segment(e, n, &s); n++) {
        if (s.size && (problem = segment_problem(e, &s)))
            return problem;
        if (s.size && s.loaded + s.size > e->end)
            e->end = s.loaded + s.size;
    }
    return e->end ? NULL : "without a segment to load";
}
