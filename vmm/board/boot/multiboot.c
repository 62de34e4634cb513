/* Putting a Multiboot kernel, its modules and its information into memory; see multiboot.h.
 *
 *   1000h..  the lowest free place that has room: a small stack, the GDT, the information
 *   1 MiB..  behind the kernel, each at a page: the modules, the sections that no segment loads
 */
#include "vmm/board/boot/multiboot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/board/boot/places.h"
#include "vmm/board/memory_map.h"
#include "vmm/host/files.h"

enum { MIB = 1 << 20, PAGE = 4096, LOWEST = 0x10000 };
/* Of the block in low memory: what is where in it. */
enum { BLOCK_STACK = PAGE, BLOCK_GDT = BLOCK_STACK, BLOCK_INFORMATION = BLOCK_GDT + 64 };

/* --- a kernel that says where it goes (1: 3.1.3; 2: 3.1.5) ----------------------------------- */

static const char *addresses_problem(const struct image *im, const struct multiboot_addresses *a) {
    uint64_t before = (uint64_t)a->header - a->load;
    if (a->header < a->load || before > im->multiboot.header)
        return "the file has not so many bytes before the header";
    if (a->load_end && a->load_end < a->load)
        return "it ends before it begins";
    if (a->load_end && a->load_end - a->load > im->size - (im->multiboot.header - before))
        return "the file has not so many bytes";
    if (a->bss_end && a->load_end && a->bss_end < a->load_end)
        return "bss ends before the data does";
    return NULL;
}

int multiboot_place(struct image *im, struct multiboot_addresses a, char *error, size_t size) {
    const char *problem = addresses_problem(im, &a);
    if (problem)
        return image_refuse(error, size, ENOEXEC, "%s: the addresses in its Multiboot header are wrong: %s "
                      "(load 0x%x to 0x%x, bss to 0x%x, header 0x%x)", im->path, problem, a.load,
                      a.load_end, a.bss_end, a.header);
    im->in_one_piece = true;
    im->offset = im->multiboot.header - (a.header - a.load);
    im->length = a.load_end ? a.load_end - a.load : im->size - im->offset;
    im->load = a.load;
    im->end = im->load + im->length;
    im->end = a.bss_end > im->end ? a.bss_end : im->end;
    im->entry = a.entry;
    return 0;
}

/* --- a kernel that runs anywhere (2: 3.1.11) -------------------------------------------------- */

/* What the image takes: from the lowest to the highest of its bytes. */
static struct place extent_of(const struct image *im) {
    struct image_segment s;
    struct place all = {UINT64_MAX, 0};
    for (unsigned i = 0; image_extent(im, i, &s); i++) {
        if (!s.size)
            continue;
        all.from = s.loaded < all.from ? s.loaded : all.from;
        all.to = s.loaded + s.size > all.to ? s.loaded + s.size : all.to;
    }
    return all;
}

enum preference { PREFER_ANY, PREFER_LOWEST, PREFER_HIGHEST };

/* Where it may begin: RAM above 1 MiB, as far as the kernel takes it. false: nowhere. */
static bool may_begin(const struct image *im, const struct memory *m, uint64_t length, struct place *out) {
    const struct multiboot *mb = &im->multiboot;
    uint64_t align = mb->align, end = mb->highest + 1ull < m->ram_size ? mb->highest + 1ull : m->ram_size;
    uint64_t from = mb->lowest > MIB ? mb->lowest : MIB;
    if (length > end)
        return false;
    *out = (struct place){(from + align - 1) / align * align, (end - length) / align * align};
    return out->from <= out->to;
}

int multiboot_relocate(struct image *im, const struct memory *m, char *error, size_t size) {
    const struct multiboot *mb = &im->multiboot;
    struct place begin, now = extent_of(im);
    if (!mb->relocatable || im->in_one_piece)
        return 0;
    if (!may_begin(im, m, now.to - now.from, &begin))
        return image_refuse(error, size, ENOSPC, "%s: its Multiboot header wants it within 0x%x and 0x%x, and "
                      "there is no room; use more --mem", im->path, mb->lowest, mb->highest);
    uint64_t to = mb->preference == PREFER_HIGHEST ? begin.to : begin.from;
    bool as_linked = now.from >= begin.from && now.from <= begin.to && now.from % mb->align == 0;
    if (mb->preference == PREFER_ANY && as_linked)
        to = now.from;
    im->shift += to - now.from;
    im->entry += to - now.from;
    im->end += to - now.from;
    return 0;
}

/* --- modules ---------------------------------------------------------------------------- */

/* Its length; -errno, and *fd is -1. */
static int64_t open_module(const struct multiboot_module *module, int *fd) {
    struct stat st = {0};
    *fd = file_open_fd(module->path);
    if (*fd < 0)
        return -errno;
    if (file_stat(*fd, &st) == 0)
        return st.st_size;
    close(*fd);
    *fd = -1;
    return -errno;
}

uint64_t multiboot_room(const struct image *im) {
    const struct image_options *o = im->options;
    struct sections sections;
    uint64_t room = sections_of(im, &sections) ? sections.room : 0;
    for (unsigned i = 0; i < o->module_count; i++) {
        int fd;
        int64_t length = open_module(&o->modules[i], &fd);
        room += length > 0 ? length + PAGE : 0;
        if (fd >= 0)
            close(fd);
    }
    return room;
}

/* Above 1 MiB, behind the kernel where there is room. */
static bool find_high(const struct image *im, const struct memory *m, struct places *p, uint64_t length,
                      uint64_t *at) {
    struct place behind = {im->end > MIB ? im->end : MIB, m->ram_size}, any = {MIB, m->ram_size};
    return places_find(p, behind, length, PAGE, at) || places_find(p, any, length, PAGE, at);
}

