/* Reading a ROM image; see rom.h. */
#include "vmm/board/boot/rom.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "vmm/host/files.h"
#include "vmm/memory/layout.h"

/* From 1 byte to ROM_MAX of them, all that there are. */
static int read_rom(FILE *f, struct memory *memory) {
    uint8_t more, *rom = malloc(ROM_MAX);
    if (!rom)
        return -ENOMEM;
    size_t n = fread(rom, 1, ROM_MAX, f);
    bool fits = n && fread(&more, 1, 1, f) == 0;
    int err = fits ? memory_add_rom(memory, rom, n) : -EFBIG;
    free(rom);
    return err;
}

int rom_load(struct memory *memory, const char *path, char *error, size_t size) {
    FILE *f = file_open(path);
    int err = f ? read_rom(f, memory) : -errno;
    if (err == -EFBIG)
        snprintf(error, size, "%s: a ROM has from 1 byte to 256 KiB", path);
    else if (err)
        snprintf(error, size, "%s: %s; check --rom", path, file_error(-err));
    if (f)
        fclose(f);
    return err;
}
