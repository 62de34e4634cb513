/* Multiboot 1 and 2: headers of every kind, right, wrong and hostile; and the information that
 * a kernel finds, read as a kernel would. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/elf_build.h"
#include "tests/unit/fake_cpu.h"
#include "vmm/board/boot/image.h"
#include "vmm/board/memory_map.h"
#include "vmm/memory/layout.h"

enum { KIB = 1 << 10, MIB = 1 << 20, MAGIC1 = 0x1badb002, ROOM = 16 * KIB };
#define MAGIC2 0xe85250d6u

static struct image im;
static struct memory m;
static struct cpu cpu;
static char error[512];
static const struct image_options no_options;

static uint32_t word_at(uint64_t phys) {
    uint32_t word = 0xdeadbeef;
    memory_read(&m, phys, &word, sizeof word);
    return word;
}

static const char *text_at(uint64_t phys) {
    static char text[2][64];
    static unsigned n;
    memory_read(&m, phys, text[++n % 2], 64);
    text[n % 2][63] = 0;
    return text[n % 2];
}

static void close_all(void) {
    memory_close(&m);
    image_close(&im);
}

/* The file's bytes are a block of their own, so that a sanitizer sees their end. 0: it is opened,
 * loaded and started. */
static int start(const void *bytes, size_t size, const struct image_options *o) {
    strcpy(error, "(no sentence)");
    int err = image_open(&im, scratch_write(bytes, size), o, error, sizeof error);
    if (err)
        return err;
    CHECK(memory_open(&m, image_memory(&im)) == 0);
    if ((err = image_load(&im, &m, error, sizeof error))) {
        close_all();
        return err;
    }
    fake_cpu_open(&cpu, &m);
    image_start(&im, &m, &cpu);
    return 0;
}

static void refused(const void *bytes, size_t size, const char *why) {
    int err = start(bytes, size, &no_options);
    CHECK(err < 0);
    unit_check(strstr(error, why) != NULL, why, error, 0);
    if (!err)
        close_all();
}

/* As both specifications want it. */
static void is_started(uint32_t magic, uint32_t entry) {
    const struct cpu_state *s = &cpu.state;
    CHECK(s->regs.rax == magic && s->regs.rip == entry);
    CHECK(x86_mode(&s->sregs, s->regs.rflags) == MODE_PROT32 && s->regs.rflags == 2);
    CHECK(s->sregs.cs.base == 0 && s->sregs.cs.limit == 0xffffffff && s->sregs.ss.limit == 0xffffffff);
    uint64_t raw; /* its hidden parts are those of the table */
    CHECK(memory_read(&m, s->sregs.gdt.base + s->sregs.cs.selector, &raw, 8) == 8);
    struct kvm_segment seen = x86_descriptor(s->sregs.cs.selector, raw);
    CHECK(!memcmp(&seen, &s->sregs.cs, sizeof seen));
}

/* --- version 1 ------------------------------------------------------------------------ */

static uint8_t bytes[ROOM];

static void put_header1(size_t at, uint32_t flags, const uint32_t fields[9]) {
    uint32_t header[12] = {MAGIC1, flags, -(MAGIC1 + flags)};
    memset(bytes, 0x90, sizeof bytes);
    if (fields)
        memcpy(header + 3, fields, 9 * sizeof *fields);
    memcpy(bytes + at, header, fields ? sizeof header : 12);
}

static void kernel1(struct elf_file *f, uint32_t flags, bool wide) {
    put_header1(0, flags, (uint32_t[9]){0, 0, 0, 0, 0, 1, 80, 25, 0});
    struct elf_spec spec = {.wide = wide, .entry = 0x100030, .segments = 1,
                            .segment = {{.paddr = 0x100000, .bytes = bytes, .size = sizeof bytes}}};
    elf_build(f, &spec);
}

