/* Small ELF files made in memory, for tests of the loader: one that is right,
 * and the means to break it.
 *
 * A struct elf_spec says what the file shall hold, elf_build() writes it:
 *
 *   0      ELF header
 *   52/64  program headers
 *   behind the segments' bytes, each right after the other
 */
#ifndef MINIKVM_ELF_BUILD_H
#define MINIKVM_ELF_BUILD_H

#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ELF_ROOM = 32 << 10, ELF_SEGMENTS = 4 };

struct elf_spec {
    bool wide; /* ELF64 */
    uint64_t entry;
    unsigned segments;
    struct {
        uint64_t paddr, memsz;
        const void *bytes;
        size_t size;
    } segment[ELF_SEGMENTS];
};

struct elf_file {
    uint8_t bytes[ELF_ROOM];
    size_t size;
};

static inline Elf32_Ehdr *elf_header32(struct elf_file *f) { return (Elf32_Ehdr *)f->bytes; }
static inline Elf64_Ehdr *elf_header64(struct elf_file *f) { return (Elf64_Ehdr *)f->bytes; }
static inline Elf32_Phdr *elf_segment32(struct elf_file *f, unsigned i) {
    return (Elf32_Phdr *)(f->bytes + sizeof(Elf32_Ehdr)) + i;
}
static inline Elf64_Phdr *elf_segment64(struct elf_file *f, unsigned i) {
    return (Elf64_Phdr *)(f->bytes + sizeof(Elf64_Ehdr)) + i;
}

static inline void elf_build(struct elf_file *f, const struct elf_spec *spec) {
    memset(f, 0, sizeof *f);
    size_t headers = spec->wide ? sizeof(Elf64_Ehdr) + spec->segments * sizeof(Elf64_Phdr)
                                : sizeof(Elf32_Ehdr) + spec->segments * sizeof(Elf32_Phdr);
    f->size = headers;
    if (spec->wide)
        *elf_header64(f) = (Elf64_Ehdr){.e_type = ET_EXEC, .e_machine = EM_X86_64,
            .e_version = EV_CURRENT, .e_entry = spec->entry, .e_phoff = sizeof(Elf64_Ehdr),
            .e_ehsize = sizeof(Elf64_Ehdr), .e_phentsize = sizeof(Elf64_Phdr),
            .e_phnum = spec->segments};
    else
        *elf_header32(f) = (Elf32_Ehdr){.e_type = ET_EXEC, .e_machine = EM_386,
            .e_version = EV_CURRENT, .e_entry = spec->entry, .e_phoff = sizeof(Elf32_Ehdr),
            .e_ehsize = sizeof(Elf32_Ehdr), .e_phentsize = sizeof(Elf32_Phdr),
            .e_phnum = spec->segments};
    memcpy(f->bytes, ELFMAG, SELFMAG);
    f->bytes[EI_CLASS] = spec->wide ? ELFCLASS64 : ELFCLASS32;
    f->bytes[EI_DATA] = ELFDATA2LSB;
    f->bytes[EI_VERSION] = EV_CURRENT;
    for (unsigned i = 0; i < spec->segments; i++) {
        size_t size = spec->segment[i].size;
        uint64_t memsz = spec->segment[i].memsz ? spec->segment[i].memsz : size;
        memcpy(f->bytes + f->size, spec->segment[i].bytes, size);
        if (spec->wide)
            *elf_segment64(f, i) = (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = 7,
                .p_offset = f->size, .p_vaddr = spec->segment[i].paddr,
                .p_paddr = spec->segment[i].paddr, .p_filesz = size, .p_memsz = memsz};
        else
            *elf_segment32(f, i) = (Elf32_Phdr){.p_type = PT_LOAD, .p_flags = 7,
                .p_offset = f->size, .p_vaddr = spec->segment[i].paddr,
                .p_paddr = spec->segment[i].paddr, .p_filesz = size, .p_memsz = memsz};
        f->size += size;
    }
}

/* --- files ---------------------------------------------------------------------- */

static char scratch_path[256]; /* one file, written again and again */

static inline void scratch_remove(void) {
    if (*scratch_path)
        unlink(scratch_path);
}

static inline int scratch_open(void) {
    if (*scratch_path)
        return open(scratch_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const char *folder = getenv("TMPDIR");
    snprintf(scratch_path, sizeof scratch_path, "%s/minikvm-unit-XXXXXX", folder && *folder ? folder : "/tmp");
    atexit(scratch_remove);
    return mkstemp(scratch_path);
}

/* Cut behind the new bytes, not before: to empty a file and fill it again waits for the disk. */
static inline const char *scratch_write(const void *bytes, size_t size) {
    int fd = scratch_open();
    if (fd < 0 || pwrite(fd, bytes, size, 0) != (ssize_t)size || ftruncate(fd, (off_t)size) || close(fd)) {
        perror(scratch_path);
        exit(1);
    }
    return scratch_path;
}

#endif
