/* Any file as an image, as the user program beside a kernel, or as a ROM, with any
 * options; what can be loaded runs for a while.
 *
 *     options   struct choice, below
 *     shell     its bytes, if any: shell.elf beside kernel.elf
 *     image     the rest
 */
#include "fuzz.h"
#include "guest.h"

struct choice {
    uint8_t mode, flags, memory;
    uint8_t shell;  /* bytes, times 8 */
    uint32_t load, entry;
};
enum { HAS_LOAD = 1, HAS_ENTRY = 2, IS_ROM = 4, HAS_SHELL = 8 };

static struct machine_options options_of(const struct choice *c) {
    static const uint64_t sizes[] = {0, 4096, 32 << 10, 1 << 20, 16 << 20, MEMORY_MAX};
    return (struct machine_options){
        .engine = ENGINE_SOFT,
        .memory = sizes[c->memory % (sizeof sizes / sizeof *sizes)],
        .image = {.load = c->load, .entry = c->entry, .has_load = c->flags & HAS_LOAD,
                  .has_entry = c->flags & HAS_ENTRY, .mode = c->mode % (START_LONG + 1)}};
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct machine m;
    struct choice c;
    struct feed in = {bytes, size};
    feed_bytes(&in, &c, sizeof c);
    struct machine_options options = options_of(&c);
    struct feed shell = feed_part(&in, c.flags & HAS_SHELL ? 8u * c.shell : 0);
    guest_file(GUEST_SHELL, shell.at, shell.left);
    bool is_rom = c.flags & IS_ROM;
    const char *path = guest_file(is_rom ? GUEST_ROM : GUEST_KERNEL, in.at, in.left);
    options.rom = is_rom ? path : NULL;
    if (!guest_open(&m, 1, is_rom ? NULL : path, &options))
        return 0;
    guest_do(&m, COMMAND_RUN);
    machine_close(&m);
    return 0;
}