static void kernel1_graphics(struct elf_file *f, uint32_t width, uint32_t height, uint32_t bits) {
    put_header1(0, 4, (uint32_t[9]){0, 0, 0, 0, 0, 0, width, height, bits});
    struct elf_spec spec = {.entry = 0x100030, .segments = 1,
                            .segment = {{.paddr = 0x100000, .bytes = bytes, .size = sizeof bytes}}};
    elf_build(f, &spec);
}

static void boot_device(void) {
    struct elf_file f;
    struct image_options o = {.has_boot_device = true, .boot_device = 0x80};
    kernel1(&f, 3, false);
    CHECK(start(f.bytes, f.size, &o) == 0);
    CHECK(word_at(cpu.state.regs.rbx) & 2 && word_at(cpu.state.regs.rbx + 12) == 0x80ffffff);
    close_all();
}

static void the_map_is_right(uint64_t from, uint64_t to) {
    struct memory_range r;
    unsigned n = 0;
    for (; from < to; from += word_at(from) + 4, n++) {
        CHECK(memory_map_range(&m, n, &r) && word_at(from) == 20);
        CHECK(word_at(from + 4) == (uint32_t)r.base && word_at(from + 8) == r.base >> 32);
        CHECK(word_at(from + 12) == (uint32_t)r.length && word_at(from + 20) == r.kind);
    }
    CHECK(from == to && !memory_map_range(&m, n, &r));
}

static void elf_by_multiboot1(bool wide) {
    struct elf_file f;
    struct image_options o = {.append = "a b=c"};
    kernel1(&f, 3, wide);
    CHECK(start(f.bytes, f.size, &o) == 0);
    is_started(0x2badb002, 0x100030);
    uint32_t info = cpu.state.regs.rbx, flags = word_at(info);
    CHECK(flags == (1 | 4 | 8 | 0x40 | 0x200)); /* memory, command line, modules, map, loader */
    CHECK(word_at(info + 4) == 639 && word_at(info + 8) == 15 * KIB);
    const char *line = text_at(word_at(info + 16)), *name = strrchr(scratch_path, '/') + 1;
    CHECK(!strncmp(line, name, strlen(name)) && !strcmp(line + strlen(name), " a b=c"));
    CHECK(word_at(info + 20) == 0);
    the_map_is_right(word_at(info + 48), word_at(info + 48) + word_at(info + 44));
    CHECK_STR(text_at(word_at(info + 64)), "minikvm");
    CHECK(info < 640 * KIB && cpu.state.regs.rsp < 640 * KIB && cpu.state.regs.rsp > 0x1000);
    close_all();
}

static void header1_where_it_is_no_header(void) {
    static const struct {
        size_t at;
        bool is;
    } places[] = {{0, true}, {4, true}, {2, false}, {8192 - 12 - 52 - 32, true}, {8192, false}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct elf_file f;
        struct elf_spec spec = {.entry = 0x100000, .segments = 1,
                                .segment = {{.paddr = 0x100000, .bytes = bytes, .size = sizeof bytes}}};
        put_header1(places[i].at, 3, NULL);
        elf_build(&f, &spec);
        CHECK(start(f.bytes, f.size, &no_options) == 0);
        CHECK(im.mode == (places[i].is ? START_MULTIBOOT : START_PROTECTED));
        close_all();
    }
    struct elf_file f;
    kernel1(&f, 3, false);
    f.bytes[sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr) + 8]++; /* its checksum */
    CHECK(start(f.bytes, f.size, &no_options) == 0 && im.mode == START_PROTECTED);
    close_all();
}