static int load_module(struct multiboot_facts *f, const struct multiboot_module *module, struct memory *m,
                       struct places *p, char *error, size_t size) {
    int fd;
    int64_t length = open_module(module, &fd);
    uint64_t at = 0;
    if (length < 0)
        return image_refuse(error, size, (int)-length, "%s: %s; check --module", module->path,
                            file_error((int)-length));
    int err = find_high(f->image, m, p, length ? length : 1, &at) ? 0 : -ENOSPC;
    if (err)
        image_refuse(error, size, ENOSPC, "%s: there is no room for a module of %lld bytes; use more --mem",
                     module->path, (long long)length);
    else if ((err = file_read(fd, m->ram + at, length)))
        image_refuse(error, size, -err, "%s: cannot read it: %s", module->path, strerror(-err));
    close(fd);
    f->modules[f->module_count].from = (uint32_t)at;
    f->modules[f->module_count].to = (uint32_t)(at + length);
    f->modules[f->module_count++].text = module->text;
    return err;
}

/* --- the whole ------------------------------------------------------------------------------ */

/* Vectors and BIOS data; the image; all from the EBDA to 1 MiB. */
static bool take_known(const struct image *im, const struct memory *m, struct places *p) {
    struct image_segment s;
    uint32_t ebda = memory_map_ebda(m);
    bool good = places_take(p, 0, PAGE) && places_take(p, ebda, MIB - ebda);
    for (unsigned i = 0; good && image_extent(im, i, &s); i++)
        good = places_take(p, s.loaded, s.size);
    places_sort(p);
    return good;
}

static char *command_line_of(const struct image *im) {
    const char *append = im->options->append, *name = strrchr(im->path, '/');
    char *line;
    name = name ? name + 1 : im->path;
    return asprintf(&line, "%s%s%s", name, append ? " " : "", append ? append : "") < 0 ? NULL : line;
}

static size_t write_information(const struct multiboot_facts *f, uint32_t base, uint8_t *to) {
    return f->image->mode == START_MULTIBOOT ? multiboot1_information(f, base, to)
                                             : multiboot2_information(f, base, to);
}

/* Stack, GDT and information, below 1 MiB if there is room. */
static int load_block(struct image *im, const struct multiboot_facts *f, struct memory *m, struct places *p) {
    uint64_t at, length = BLOCK_INFORMATION + write_information(f, 0, NULL);
    struct place low = {LOWEST, memory_map_ebda(m)};
    if (!places_find(p, low, length, PAGE, &at) && !find_high(im, m, p, length, &at))
        return -ENOSPC;
    im->multiboot.stack = (uint32_t)at + BLOCK_STACK;
    im->multiboot.gdt = (uint32_t)at + BLOCK_GDT;
    im->multiboot.information = (uint32_t)at + BLOCK_INFORMATION;
    write_information(f, im->multiboot.information, m->ram + at + BLOCK_INFORMATION);
    return 0;
}

static int load_all(struct image *im, struct multiboot_facts *f, struct memory *m, struct places *p,
                    char *error, size_t size) {
    const struct image_options *o = im->options;
    uint64_t at;
    int err = 0;
    for (unsigned i = 0; !err && i < o->module_count && i < MULTIBOOT_MODULES; i++)
        err = load_module(f, &o->modules[i], m, p, error, size);
    if (err)
        return err;
    f->has_sections = sections_of(im, &f->sections) &&
                      (!f->sections.room || find_high(im, m, p, f->sections.room, &at));
    f->sections_at = f->has_sections && f->sections.room ? (uint32_t)at : 0;
    if (f->has_sections)
        sections_load(im, &f->sections, f->sections_at, m);
    if (load_block(im, f, m, p) == 0)
        return 0;
    return image_refuse(error, size, ENOSPC, "%s: there is no room for what Multiboot tells a kernel; use "
                  "more --mem", im->path);
}

int multiboot_load(struct image *im, struct memory *m, char *error, size_t size) {
    struct places p = {0};
    char *line = command_line_of(im);
    struct multiboot_facts f = {.image = im, .memory = m, .command_line = line};
    int err = line && take_known(im, m, &p) ? load_all(im, &f, m, &p, error, size)
                                            : image_refuse(error, size, ENOMEM, "no memory");
    places_free(&p);
    free(line);
    return err;
}

/* --- the screen ----------------------------------------------------------------------------- */

static uint16_t nearest_size(uint32_t wanted, uint32_t usual, uint32_t most, uint32_t step) {
    uint32_t size = wanted ? wanted : usual;
    size = size < most ? size : most;
    size -= size % step;
    return (uint16_t)(size ? size : step);
}

static uint16_t nearest_bits(uint32_t wanted) {
    return wanted == 15 || wanted == 16 || wanted == 24 ? (uint16_t)wanted : 32;
}

void multiboot_choose_screen(struct multiboot *mb, uint32_t width, uint32_t height, uint32_t bits) {
    enum { WIDTH = 1024, HEIGHT = 768, WIDTH_MAX = 2560, HEIGHT_MAX = 1600, STEP = 8 };
    mb->wants_screen = true;
    mb->screen = (struct image_screen){nearest_size(width, WIDTH, WIDTH_MAX, STEP),
                                       nearest_size(height, HEIGHT, HEIGHT_MAX, 1), nearest_bits(bits)};
    bool as_wished = (!width || width == mb->screen.width) && (!height || height == mb->screen.height) &&
                     (!bits || bits == mb->screen.bits);
    if (!as_wished)
        snprintf(mb->wish, sizeof mb->wish, "a graphics mode of %ux%ux%u", width, height, bits);
}
