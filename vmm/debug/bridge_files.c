/* Files that a client reads by the stub: images, and what has their symbols. */
#include "vmm/debug/bridge.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vmm/host/files.h"

/* disk.img or boot.bin: disk.elf, boot.elf. */
static bool beside(const char *image, char *path, size_t size) {
    const char *name = strrchr(image, '/'), *dot = strrchr(name ? name : image, '.');
    size_t length = dot ? (size_t)(dot - image) : strlen(image);
    return (size_t)snprintf(path, size, "%.*s.elf", (int)length, image) < size;
}

static bool is_elf_file(const char *path) {
    char magic[4] = "";
    int fd = file_open_fd(path);
    bool is =
        fd >= 0 && read(fd, magic, sizeof magic) == sizeof magic && !memcmp(magic, "\177ELF", 4);
    if (fd >= 0)
        close(fd);
    return is;
}

/* The symbols of an image that is no ELF file are in one of its name, if that stands beside. */
const char *bridge_exec_file(void *target, int pid) {
    struct debug *d = target;
    struct machine *m = bridge_machine(d, pid);
    if (!m || !m->image.path || m->image.is_elf)
        return m ? m->image.path : NULL;
    bool there = beside(m->image.path, d->symbols, sizeof d->symbols) && is_elf_file(d->symbols);
    return there ? d->symbols : NULL;
}

static bool is_symbol_file(const struct machine *m, const char *path) {
    const struct symbol_file *bios = m->options->bios_symbols;
    for (unsigned i = 0; i < m->options->symbol_count; i++)
        if (!strcmp(path, m->options->symbols[i].path))
            return true;
    return bios && !strcmp(path, bios->path);
}

/* The images, and what has their symbols. */
bool bridge_may_read(void *target, const char *path) {
    struct debug *d = target;
    for (unsigned pid = 1; pid <= d->count; pid++) {
        const struct machine *m = &d->machines[pid - 1];
        const char *names[] = {bridge_exec_file(d, pid), m->image.path, m->image.user_path};
        for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
            if (names[i] && !strcmp(path, names[i]))
                return true;
        if (is_symbol_file(m, path))
            return true;
    }
    return false;
}

/* gdb takes no file of another word size, and says so at each stop. */
static struct gdb_library library_of(const struct symbol_file *f) {
    return (struct gdb_library){f->path, f->segment, f->is_elf64 ? "i386:x86-64" : "i8086 i386"};
}

/* The user program inside a kernel, what the command line names, and the BIOS. */
size_t bridge_libraries(void *target, int pid, struct gdb_library *list, size_t max) {
    struct machine *m = bridge_machine(target, pid);
    size_t count = 0;
    if (m && m->image.user_path && count < max)
        list[count++] = (struct gdb_library){m->image.user_path, m->image.user_address, NULL};
    for (unsigned i = 0; m && i < m->options->symbol_count && count < max; i++)
        list[count++] = library_of(&m->options->symbols[i]);
    const struct symbol_file *bios = m && m->bios.on ? m->options->bios_symbols : NULL;
    if (bios && count < max) /* 16-bit code: what other code calls it? */
        list[count++] = (struct gdb_library){bios->path, bios->segment, "i8086"};
    return count;
}
