/* Images of the command line; see images.h. */
#include "vmm/app/images.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/host/files.h"
#include "vmm/host/stderr.h"

bool images_taken_for(const struct image *im, bool looks, char *text, size_t size) {
    if (!im->kind || !(looks || image_is_guess(im)))
        return false;
    image_describe(im, text, size);
    return true;
}

bool images_wish(const struct image *im, char *text, size_t size) {
    const struct image_screen *s = &im->multiboot.screen;
    snprintf(text, size, "%.200s asks for %s, and gets %ux%ux%u", im->path, im->multiboot.wish, s->width, s->height,
             s->bits);
    return im->multiboot.wish[0];
}

bool images_unused(const struct image *im, char *text, size_t size) {
    const struct image_options *o = im->options;
    if (!im->kind || im->mode == START_MULTIBOOT || im->mode == START_MULTIBOOT2 ||
        !(o->append || o->module_count))
        return false;
    snprintf(text, size, "%.200s does not get %s: it is started as no Multiboot kernel", im->path,
             o->append ? "--append" : "--module");
    return true;
}

/* The file was made with this program: it has our ROM. */
static bool has_our_rom(const char *path) {
    enum { ELF_MAX = 1 << 20 };
    struct stat st;
    int fd = file_open_fd(path);
    char *bytes = fd >= 0 && !file_stat(fd, &st) && st.st_size <= ELF_MAX ? malloc(ELF_MAX) : NULL;
    ssize_t size = bytes ? pread(fd, bytes, ELF_MAX, 0) : -1;
    bool has = size > 0 && memmem(bytes, (size_t)size, bios_rom, BIOS_ROM_SIZE);
    free(bytes);
    if (fd >= 0)
        close(fd);
    return has;
}

/* A program that was moved away from it has none. */
static void open_bios_symbols(struct options *o) {
    char error[512], *path = o->gdb ? image_find_bios() : NULL;
    if (path && has_our_rom(path) && !symbol_file_open(&o->bios_symbols, path, error, sizeof error))
        o->machine.bios_symbols = &o->bios_symbols;
    free(path);
}

int images_open_symbols(struct options *o) {
    char error[512];
    open_bios_symbols(o);
    for (unsigned i = 0; i < o->symbol_count; i++) {
        int err = symbol_file_open(&o->symbol_files[i], o->symbols[i], error, sizeof error);
        if (err) {
            say("%s", error);
            return err;
        }
    }
    o->machine.symbols = o->symbol_files;
    o->machine.symbol_count = o->symbol_count;
    return 0;
}

void images_close_symbols(struct options *o) {
    for (unsigned i = 0; i < o->symbol_count; i++)
        free(o->symbol_files[i].path);
    free(o->bios_symbols.path);
}

void images_list(void) {
    struct image_kind_doc k;
    printf("| image | known by | starts |\n|---|---|---|\n");
    for (unsigned n = 0; image_kind_doc(n, &k); n++)
        printf("| %s | %s | %s%s |\n", k.name, k.known_by, k.boots ? "" : "not: ", k.starts);
}