/* 3.1.1: bits 3 to 15 must be known; 17 to 31 may be passed over. */
static void flags_of_header1(void) {
    struct elf_file f;
    for (unsigned bit = 3; bit < 32; bit++) {
        kernel1(&f, 3 | 1u << bit, false);
        if (bit < 16) {
            refused(f.bytes, f.size, "requires what no loader knows");
        } else if (bit > 16) {
            CHECK(start(f.bytes, f.size, &no_options) == 0 && im.mode == START_MULTIBOOT);
            close_all();
        }
    }
    kernel1(&f, 4, false); /* text, please */
    CHECK(start(f.bytes, f.size, &no_options) == 0 && !im.multiboot.wish[0]);
    uint32_t info = cpu.state.regs.rbx;
    CHECK(word_at(info) & 1 << 12 && word_at(info + 88) == 0xb8000 && word_at(info + 96) == 160);
    CHECK(word_at(info + 100) == 80 && word_at(info + 104) == 25 && (word_at(info + 108) & 0xffff) == 0x210);
    close_all();
    kernel1_graphics(&f, 800, 600, 16);
    CHECK(start(f.bytes, f.size, &no_options) == 0 && !im.multiboot.wish[0] && im.multiboot.screen.width == 800);
    info = cpu.state.regs.rbx;
    CHECK(word_at(info + 88) == MEMORY_FRAMEBUFFER && word_at(info + 92) == 0 && word_at(info + 96) == 1600);
    CHECK(word_at(info + 100) == 800 && word_at(info + 104) == 600 && word_at(info + 108) == 0x050b0110);
    CHECK(word_at(info + 112) == 0x05000605);
    close_all();
}

/* The address fields: the file from `load` on is where the header says; zeros up to `bss`. */
static void a_flat_kernel(void) {
    const uint32_t load = 0x200000, bss = load + 0x8000, at = 64;
    put_header1(at, 0x10003, (uint32_t[9]){load + 32, load, load + 0x1000, bss, load + 0x40});
    CHECK(start(bytes, sizeof bytes, &no_options) == 0 && im.mode == START_MULTIBOOT);
    is_started(0x2badb002, load + 0x40);
    CHECK(word_at(load + 32) == MAGIC1 && word_at(load) == 0x90909090 && word_at(load - 4) == 0);
    CHECK(word_at(load + 0xffc) == 0x90909090 && word_at(load + 0x1000) == 0 && im.end == bss);
    close_all();
    put_header1(at, 0x10003, (uint32_t[9]){load, load, 0, 0, load}); /* all of the file */
    CHECK(start(bytes, sizeof bytes, &no_options) == 0 && im.end == load + sizeof bytes - at);
    CHECK(word_at(load + sizeof bytes - at - 4) == 0x90909090);
    close_all();
    /* an ELF file may have them, too, and they count */
    struct elf_file f;
    kernel1(&f, 0x10003, false);
    uint32_t fields[5] = {0x300000, 0x300000, 0, 0, 0x300030};
    memcpy(f.bytes + sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr) + 12, fields, sizeof fields);
    CHECK(start(f.bytes, f.size, &no_options) == 0 && word_at(0x300000) == MAGIC1);
    is_started(0x2badb002, 0x300030);
    close_all();
}

