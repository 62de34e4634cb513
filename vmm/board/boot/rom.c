/* Reading ROM images; see rom.h. */
#include "vmm/board/boot/rom.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "vmm/host/files.h"
#include "vmm/memory/layout.h"

/* All that there is, from 1 byte to `most` of them, to be freed. */
static int read_rom_bytes(FILE *f, size_t most, uint8_t **bytes, size_t *length) {
    uint8_t more;
    *bytes = malloc(most);
    if (!*bytes)
        return -ENOMEM;
    *length = fread(*bytes, 1, most, f);
    int err = ferror(f) ? -errno : 0;
    bool fits = *length && fread(&more, 1, 1, f) == 0;
    if (!err && fits)
        return 0;
    free(*bytes);
    *bytes = NULL;
    return err ? err : -EFBIG;
}

static int read_rom_file(const char *path, size_t most, uint8_t **bytes, size_t *length) {
    FILE *f = file_open(path);
    int err = f ? read_rom_bytes(f, most, bytes, length) : -errno;
    if (f)
        fclose(f);
    return err;
}

int rom_load(struct memory *memory, const char *path, char *error, size_t size) {
    uint8_t *rom = NULL;
    size_t length;
    int err = read_rom_file(path, ROM_MAX, &rom, &length);
    err = err ? err : memory_add_rom(memory, rom, length);
    free(rom);
    if (err == -EFBIG)
        snprintf(error, size, "%s: a ROM has from 1 byte to 256 KiB", path);
    else if (err)
        snprintf(error, size, "%s: %s; check --bios", path, file_error(-err));
    if (!err)
        memory_set_shadow(memory, memory->shadow_at_reset = 0);
    return err;
}

/* PCI Firmware 3.0, 5.1: 55 AA, and the length in units of 512 bytes. */
int rom_read_vga(const char *path, uint8_t **bytes, size_t *length, char *error, size_t size) {
    enum { UNIT = 512 };
    int err = read_rom_file(path, OPTION_ROM_MAX, bytes, length);
    if (err && err != -EFBIG) {
        snprintf(error, size, "%s: %s; check --vgabios", path, file_error(-err));
        return err;
    }
    const uint8_t *rom = *bytes;
    if (!err && *length >= UNIT && rom[0] == 0x55 && rom[1] == 0xaa && rom[2] * (size_t)UNIT <= *length)
        return 0;
    free(*bytes);
    *bytes = NULL;
    snprintf(error, size, "%s: not the option ROM of a VGA, which begins with 55 AA and its length, and has at "
             "most 64 KiB; check --vgabios", path);
    return -EINVAL;
}
