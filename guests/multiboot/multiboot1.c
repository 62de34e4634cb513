/* A kernel that prints what a Multiboot 1 loader tells it (specification 0.6.96, 3.3). Each part
 * of the information is there if its flag is. */
#include "screen.h"

enum { STARTED_BY_MULTIBOOT = 0x2badb002 };
enum { HAS_MEMORY = 1 << 0, HAS_LINE = 1 << 2, HAS_MODULES = 1 << 3, HAS_MAP = 1 << 6, HAS_LOADER = 1 << 9 };

struct information {
    uint32_t flags;
    uint32_t lower, upper; /* KiB */
    uint32_t boot_device;
    const char *line;
    uint32_t module_count;
    const struct module *modules;
    uint32_t symbols[4];
    uint32_t map_length;
    const struct range *map;
    uint32_t drives[2], config;
    const char *loader;
};

struct module {
    uint32_t from, to;
    const char *text;
    uint32_t reserved;
};

struct range {
    uint32_t size; /* of what follows */
    uint64_t base, length;
    uint32_t kind;
} __attribute__((packed));

static void print_map(const struct information *info) {
    const char *at = (const char *)info->map, *end = at + info->map_length;
    printf("memory map:\n");
    while (at < end) {
        const struct range *r = (const struct range *)at;
        print_range(r->base, r->length, r->kind);
        at += r->size + sizeof r->size;
    }
}

/* The start code calls it with what the loader left in EAX and EBX. */
void kernel_main(uint32_t magic, const void *information);
void kernel_main(uint32_t magic, const void *information) {
    const struct information *info = information;
    screen_clear();
    if (magic != STARTED_BY_MULTIBOOT) {
        printf("not started by a Multiboot 1 loader: EAX is %x\n", magic);
        return;
    }
    if (info->flags & HAS_LOADER)
        printf("Multiboot 1, by %s\n", info->loader);
    if (info->flags & HAS_LINE)
        printf("command line: %s\n", info->line);
    if (info->flags & HAS_MEMORY)
        printf("memory: %d KiB, and %d KiB from 1 MiB on\n", info->lower, info->upper);
    if (info->flags & HAS_MAP)
        print_map(info);
    for (uint32_t i = 0; info->flags & HAS_MODULES && i < info->module_count; i++)
        print_module(info->modules[i].from, info->modules[i].to, info->modules[i].text);
}