static void wrong_addresses(void) {
    static const struct {
        uint32_t header, load, load_end, bss_end;
        const char *why;
    } wrong[] = {
        {0x1fffff, 0x200000, 0, 0, "not so many bytes before the header"},
        {0x200041, 0x200000, 0, 0, "not so many bytes before the header"},
        {0xffffffff, 0, 0, 0, "not so many bytes before the header"},
        {0x200000, 0x200000, 0x1fffff, 0, "it ends before it begins"},
        {0x200000, 0x200000, 0x200000 + ROOM, 0, "the file has not so many bytes"},
        {0x200000, 0x200000, 0xffffffff, 0, "the file has not so many bytes"},
        {0x200000, 0x200000, 0x201000, 0x200fff, "bss ends before the data does"},
        {0xfffffff0, 0xfffffff0, 0, 0, "guest RAM ends"},
        {0x200000, 0x200000, 0, 0xffffffff, "guest RAM ends"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        put_header1(64, 0x10000, (uint32_t[9]){wrong[i].header, wrong[i].load, wrong[i].load_end,
                                               wrong[i].bss_end, wrong[i].load});
        refused(bytes, sizeof bytes, wrong[i].why);
    }
    put_header1(64, 0x10000, (uint32_t[9]){0});
    for (size_t size = 64 + 12; size < 64 + 32; size++)
        refused(bytes, size, "the file ends within its Multiboot 1 header");
    put_header1(64, 3, NULL);
    refused(bytes, sizeof bytes, "does not say where it is loaded");
}

/* A kernel for the upper half names its entry as it is linked. */
static void upper_half(void) {
    struct elf_file f;
    kernel1(&f, 3, false);
    elf_segment32(&f, 0)->p_vaddr = 0xc0100000;
    elf_header32(&f)->e_entry = 0xc0100030;
    CHECK(start(f.bytes, f.size, &no_options) == 0);
    is_started(0x2badb002, 0x100030);
    close_all();
}

/* --- modules and sections ---------------------------------------------------------------- */

static const char *module_file(const char *name, size_t size) {
    static char paths[4][300];
    static unsigned n;
    char *path = paths[n++ % 4];
    snprintf(path, 300, "%s.%s", scratch_path, name);
    FILE *out = fopen(path, "wb");
    for (size_t i = 0; out && i < size; i++)
        fputc(name[0], out);
    CHECK(out && fclose(out) == 0);
    return path;
}

static void modules(void) {
    struct elf_file f;
    kernel1(&f, 3, false);
    scratch_write("", 0);
    const struct multiboot_module files[] = {{module_file("a", 5000), "a one"},
                                             {module_file("b", 0), "b"},
                                             {module_file("c", 20 * MIB), "c three"}};
    struct image_options o = {.modules = files, .module_count = 3};
    CHECK(start(f.bytes, f.size, &o) == 0);
    CHECK(m.ram_size >= 21 * MIB && m.ram_size <= 40 * MIB); /* it grows with them */
    uint32_t info = cpu.state.regs.rbx, behind = (uint32_t)im.end;
    static const uint32_t sizes[] = {5000, 0, 20 * MIB};
    CHECK(word_at(info + 20) == 3);
    for (unsigned i = 0; i < 3; i++) {
        uint64_t entry = word_at(info + 24) + 16 * i;
        uint32_t from = word_at(entry), to = word_at(entry + 4);
        CHECK(from % 4096 == 0 && from >= behind && to - from == sizes[i] && to <= m.ram_size);
        CHECK_STR(text_at(word_at(entry + 8)), files[i].text);
        CHECK(!sizes[i] || (m.ram[from] == 'a' + i && m.ram[to - 1] == 'a' + i && m.ram[to] == 0));
        behind = to;
    }
    close_all();
    const struct multiboot_module missing = {"/no/such/module", "x"};
    o = (struct image_options){.modules = &missing, .module_count = 1};
    CHECK(start(f.bytes, f.size, &o) < 0 && strstr(error, "/no/such/module: No such file"));
    for (unsigned i = 0; i < 3; i++)
        unlink(files[i].path);
}

/* A kernel in low memory, where the information would be. */
static void kernel_below_1_mib(void) {
    for (uint32_t load = 0x8000; load < 0x98000; load += 0x8000) {
        put_header1(0, 0x10003, (uint32_t[9]){load, load, load + 0x1000, load + 0x7000, load});
        CHECK(start(bytes, sizeof bytes, &no_options) == 0);
        uint32_t info = cpu.state.regs.rbx, stack = cpu.state.regs.rsp;
        CHECK(info + 512 <= load || info >= load + 0x7000);
        CHECK(stack <= load || stack - 4096 >= load + 0x7000);
        CHECK(word_at(load) == MAGIC1 && word_at(load + 0xffc) == 0x90909090);
        close_all();
    }
    /* all of it: then above 1 MiB */
    put_header1(0, 0x10003, (uint32_t[9]){0x1000, 0x1000, 0x2000, 0x9fc00, 0x1000});
    CHECK(start(bytes, sizeof bytes, &no_options) == 0 && cpu.state.regs.rbx >= MIB);
    close_all();
}

/* Section headers behind the segment's bytes: null, .text in the segment, .strtab that is not. */
static void add_sections(struct elf_file *f) {
    Elf32_Shdr s[3] = {{0}, {.sh_type = SHT_PROGBITS, .sh_addr = 0x100000, .sh_offset = 84, .sh_size = 16},
                       {.sh_type = SHT_STRTAB, .sh_offset = 0, .sh_size = 4, .sh_addralign = 1}};
    elf_header32(f)->e_shoff = f->size;
    elf_header32(f)->e_shnum = 3;
    elf_header32(f)->e_shstrndx = 2;
    elf_header32(f)->e_shentsize = sizeof(Elf32_Shdr);
    memcpy(f->bytes + f->size, s, sizeof s);
    f->size += sizeof s;
}

static void sections(void) {
    struct elf_file f;
    kernel1(&f, 3, false);
    add_sections(&f);
    CHECK(start(f.bytes, f.size, &no_options) == 0);
    uint32_t info = cpu.state.regs.rbx, table = word_at(info + 36);
    CHECK(word_at(info) & 1 << 5 && word_at(info + 28) == 3 && word_at(info + 32) == sizeof(Elf32_Shdr));
    CHECK(word_at(info + 40) == 2 && word_at(table + 40 + 12) == 0x100000);
    uint32_t strings = word_at(table + 80 + 12);
    CHECK(strings >= im.end && word_at(strings) == 0x464c457f); /* the file's first four bytes */
    close_all();
    elf_header32(&f)->e_shoff = 0xfffffff0; /* a table that is not there is none */
    CHECK(start(f.bytes, f.size, &no_options) == 0 && !(word_at(cpu.state.regs.rbx) & 1 << 5));
    close_all();
}

/* --- version 2 ------------------------------------------------------------------------ */

static uint32_t tags2[64];
static unsigned words2;

static void tag2(uint16_t type, uint16_t flags, unsigned words, const uint32_t *content) {
    tags2[words2++] = type | (uint32_t)flags << 16;
    tags2[words2++] = 8 + 4 * words;
    for (unsigned i = 0; i < words; i++)
        tags2[words2++] = content[i];
    words2 += words2 % 2;
}

/* With the tags that were given. */
static void put_header2(size_t at) {
    uint32_t length = 16 + 4 * words2, header[4] = {MAGIC2, 0, length, -(MAGIC2 + length)};
    memset(bytes, 0x90, sizeof bytes);
    memcpy(bytes + at, header, sizeof header);
    memcpy(bytes + at + 16, tags2, 4 * words2);
    memset(tags2, 0, sizeof tags2);
    words2 = 0;
}

static void kernel2(struct elf_file *f, bool wide) {
    tag2(0, 0, 0, NULL);
    size_t headers = wide ? sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) : sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr);
    put_header2((8 - headers % 8) % 8);
    struct elf_spec spec = {.wide = wide, .entry = 0x100400, .segments = 1,
                            .segment = {{.paddr = 0x100000, .bytes = bytes, .size = sizeof bytes}}};
    elf_build(f, &spec);
}

