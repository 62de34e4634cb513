/* What a Multiboot kernel is told of its machine (version 1: 3.3; version 2: 3.6).
 *
 * Rule: both are written from the same facts, in two passes: how long it is, and, when its
 * place is known, its bytes.
 */
#include <string.h>

#include "vmm/board/boot/multiboot.h"
#include "vmm/board/memory_map.h"

enum { SCREEN = 0xb8000, COLUMNS = 80, ROWS = 25, CELL_BITS = 16, SCREEN_RGB = 1, SCREEN_TEXT = 2 };
static const char loader_name[] = "minikvm";

/* Bytes in the making. */
struct block {
    uint8_t *bytes; /* NULL: they are only counted */
    uint32_t base;  /* physical address of the first */
    size_t used;
};

static void block_align(struct block *b, size_t align) {
    for (; b->used % align; b->used++)
        if (b->bytes)
            b->bytes[b->used] = 0;
}

/* Their physical address. */
static uint32_t block_put(struct block *b, const void *bytes, size_t length) {
    uint32_t at = b->base + (uint32_t)b->used;
    if (b->bytes && length)
        memcpy(b->bytes + b->used, bytes, length);
    b->used += length;
    return at;
}

static uint32_t block_text(struct block *b, const char *text) { return block_put(b, text, strlen(text) + 1); }
static void block_word(struct block *b, uint32_t word) { block_put(b, &word, sizeof word); }

static uint32_t block_sections(struct block *b, const struct multiboot_facts *f) {
    if (b->bytes)
        sections_table(f->image, &f->sections, f->sections_at, b->bytes + b->used);
    uint32_t at = b->base + (uint32_t)b->used;
    b->used += (size_t)f->sections.count * f->sections.header_size;
    return at;
}

/* --- the screen: text, or dots in the framebuffer ----------------------------------------- */

struct screen_facts {
    uint64_t at;
    uint32_t pitch, width, height;
    uint8_t bits, type, colors[6]; /* place and size of red, green, blue */
};

static struct screen_facts screen_facts(const struct image *im) {
    static const uint8_t colors[][6] = {{10, 5, 5, 5, 0, 5}, {11, 5, 5, 6, 0, 5}, {16, 8, 8, 8, 0, 8}};
    const struct image_screen *s = &im->multiboot.screen;
    if (!s->width)
        return (struct screen_facts){SCREEN, COLUMNS * CELL_BITS / 8, COLUMNS, ROWS, CELL_BITS, SCREEN_TEXT, {0}};
    struct screen_facts f = {MEMORY_FRAMEBUFFER, s->width * ((s->bits + 7u) / 8), s->width, s->height,
                             (uint8_t)s->bits, SCREEN_RGB, {0}};
    memcpy(f.colors, colors[s->bits == 15 ? 0 : s->bits == 16 ? 1 : 2], sizeof f.colors);
    return f;
}

/* --- version 1 ---------------------------------------------------------------------------- */

enum {
    HAS_MEMORY = 1 << 0, HAS_BOOT_DEVICE = 1 << 1, HAS_COMMAND_LINE = 1 << 2, HAS_MODULES = 1 << 3,
    HAS_SECTIONS = 1 << 5, HAS_MAP = 1 << 6, HAS_LOADER = 1 << 9, HAS_SCREEN = 1 << 12,
};

struct information {
    uint32_t flags, lower, upper, boot_device, command_line;
    uint32_t module_count, modules;
    uint32_t section_count, section_size, sections, section_names;
    uint32_t map_length, map, drives_length, drives, config, loader, apm;
    uint32_t vbe[4];
    uint64_t screen;
    uint32_t pitch, columns, rows;
    uint8_t cell_bits, screen_type, colors[6];
} __attribute__((packed));
_Static_assert(sizeof(struct information) == 116, "as the specification has it");

/* Entries tell their own size without that word. */
static void put_map1(struct block *b, struct information *out, const struct memory *m) {
    struct memory_range r;
    out->map = b->base + (uint32_t)b->used;
    for (unsigned n = 0; memory_map_range(m, n, &r); n++) {
        block_word(b, 20);
        block_put(b, &r.base, 8);
        block_put(b, &r.length, 8);
        block_word(b, r.kind);
    }
    out->map_length = b->base + (uint32_t)b->used - out->map;
}

