/* Any file as an image, as the user program beside a kernel or a module for it, as a file with
 * symbols, or as a ROM, with any options; what can be loaded runs for a while.
 *
 *     options   struct choice, below
 *     shell     its bytes, if any: shell.elf beside kernel.elf
 *     image     the rest; the checksum of a Multiboot header is made right
 */
#include "fuzz.h"
#include "guest.h"

#include <stdlib.h>
#include <string.h>

struct choice {
    uint8_t mode, flags, memory;
    uint8_t shell;  /* bytes, times 8 */
    uint32_t load, entry;
};
enum {
    HAS_LOAD = 1, HAS_ENTRY = 2, IS_ROM = 4, HAS_SHELL = 8,
    HAS_MODULES = 16,     /* the shell's file, twice */
    BOOT_SHIFT = 6,       /* enum boot_drive */
};

/* Chance does not find a sum. */
static void make_sums_right(uint8_t *bytes, size_t size) {
    enum { LOOK = 256 };
    for (size_t at = 0; at + 16 <= size && at < LOOK; at += 4) {
        uint32_t h[4];
        memcpy(h, bytes + at, sizeof h);
        unsigned sum = h[0] == 0x1badb002 ? 2 : h[0] == 0xe85250d6 ? 3 : 0;
        h[sum] = sum == 2 ? -(h[0] + h[1]) : sum ? -(h[0] + h[1] + h[2]) : h[0];
        memcpy(bytes + at, h, sizeof h);
    }
}

static void look(const struct machine *m, const char *path) {
    struct symbol_file f = {0};
    char text[512];
    if (m->image.kind)
        image_describe(&m->image, text, sizeof text);
    if (symbol_file_open(&f, path, text, sizeof text) == 0)
        free(f.path);
}

static struct machine_options options_of(const struct choice *c) {
    static const uint64_t sizes[] = {0, 4096, 32 << 10, 1 << 20, 16 << 20, MEMORY_MAX};
    return (struct machine_options){
        .engine = ENGINE_SOFT,
        .memory = sizes[c->memory % (sizeof sizes / sizeof *sizes)],
        .image = {.load = c->load, .entry = c->entry, .has_load = c->flags & HAS_LOAD,
                  .has_entry = c->flags & HAS_ENTRY, .mode = c->mode % START_RESET, .boot = (c->flags >> BOOT_SHIFT) % 4}};
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct machine m;
    struct choice c;
    struct feed in = {bytes, size};
    feed_bytes(&in, &c, sizeof c);
    struct machine_options options = options_of(&c);
    struct feed shell = feed_part(&in, c.flags & HAS_SHELL ? 8u * c.shell : 0);
    const char *module = guest_file(GUEST_SHELL, shell.at, shell.left);
    const struct multiboot_module modules[] = {{module, "one"}, {module, "two words"}};
    if (c.flags & HAS_MODULES)
        options.image.modules = modules, options.image.module_count = 2, options.image.append = "words";
    bool is_rom = c.flags & IS_ROM;
    uint8_t *image = malloc(in.left + 1);
    memcpy(image, in.at, in.left);
    make_sums_right(image, in.left);
    const char *path = guest_file(is_rom ? GUEST_ROM : GUEST_KERNEL, image, in.left);
    free(image);
    options.rom = is_rom ? path : NULL;
    if (!guest_open(&m, 1, is_rom ? NULL : path, &options))
        return 0;
    look(&m, path);
    guest_do(&m, COMMAND_RUN);
    machine_close(&m);
    return 0;
}