/* The first tag of this type, or 0. Checks the list on the way. */
static uint32_t find_tag(uint32_t type) {
    uint32_t info = cpu.state.regs.rbx, end = info + word_at(info), found = 0;
    uint32_t at = info + 8;
    CHECK(info % 8 == 0);
    for (; at < end && word_at(at) != 0; at += (word_at(at + 4) + 7) & ~7u)
        if (word_at(at) == type && !found)
            found = at;
    CHECK(word_at(at) == 0 && word_at(at + 4) == 8 && at + 8 == end);
    return found;
}

static void elf_by_multiboot2(bool wide) {
    struct elf_file f;
    struct memory_range r;
    scratch_write("", 0);
    const struct multiboot_module module = {module_file("m", 100), "m words"};
    struct image_options o = {.append = "x", .modules = &module, .module_count = 1};
    kernel2(&f, wide);
    CHECK(start(f.bytes, f.size, &o) == 0 && im.mode == START_MULTIBOOT2);
    is_started(0x36d76289, 0x100400);
    CHECK(strstr(text_at(find_tag(1) + 8), " x"));
    CHECK_STR(text_at(find_tag(2) + 8), "minikvm");
    uint32_t mod = find_tag(3), map = find_tag(6);
    CHECK(word_at(mod + 12) - word_at(mod + 8) == 100 && m.ram[word_at(mod + 8)] == 'm');
    CHECK_STR(text_at(mod + 16), "m words");
    CHECK(word_at(find_tag(4) + 8) == 639 && word_at(find_tag(4) + 12) == 15 * KIB);
    CHECK(word_at(map + 8) == 24 && word_at(map + 12) == 0);
    for (unsigned n = 0; memory_map_range(&m, n, &r); n++)
        CHECK(word_at(map + 16 + 24 * n) == (uint32_t)r.base && word_at(map + 32 + 24 * n) == r.kind);
    CHECK(!find_tag(5) && !find_tag(8) && !find_tag(9) && !find_tag(10) && !find_tag(14) && !find_tag(21));
    close_all();
    unlink(module.path);
}