static void put_modules1(struct block *b, struct information *out, const struct multiboot_facts *f) {
    uint32_t texts[MULTIBOOT_MODULES];
    for (unsigned i = 0; i < f->module_count; i++)
        texts[i] = block_text(b, f->modules[i].text);
    block_align(b, 4);
    out->module_count = f->module_count;
    out->modules = b->base + (uint32_t)b->used;
    for (unsigned i = 0; i < f->module_count; i++) {
        const uint32_t words[4] = {f->modules[i].from, f->modules[i].to, texts[i], 0};
        block_put(b, words, sizeof words);
    }
}

static void put_sections1(struct block *b, struct information *out, const struct multiboot_facts *f) {
    if (!f->has_sections)
        return;
    out->flags |= HAS_SECTIONS;
    block_align(b, 8);
    out->section_count = f->sections.count;
    out->section_size = f->sections.header_size;
    out->section_names = f->sections.names;
    out->sections = block_sections(b, f);
}

static void tell_screen1(struct information *out, const struct multiboot_facts *f) {
    if (!f->image->multiboot.wants_screen)
        return;
    out->flags |= HAS_SCREEN;
    struct screen_facts s = screen_facts(f->image);
    out->screen = s.at;
    out->pitch = s.pitch;
    out->columns = s.width;
    out->rows = s.height;
    out->cell_bits = s.bits;
    out->screen_type = s.type;
    memcpy(out->colors, s.colors, sizeof out->colors);
}

/* The drive, and no partition of it (0.6.96, 3.3: bytes from the highest). */
static void tell_boot_device1(struct information *out, const struct image_options *o) {
    if (!o->has_boot_device)
        return;
    out->flags |= HAS_BOOT_DEVICE;
    out->boot_device = (uint32_t)o->boot_device << 24 | 0xffffff;
}

size_t multiboot1_information(const struct multiboot_facts *f, uint32_t base, uint8_t *to) {
    struct block b = {to, base, 0};
    struct information out = {.lower = memory_map_lower(f->memory), .upper = memory_map_upper(f->memory)};
    out.flags = HAS_MEMORY | HAS_COMMAND_LINE | HAS_MODULES | HAS_MAP | HAS_LOADER;
    block_put(&b, &out, sizeof out);
    block_align(&b, 8);
    put_map1(&b, &out, f->memory);
    out.command_line = block_text(&b, f->command_line);
    out.loader = block_text(&b, loader_name);
    put_modules1(&b, &out, f);
    put_sections1(&b, &out, f);
    tell_screen1(&out, f);
    tell_boot_device1(&out, f->image->options);
    if (to)
        memcpy(to, &out, sizeof out);
    return b.used;
}

/* --- version 2 ---------------------------------------------------------------------------- */

enum {
    TAG_END, TAG_COMMAND_LINE, TAG_LOADER, TAG_MODULE, TAG_MEMORY, TAG_BOOT_DEVICE, TAG_MAP,
    TAG_SCREEN = 8, TAG_SECTIONS, TAG_ACPI_OLD = 14, TAG_ACPI_NEW, TAG_LOAD_BASE = 21,
};

/* Where its size will stand. */
static size_t tag_begin(struct block *b, uint32_t type) {
    block_align(b, 8);
    block_word(b, type);
    block_word(b, 0);
    return b->used;
}

static void tag_end(struct block *b, size_t begin) {
    uint32_t size = (uint32_t)(b->used - begin) + 8;
    if (b->bytes)
        memcpy(b->bytes + begin - 4, &size, sizeof size);
}

static void put_words(struct block *b, uint32_t type, const uint32_t *words, unsigned count) {
    size_t tag = tag_begin(b, type);
    block_put(b, words, count * sizeof *words);
    tag_end(b, tag);
}

static void put_text(struct block *b, uint32_t type, const char *text) {
    size_t tag = tag_begin(b, type);
    block_text(b, text);
    tag_end(b, tag);
}

static void put_modules2(struct block *b, const struct multiboot_facts *f) {
    for (unsigned i = 0; i < f->module_count; i++) {
        size_t tag = tag_begin(b, TAG_MODULE);
        block_word(b, f->modules[i].from);
        block_word(b, f->modules[i].to);
        block_text(b, f->modules[i].text);
        tag_end(b, tag);
    }
}

