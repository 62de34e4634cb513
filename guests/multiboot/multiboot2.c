/* A kernel that prints what a Multiboot 2 loader tells it (specification 2.0, 3.6): a list of tags,
 * each 8-aligned, which a kernel walks and picks from what it knows. */
#include "screen.h"

enum { STARTED_BY_MULTIBOOT = 0x36d76289 };
enum { TAG_END = 0, TAG_LINE = 1, TAG_LOADER = 2, TAG_MODULE = 3, TAG_MEMORY = 4, TAG_MAP = 6 };

struct tag {
    uint32_t kind, size;
};

struct module {
    struct tag tag;
    uint32_t from, to;
    char text[];
};

struct memory {
    struct tag tag;
    uint32_t lower, upper; /* KiB */
};

struct range {
    uint64_t base, length;
    uint32_t kind, reserved;
};

struct map {
    struct tag tag;
    uint32_t entry_size, entry_version;
    struct range ranges[];
};

static void print_map(const struct map *map) {
    const char *end = (const char *)map + map->tag.size;
    printf("memory map:\n");
    for (const char *at = (const char *)map->ranges; at < end; at += map->entry_size) {
        const struct range *r = (const struct range *)at;
        print_range(r->base, r->length, r->kind);
    }
}

static void print_tag(const struct tag *tag) {
    const struct module *module = (const struct module *)tag;
    const struct memory *memory = (const struct memory *)tag;
    const char *text = (const char *)(tag + 1);
    switch (tag->kind) {
    case TAG_LINE: printf("command line: %s\n", text); break;
    case TAG_LOADER: printf("Multiboot 2, by %s\n", text); break;
    case TAG_MODULE: print_module(module->from, module->to, module->text); break;
    case TAG_MEMORY: printf("memory: %d KiB, and %d KiB from 1 MiB on\n", memory->lower, memory->upper); break;
    case TAG_MAP: print_map((const struct map *)tag); break;
    }
}

static const struct tag *next(const struct tag *tag) {
    return (const struct tag *)((const char *)tag + ((tag->size + 7) & ~7u));
}

/* The start code calls it with what the loader left in EAX and EBX. */
void kernel_main(uint32_t magic, const void *information);
void kernel_main(uint32_t magic, const void *information) {
    enum { FIRST_TAG = 8 }; /* behind the size of all, and a word that is reserved */
    screen_clear();
    if (magic != STARTED_BY_MULTIBOOT) {
        printf("not started by a Multiboot 2 loader: EAX is %x\n", magic);
        return;
    }
    const struct tag *tag = (const struct tag *)((const char *)information + FIRST_TAG);
    for (; tag->kind != TAG_END; tag = next(tag))
        print_tag(tag);
}