/* A file of its own with these tags and an end. */
static void flat2(uint16_t type, uint16_t flags, unsigned words, const uint32_t *content) {
    const uint32_t addresses[] = {0x200008, 0x200000, 0, 0x208000}, entry[] = {0x200010};
    tag2(2, 0, 4, addresses);
    tag2(3, 0, 1, entry);
    if (words)
        tag2(type, flags, words, content);
    tag2(0, 0, 0, NULL);
    put_header2(8);
}

static void a_flat_kernel2(void) {
    flat2(0, 0, 0, NULL);
    CHECK(start(bytes, sizeof bytes, &no_options) == 0 && im.mode == START_MULTIBOOT2);
    is_started(0x36d76289, 0x200010);
    CHECK(word_at(0x200008) == MAGIC2 && im.end == 0x208000 && word_at(0x200000) == 0x90909090);
    close_all();
}

static void boot_device2(void) {
    struct image_options o = {.has_boot_device = true};
    flat2(0, 0, 0, NULL);
    CHECK(start(bytes, sizeof bytes, &o) == 0);
    uint32_t tag = find_tag(5);
    CHECK(word_at(tag + 4) == 20 && word_at(tag + 8) == 0 && word_at(tag + 12) == 0xffffffff);
    close_all();
}

/* --- what a Multiboot 2 header asks for ------------------------------------------------------ */

static const uint32_t no_number[] = {0};

static void starts_with_tag(unsigned type, unsigned optional, unsigned count, const uint32_t *words) {
    flat2(type, optional, count, words);
    CHECK(start(bytes, sizeof bytes, &no_options) == 0);
}

static void text_screen2(void) {
    static const uint32_t text[] = {80, 25, 0};
    starts_with_tag(5, 0, 3, text);
    CHECK(!im.multiboot.wish[0]);
    uint32_t screen = find_tag(8);
    CHECK(word_at(screen + 8) == 0xb8000 && word_at(screen + 16) == 160 && word_at(screen + 20) == 80);
    CHECK(word_at(screen + 24) == 25 && word_at(screen + 28) == 0x210);
    close_all();
}

static void framebuffer2(void) {
    static const uint32_t graphics[] = {1024, 768, 32}, too_large[] = {5000, 7, 12};
    starts_with_tag(5, 0, 3, graphics);
    CHECK(!im.multiboot.wish[0]);
    CHECK(im.multiboot.screen.width == 1024 && im.multiboot.screen.height == 768 && im.multiboot.screen.bits == 32);
    uint32_t screen = find_tag(8);
    CHECK(word_at(screen + 4) == 38 && word_at(screen + 8) == MEMORY_FRAMEBUFFER && word_at(screen + 12) == 0);
    CHECK(word_at(screen + 16) == 4096 && word_at(screen + 20) == 1024 && word_at(screen + 24) == 768);
    CHECK(word_at(screen + 28) == 0x120 && word_at(screen + 32) == 0x08080810 && (word_at(screen + 36) & 0xffff) == 0x0800);
    close_all();
    starts_with_tag(5, 0, 3, too_large);
    CHECK(strstr(im.multiboot.wish, "5000x7x12"));
    CHECK(im.multiboot.screen.width == 2560 && im.multiboot.screen.height == 7 && im.multiboot.screen.bits == 32);
    close_all();
}