static void put_boot_device2(struct block *b, const struct image_options *o) {
    enum { NO_PARTITION = -1 };
    if (o->has_boot_device)
        put_words(b, TAG_BOOT_DEVICE, (uint32_t[]){o->boot_device, NO_PARTITION, NO_PARTITION}, 3);
}

static void put_map2(struct block *b, const struct memory *m) {
    enum { ENTRY_SIZE = 24, ENTRY_VERSION = 0 };
    struct memory_range r;
    size_t tag = tag_begin(b, TAG_MAP);
    block_word(b, ENTRY_SIZE);
    block_word(b, ENTRY_VERSION);
    for (unsigned n = 0; memory_map_range(m, n, &r); n++) {
        block_put(b, &r.base, 8);
        block_put(b, &r.length, 8);
        block_word(b, r.kind);
        block_word(b, 0);
    }
    tag_end(b, tag);
}

static void put_screen2(struct block *b, const struct multiboot_facts *f) {
    if (!f->image->multiboot.wants_screen)
        return;
    struct screen_facts s = screen_facts(f->image);
    const uint8_t kind[4] = {s.bits, s.type};
    size_t tag = tag_begin(b, TAG_SCREEN);
    block_put(b, &s.at, sizeof s.at);
    block_word(b, s.pitch);
    block_word(b, s.width);
    block_word(b, s.height);
    block_put(b, kind, sizeof kind);
    block_put(b, s.colors, s.type == SCREEN_RGB ? sizeof s.colors : 0);
    tag_end(b, tag);
}

static void put_sections2(struct block *b, const struct multiboot_facts *f) {
    if (!f->has_sections)
        return;
    size_t tag = tag_begin(b, TAG_SECTIONS);
    block_word(b, f->sections.count);
    block_word(b, f->sections.header_size);
    block_word(b, f->sections.names);
    block_sections(b, f);
    tag_end(b, tag);
}

/* ACPI 6.5, 5.2.5: in the EBDA or from E0000 to 1 MiB. */
static size_t find_rsdp(const struct memory *m, uint8_t rsdp[36]) {
    enum { OLD = 20, NEW = 36, FROM = 0xe0000, TO = 1 << 20 };
    for (uint32_t at = FROM; at < TO; at += 16) {
        uint8_t sum = 0;
        if (memory_read(m, at, rsdp, NEW) != NEW || memcmp(rsdp, "RSD PTR ", 8))
            continue;
        for (unsigned i = 0; i < OLD; i++)
            sum += rsdp[i];
        if (!sum)
            return rsdp[15] >= 2 ? NEW : OLD;
    }
    return 0;
}

static void put_acpi(struct block *b, const struct memory *m) {
    uint8_t rsdp[36];
    size_t size = find_rsdp(m, rsdp);
    if (!size)
        return;
    size_t tag = tag_begin(b, size == sizeof rsdp ? TAG_ACPI_NEW : TAG_ACPI_OLD);
    block_put(b, rsdp, size);
    tag_end(b, tag);
}

/* 3.6.12: the lowest physical address that it was loaded at, if it could be told. */
static void put_load_base(struct block *b, const struct image *im) {
    struct image_segment s;
    uint64_t lowest = UINT64_MAX;
    for (unsigned i = 0; image_extent(im, i, &s); i++)
        if (s.size && s.loaded < lowest)
            lowest = s.loaded;
    if (im->multiboot.relocatable)
        put_words(b, TAG_LOAD_BASE, (uint32_t[]){(uint32_t)lowest}, 1);
}

size_t multiboot2_information(const struct multiboot_facts *f, uint32_t base, uint8_t *to) {
    struct block b = {to, base, 0};
    block_word(&b, 0);
    block_word(&b, 0);
    put_text(&b, TAG_COMMAND_LINE, f->command_line);
    put_text(&b, TAG_LOADER, loader_name);
    put_modules2(&b, f);
    put_words(&b, TAG_MEMORY, (uint32_t[]){memory_map_lower(f->memory), memory_map_upper(f->memory)}, 2);
    put_boot_device2(&b, f->image->options);
    put_map2(&b, f->memory);
    put_screen2(&b, f);
    put_sections2(&b, f);
    put_acpi(&b, f->memory);
    put_load_base(&b, f->image);
    put_words(&b, TAG_END, NULL, 0);
    uint32_t size = (uint32_t)b.used;
    if (to)
        memcpy(to, &size, sizeof size);
    return b.used;
}