/* Tag 4: a screen is wanted, with bit 1 text will do. */
static void console_flags2(void) {
    static const uint32_t no_text[] = {1}, some_text[] = {3};
    starts_with_tag(4, 0, 1, no_text);
    CHECK(im.multiboot.screen.width == 1024);
    close_all();
    starts_with_tag(4, 0, 1, some_text);
    close_all();
}

static void requested_information2(void) {
    static const uint32_t known[] = {1, 6, 10, 21}, unknown[] = {22};
    starts_with_tag(1, 0, 4, known);
    close_all();
    flat2(1, 0, 1, unknown);
    refused(bytes, sizeof bytes, "requires information 22");
    starts_with_tag(1, 1, 1, unknown); /* optional */
    close_all();
}

static void unknown_tags2(void) {
    flat2(99, 0, 1, no_number);
    refused(bytes, sizeof bytes, "requires tag 99");
    starts_with_tag(99, 1, 1, no_number);
    close_all();
    for (unsigned efi = 7; efi < 10; efi++) { /* of no use here, and no harm */
        starts_with_tag(efi, 0, 1, no_number);
        close_all();
    }
}

static void wrong_headers2(void) {
    static const uint32_t few[1] = {0};
    tag2(0, 0, 0, NULL);
    put_header2(0);
    refused(bytes, sizeof bytes, "does not say where it is loaded");
    tag2(2, 0, 1, few);
    put_header2(0);
    refused(bytes, sizeof bytes, "'address' has 12 bytes, not 24");
    tag2(2, 0, 4, (uint32_t[]){0x200000, 0x200000, 0, 0});
    tag2(0, 0, 0, NULL);
    put_header2(0);
    refused(bytes, sizeof bytes, "no entry address");
    tag2(6, 0, 0, NULL);
    put_header2(0);
    refused(bytes, sizeof bytes, "has no end tag");
    tag2(6, 0, 0, NULL);
    put_header2(0);
    bytes[20] = 200; /* longer than the header */
    refused(bytes, sizeof bytes, "does not fit");
    bytes[20] = 4; /* shorter than a tag is */
    refused(bytes, sizeof bytes, "does not fit");
    for (uint32_t length = 0; length < 16; length += 4) {
        uint32_t header[4] = {MAGIC2, 0, length, -(MAGIC2 + length)};
        memcpy(bytes, header, sizeof header);
        refused(bytes, sizeof bytes, "is not within the first 32 KiB");
    }
    uint32_t mips[4] = {MAGIC2, 4, 16, -(MAGIC2 + 4 + 16)};
    memcpy(bytes, mips, sizeof mips);
    refused(bytes, sizeof bytes, "for architecture 4");
    uint32_t longer[4] = {MAGIC2, 0, ROOM + 8, -(MAGIC2 + ROOM + 8)};
    memcpy(bytes, longer, sizeof longer);
    refused(bytes, sizeof bytes, "is not within the first 32 KiB");
}

static void relocatable(uint32_t lowest, uint32_t highest, uint32_t align, uint32_t preference, uint32_t base) {
    struct elf_file f;
    tag2(10, 0, 4, (uint32_t[]){lowest, highest, align, preference});
    kernel2(&f, false);
    int err = start(f.bytes, f.size, &no_options);
    CHECK(base ? err == 0 : err == -ENOSPC);
    if (err)
        return;
    is_started(0x36d76289, base + 0x400);
    CHECK(word_at(base + 4) == MAGIC2 && word_at(find_tag(21) + 8) == base);
    close_all();
}

static void kernels_that_run_anywhere(void) {
    relocatable(0, 0xffffffff, 4096, 0, 0x100000);          /* as it is linked */
    relocatable(0x400000, 0xffffffff, 4096, 0, 0x400000);   /* which it must not be */
    relocatable(0x400000, 0xffffffff, 2 * MIB, 1, 0x400000);
    relocatable(0x400001, 0xffffffff, 2 * MIB, 1, 0x600000);
    relocatable(0x100000, 0xffffffff, MIB, 2, 15 * MIB);    /* the highest there is */
    relocatable(0x100000, 0x7fffff, 4096, 2, 0x800000 - ROOM);
    relocatable(0, 0xfffff, 4096, 1, 0);                    /* below 1 MiB is no room */
    relocatable(0x100000, 0x100fff, 4096, 1, 0);
    relocatable(0xf0000000, 0xffffffff, 4096, 1, 0);
    struct elf_file f;
    for (unsigned i = 0; i < 2; i++) {
        tag2(10, 0, 4, i ? (uint32_t[]){0, 0xffffffff, 0, 0} : (uint32_t[]){0x1000, 0, 4096, 0});
        kernel2(&f, false);
        refused(f.bytes, f.size, "damaged: relocatable");
    }
}

/* --- anything at all ------------------------------------------------------------------------ */

static void random_headers(void) {
    static const uint32_t values[] = {0, 1, 8, 16, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff8, 0x100000,
                                      0x200000, 4096, 0x10003};
    unsigned started = 0, refusals = 0;
    srand(5);
    for (int i = 0; i < 6000; i++) {
        struct elf_file f;
        bool second = i % 2, elf = i % 3 == 0;
        if (second && elf) {
            tag2(10, 0, 4, (uint32_t[]){0, 0xffffffff, 4096, i % 3});
            kernel2(&f, i % 4 == 1);
        } else if (second) {
            flat2(5, 0, 3, values);
        } else if (elf) {
            kernel1(&f, i % 5 ? 7 : 0x10007, i % 4 == 0);
            add_sections(&f);
        } else {
            put_header1(16, 0x10007, (uint32_t[9]){0x200000, 0x200000, 0, 0, 0x200000});
        }
        uint8_t *at = elf ? f.bytes : bytes;
        size_t size = elf ? f.size : sizeof bytes, hot = size - 256;
        for (int n = rand() % 4; n > 0; n--) {
            size_t where = elf && rand() % 3 == 0 ? hot + rand() % 252 : 4u * (rand() % 56) + (elf ? rand() % 4 : 0);
            memcpy(at + where, &values[rand() % 12], 1u << rand() % 3);
        }
        if (!elf) { /* its checksum is right again */
            uint32_t *h = (uint32_t *)(bytes + (second ? 8 : 16));
            h[0] = second ? MAGIC2 : MAGIC1;
            h[second ? 3 : 2] = -(h[0] + h[1] + (second ? h[2] : 0));
        }
        int err = start(at, size, &no_options);
        CHECK(!err || *error != '(');
        started += !err;
        refusals += err != 0;
        if (!err)
            close_all();
    }
    CHECK(started > 500 && refusals > 500); /* some of each, or this tests nothing */
}

int main(void) {
    elf_by_multiboot1(false);
    elf_by_multiboot1(true);
    boot_device();
    header1_where_it_is_no_header();
    flags_of_header1();
    a_flat_kernel();
    wrong_addresses();
    upper_half();
    modules();
    kernel_below_1_mib();
    sections();
    elf_by_multiboot2(false);
    elf_by_multiboot2(true);
    a_flat_kernel2();
    boot_device2();
    text_screen2();
    framebuffer2();
    console_flags2();
    requested_information2();
    unknown_tags2();
    wrong_headers2();
    kernels_that_run_anywhere();
    random_headers();
    return unit_end();
}
