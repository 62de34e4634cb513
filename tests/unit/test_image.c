/* Images: every kind of file goes where it should with the right first state of
 * the CPU, and no file, however broken, does anything but be refused with a
 * sentence. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/elf_build.h"
#include "tests/unit/fake_cpu.h"
#include "vmm/board/boot/image.h"
#include "vmm/memory/layout.h"
#include "vmm/x86/descriptor.h"
#include "vmm/x86/mode.h"
#include "vmm/x86/page_walk.h"

enum { KIB = 1 << 10, MIB = 1 << 20 };

static const uint8_t code[64] = {0xf4, 1, 2, 3};
static const struct image_options no_options;
static char error[512];

/* A segment for real mode at 0x1000 with 32 more bytes of zeros. */
static const struct elf_spec real32 = {
    .entry = 0x1000, .segments = 1,
    .segment = {{.paddr = 0x1000, .memsz = 96, .bytes = code, .size = sizeof code}}};
static const struct elf_spec high32 = {
    .entry = 0x100010, .segments = 2,
    .segment = {{.paddr = 0x100000, .bytes = code, .size = sizeof code},
                {.paddr = 0x200000, .memsz = 0x1000, .bytes = code, .size = 16}}};
static const struct elf_spec long64 = {
    .wide = true, .entry = 0x100000, .segments = 1,
    .segment = {{.paddr = 0x100000, .bytes = code, .size = sizeof code}}};

static int open_bytes(struct image *im, const void *bytes, size_t size,
                      const struct image_options *options) {
    strcpy(error, "(no sentence)");
    return image_open(im, scratch_write(bytes, size), options, error, sizeof error);
}

static int open_file(struct image *im, const struct elf_file *f) {
    return open_bytes(im, f->bytes, f->size, &no_options);
}

/* A refusal names the file, says why, and leaves nothing to be freed. */
static void refused(const void *bytes, size_t size, const char *why) {
    struct image im;
    int err = open_bytes(&im, bytes, size, &no_options);
    CHECK(err < 0);
    CHECK(strstr(error, scratch_path) != NULL);
    unit_check(strstr(error, why) != NULL, why, error, 0);
    CHECK(im.bytes == NULL && im.path == NULL);
    image_close(&im);
}

static void refused_file(const struct elf_file *f, const char *why) {
    refused(f->bytes, f->size, why);
}

/* --- what is right ----------------------------------------------------------------- */

static void elf32_low_is_real_mode(void) {
    struct elf_file f;
    struct image im;
    struct memory m;
    struct cpu cpu;
    elf_build(&f, &real32);
    CHECK(open_file(&im, &f) == 0);
    CHECK(im.mode == START_REAL && im.entry == 0x1000 && im.end == 0x1060);
    CHECK(im.is_elf && !im.is_elf64);
    CHECK(image_memory(&im) == MIB);
    memory_open(&m, image_memory(&im));
    memset(m.ram, 0xee, m.ram_size);
    CHECK(image_load(&im, &m, error, sizeof error) == 0);
    CHECK(!memcmp(m.ram + 0x1000, code, sizeof code));
    CHECK(m.ram[0x1040] == 0 && m.ram[0x105f] == 0 && m.ram[0x1060] == 0xee); /* .bss */
    fake_cpu_open(&cpu, &m);
    image_start(&im, &m, &cpu);
    const struct kvm_sregs *s = &cpu.state.sregs;
    CHECK(x86_mode(s, cpu.state.regs.rflags) == MODE_REAL && s->cr0 == CR0_ET);
    CHECK(x86_pc(&cpu.state.regs, s) == 0x1000 && s->cs.selector == 0);
    CHECK(cpu.state.regs.rflags == 2 && cpu.state.regs.rax == 0);
    CHECK(s->idt.base == 0 && s->idt.limit == 0x3ff && s->ds.selector == 0);
    CHECK((cpu.dirty & (CPU_REGS | CPU_SREGS)) == (CPU_REGS | CPU_SREGS));
    memory_close(&m);
    image_close(&im);
}

/* An entry at 1000:0000 keeps all of a segment reachable. */
static void real_mode_entry_above_64k(void) {
    struct elf_spec spec = real32;
    struct elf_file f;
    struct image im;
    struct memory m;
    struct cpu cpu;
    spec.entry = spec.segment[0].paddr = 0x12340;
    elf_build(&f, &spec);
    CHECK(open_file(&im, &f) == 0 && im.mode == START_REAL);
    memory_open(&m, image_memory(&im));
    fake_cpu_open(&cpu, &m);
    image_start(&im, &m, &cpu);
    CHECK(cpu.state.sregs.cs.selector == 0x1000 && cpu.state.regs.rip == 0x2340);
    CHECK(x86_pc(&cpu.state.regs, &cpu.state.sregs) == 0x12340);
    memory_close(&m);
    image_close(&im);
}

static void elf32_high_is_protected_mode(void) {
    struct elf_file f;
    struct image im;
    struct memory m;
    struct cpu cpu;
    elf_build(&f, &high32);
    CHECK(open_file(&im, &f) == 0);
    CHECK(im.mode == START_PROTECTED && im.entry == 0x100010 && im.end == 0x201000);
    CHECK(image_memory(&im) == 16 * MIB);
    memory_open(&m, image_memory(&im));
    CHECK(image_load(&im, &m, error, sizeof error) == 0);
    fake_cpu_open(&cpu, &m);
    image_start(&im, &m, &cpu);
    struct kvm_sregs *s = &cpu.state.sregs;
    CHECK(x86_mode(s, cpu.state.regs.rflags) == MODE_PROT32 && x86_cpl(s) == 0);
    CHECK(cpu.state.regs.rip == 0x100010 && s->cs.limit == 0xffffffff && s->ss.db);
    /* the hidden parts are those of the table in memory */
    uint64_t raw;
    CHECK(x86_read(&m, s, s->gdt.base + s->cs.selector, &raw, 8) == 8);
    struct kvm_segment seen = x86_descriptor(s->cs.selector, raw);
    CHECK(!memcmp(&seen, &s->cs, sizeof seen));
    CHECK(x86_read(&m, s, s->gdt.base + s->ds.selector, &raw, 8) == 8);
    seen = x86_descriptor(s->ds.selector, raw);
    CHECK(!memcmp(&seen, &s->ds, sizeof seen));
    memory_close(&m);
    image_close(&im);
}

static void elf64_is_long_mode_identity_mapped(void) {
    struct elf_file f;
    struct image im;
    struct memory m;
    struct cpu cpu;
    struct page_walk w;
    elf_build(&f, &long64);
    CHECK(open_file(&im, &f) == 0 && im.mode == START_LONG && im.is_elf64);
    memory_open(&m, image_memory(&im));
    CHECK(image_load(&im, &m, error, sizeof error) == 0);
    fake_cpu_open(&cpu, &m);
    image_start(&im, &m, &cpu);
    const struct kvm_sregs *s = &cpu.state.sregs;
    CHECK(x86_mode(s, cpu.state.regs.rflags) == MODE_LONG && s->efer == (EFER_LME | EFER_LMA));
    static const uint64_t addresses[] = {0, 0x1234, 0x100000, 0x3fffffff, 0x40000000, 0xfee00000,
                                         0xffffffff};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
        CHECK(x86_walk(&m, s, addresses[i], &w) && w.phys == addresses[i] && w.writable &&
              w.executable);
    CHECK(!x86_walk(&m, s, 1ull << 32, &w));
    memory_close(&m);
    image_close(&im);
}

static void flat(void) {
    struct image im;
    struct memory m;
    struct cpu cpu;
    CHECK(open_bytes(&im, code, sizeof code, &no_options) == 0);
    CHECK(im.mode == START_REAL && im.load == 0x1000 && im.entry == 0x1000 && im.end == 0x1040);
    memory_open(&m, image_memory(&im));
    CHECK(image_load(&im, &m, error, sizeof error) == 0);
    CHECK(!memcmp(m.ram + 0x1000, code, sizeof code));
    fake_cpu_open(&cpu, &m);
    image_start(&im, &m, &cpu);
    CHECK(x86_pc(&cpu.state.regs, &cpu.state.sregs) == 0x1000);
    image_close(&im);

    struct image_options o = {.has_load = true, .load = 0x7c00};
    CHECK(open_bytes(&im, code, sizeof code, &o) == 0 && im.load == 0x7c00 && im.entry == 0x7c00);
    CHECK(image_load(&im, &m, error, sizeof error) == 0 && m.ram[0x7c00] == 0xf4);
    image_close(&im);
    CHECK(open_bytes(&im, "\xf4", 1, &no_options) == 0 && im.end == 0x1001); /* one byte is one */
    image_close(&im);
    memory_close(&m);
}

static void entry_and_mode_overrides(void) {
    struct elf_file f;
    struct image im;
    struct image_options o = {.has_entry = true, .entry = 0x1020};
    elf_build(&f, &real32);
    CHECK(open_bytes(&im, f.bytes, f.size, &o) == 0 && im.entry == 0x1020);
    image_close(&im);
    CHECK(open_bytes(&im, code, sizeof code, &o) == 0 && im.entry == 0x1020 && im.load == 0x1000);
    image_close(&im);
    static const enum start_mode modes[] = {START_REAL, START_PROTECTED, START_LONG};
    for (int i = 0; i < 3; i++) {
        o = (struct image_options){.mode = modes[i]};
        CHECK(open_bytes(&im, f.bytes, f.size, &o) == 0 && im.mode == modes[i]);
        image_close(&im);
    }
    /* real mode does not reach 1 MiB */
    elf_build(&f, &high32);
    o = (struct image_options){.mode = START_REAL};
    CHECK(open_bytes(&im, f.bytes, f.size, &o) == -EINVAL && strstr(error, "--mode=protected"));
    o = (struct image_options){.has_entry = true, .entry = 0x500};
    CHECK(open_bytes(&im, f.bytes, f.size, &o) == 0 && im.mode == START_REAL);
    image_close(&im);
    o = (struct image_options){.has_load = true, .load = MIB};
    CHECK(open_bytes(&im, code, sizeof code, &o) == -EINVAL);
}

/* --- Multiboot (more in test_multiboot.c) ------------------------------------------------------------------------ */

static void multiboot_file(struct elf_file *f, uint32_t flags, uint32_t wrong, size_t before) {
    static uint8_t bytes[16 * KIB];
    uint32_t header[3] = {0x1badb002, flags, -(0x1badb002 + flags) + wrong};
    memset(bytes, 0x90, sizeof bytes);
    memcpy(bytes + before, header, sizeof header);
    struct elf_spec spec = {.entry = 0x100000, .segments = 1,
                            .segment = {{.paddr = 0x100000, .bytes = bytes, .size = sizeof bytes}}};
    elf_build(f, &spec);
}

/* --- what is broken ------------------------------------------------------------------- */

static void no_file(void) {
    struct image im;
    CHECK(image_open(&im, "/no/such/file", &no_options, error, sizeof error) == -ENOENT);
    CHECK(strstr(error, "/no/such/file"));
    CHECK(image_open(&im, "/", &no_options, error, sizeof error) < 0);
    CHECK(image_open(&im, "/dev/null", &no_options, error, sizeof error) < 0);
    refused("", 0, "empty");
}

/* Cut off anywhere, a file is refused or is no ELF file any more; never more of
 * it is loaded than there is. */
static void truncated(const struct elf_spec *spec) {
    struct elf_file f;
    struct image im;
    struct memory m;
    elf_build(&f, spec);
    memory_open(&m, 16 * MIB);
    for (size_t size = 1; size < f.size; size++) {
        uint8_t *cut = malloc(size); /* of its own, so that a sanitizer sees its end */
        memcpy(cut, f.bytes, size);
        int err = open_bytes(&im, cut, size, &no_options);
        CHECK(size < EI_NIDENT ? err == 0 && !im.is_elf : err == -ENOEXEC);
        if (!err)
            image_load(&im, &m, error, sizeof error);
        image_close(&im);
        free(cut);
    }
    CHECK(open_file(&im, &f) == 0);
    image_close(&im);
    memory_close(&m);
}

static void foreign(void) {
    struct elf_file f;
    elf_build(&f, &real32);
    static const uint16_t machines[] = {EM_ARM, EM_AARCH64, EM_PPC, EM_RISCV, EM_68K, EM_NONE,
                                        0xffff};
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++) {
        elf_header32(&f)->e_machine = machines[i];
        refused_file(&f, "another processor");
    }
    elf_build(&f, &real32);
    f.bytes[EI_DATA] = ELFDATA2MSB;
    refused_file(&f, "little-endian");
    f.bytes[EI_DATA] = 77;
    refused_file(&f, "little-endian");
    elf_build(&f, &real32);
    f.bytes[EI_CLASS] = 9;
    refused_file(&f, "class");
    elf_build(&f, &real32);
    elf_header32(&f)->e_type = ET_REL;
    refused_file(&f, "link it");
    elf_header32(&f)->e_type = ET_CORE;
    refused_file(&f, "executable");
    elf_build(&f, &long64);
    elf_header64(&f)->e_machine = EM_386;
    refused_file(&f, "x86-64");
}

static void bad_program_headers(void) {
    struct elf_file f;
    elf_build(&f, &real32);
    elf_header32(&f)->e_phnum = 0;
    refused_file(&f, "program headers");
    static const uint16_t sizes[] = {0, 1, sizeof(Elf32_Phdr) - 1};
    for (int i = 0; i < 3; i++) {
        elf_build(&f, &real32);
        elf_header32(&f)->e_phentsize = sizes[i];
        refused_file(&f, "program headers");
    }
    elf_build(&f, &real32);
    elf_header32(&f)->e_phentsize = 0xffff;
    refused_file(&f, "program headers");
    elf_build(&f, &real32);
    elf_header32(&f)->e_phnum = 0xffff;
    refused_file(&f, "program headers");
    static const uint64_t offsets[] = {0xffffffff, 0xffffffe0, ELF_ROOM, 0x7fffffff};
    for (int i = 0; i < 4; i++) {
        elf_build(&f, &real32);
        elf_header32(&f)->e_phoff = offsets[i];
        refused_file(&f, "program headers");
    }
    static const uint64_t wide[] = {UINT64_MAX, UINT64_MAX - 55, 1ull << 63, UINT64_MAX - ELF_ROOM};
    for (int i = 0; i < 4; i++) {
        elf_build(&f, &long64);
        elf_header64(&f)->e_phoff = wide[i];
        refused_file(&f, "program headers");
    }
    elf_build(&f, &real32);
    elf_segment32(&f, 0)->p_type = PT_NOTE;
    refused_file(&f, "without a segment");
    elf_build(&f, &real32);
    elf_segment32(&f, 0)->p_memsz = elf_segment32(&f, 0)->p_filesz = 0;
    refused_file(&f, "without a segment");
}

static void bad_segments(void) {
    struct elf_file f;
    elf_build(&f, &real32);
    elf_segment32(&f, 0)->p_filesz = elf_segment32(&f, 0)->p_memsz + 1;
    refused_file(&f, "more bytes in the file than in memory");
    elf_build(&f, &real32);
    elf_segment32(&f, 0)->p_offset += 1;
    refused_file(&f, "behind the end of the file");
    elf_build(&f, &real32);
    elf_segment32(&f, 0)->p_offset = 0xfffffff0; /* + size would wrap in 32 bits */
    refused_file(&f, "behind the end of the file");
    elf_build(&f, &real32);
    elf_segment32(&f, 0)->p_filesz = elf_segment32(&f, 0)->p_memsz = 0xffffffff;
    refused_file(&f, "behind the end of the file");
    elf_build(&f, &real32);
    elf_segment32(&f, 0)->p_paddr = 0xfffff000;
    refused_file(&f, "3 GiB");
    elf_build(&f, &real32);
    elf_segment32(&f, 0)->p_memsz = 0xffffffff;
    refused_file(&f, "3 GiB");
    elf_build(&f, &long64);
    elf_segment64(&f, 0)->p_paddr = 0xffffffff80100000; /* a kernel without AT() */
    refused_file(&f, "AT()");
    elf_build(&f, &long64);
    elf_segment64(&f, 0)->p_offset = UINT64_MAX;
    refused_file(&f, "behind the end of the file");
    elf_build(&f, &long64);
    elf_segment64(&f, 0)->p_filesz = elf_segment64(&f, 0)->p_memsz = UINT64_MAX;
    refused_file(&f, "behind the end of the file");
}

static int fits(const struct elf_spec *spec, uint64_t ram) {
    struct elf_file f;
    struct image im;
    struct memory m;
    elf_build(&f, spec);
    CHECK(open_file(&im, &f) == 0);
    memory_open(&m, ram);
    int err = image_load(&im, &m, error, sizeof error);
    memory_close(&m);
    image_close(&im);
    return err;
}

static void larger_than_memory(void) {
    CHECK(fits(&high32, 4 * MIB) == 0);
    CHECK(fits(&high32, 2 * MIB) == -ENOSPC && strstr(error, "--mem="));
    CHECK(fits(&high32, 64 * KIB) == -ENOSPC);
    struct elf_spec spec = real32;
    spec.segment[0].memsz = 1ull << 30; /* asks for a GiB of zeros */
    CHECK(fits(&spec, 16 * MIB) == -ENOSPC && strstr(error, "--mem=1025M"));

    struct image im;
    struct memory m;
    memory_open(&m, 64 * KIB);
    static const uint64_t loads[] = {64 * KIB, 64 * KIB - 63, UINT64_MAX, UINT64_MAX - 31};
    for (int i = 0; i < 4; i++) {
        struct image_options o = {.has_load = true, .load = loads[i], .mode = START_PROTECTED};
        if (open_bytes(&im, code, sizeof code, &o) == 0)
            CHECK(image_load(&im, &m, error, sizeof error) < 0);
        image_close(&im);
    }
    memory_close(&m);
}

/* The set-up of ours at the top of RAM must not overwrite what was loaded: such
 * an image is refused, or left whole. */
static void our_setup_spares_the_image(void) {
    static uint8_t bytes[16 * KIB];
    struct elf_file f;
    struct image im;
    struct memory m;
    struct cpu cpu;
    memset(bytes, 0xa5, sizeof bytes);
    for (int wide = 0; wide < 2; wide++) {
        struct elf_spec spec = {.wide = wide, .entry = 2 * MIB - sizeof bytes, .segments = 1,
                                .segment = {{.paddr = 2 * MIB - sizeof bytes, .bytes = bytes,
                                             .size = sizeof bytes}}};
        elf_build(&f, &spec);
        CHECK(open_file(&im, &f) == 0);
        memory_open(&m, 2 * MIB);
        if (image_load(&im, &m, error, sizeof error) == 0) {
            fake_cpu_open(&cpu, &m);
            image_start(&im, &m, &cpu);
            CHECK(!memcmp(m.ram + 2 * MIB - sizeof bytes, bytes, sizeof bytes));
        }
        memory_close(&m);
        image_close(&im);
    }
}

/* A segment may not go into the ROM. */
static void into_the_rom(void) {
    struct elf_spec spec = {.entry = 0x1000, .segments = 1,
                            .segment = {{.paddr = MIB - 32, .bytes = code, .size = sizeof code}}};
    struct elf_file f;
    struct image im;
    struct memory m;
    elf_build(&f, &spec);
    CHECK(open_file(&im, &f) == 0);
    memory_open(&m, 2 * MIB);
    memory_add_rom(&m, code, sizeof code);
    CHECK(image_load(&im, &m, error, sizeof error) == -ENOSPC && strstr(error, "ROM"));
    memory_close(&m);
    image_close(&im);
}

/* --- anything at all --------------------------------------------------------------------- */

/* Values that have broken loaders before. */
static void mutate(struct elf_file *f) {
    static const uint32_t values[] = {0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff,
                                      0x80000000, 0xffffffff, 0xfffffff0, 0xc0000000, 0xbfffffff,
                                      0x1000, 0x100000};
    size_t hot = f->size < 180 ? f->size : 180; /* the headers */
    for (int n = 1 + rand() % 4; n > 0; n--) {
        size_t at = rand() % (rand() % 8 ? hot : f->size);
        size_t length = 1u << rand() % 3;
        if (at + length > f->size)
            continue;
        uint32_t value = rand() % 3 ? values[rand() % 16] : (uint32_t)rand();
        memcpy(f->bytes + at, &value, length);
    }
    if (rand() % 8 == 0)
        f->size = 1 + rand() % f->size;
}

static void random_mutations(void) {
    static const struct elf_spec *const specs[] = {&real32, &high32, &long64};
    struct elf_file f;
    struct image im;
    struct memory m;
    struct cpu cpu;
    int opened = 0, loaded = 0;
    memory_open(&m, 4 * MIB);
    srand(3);
    for (int i = 0; i < 6000; i++) {
        if (i % 4 == 3)
            multiboot_file(&f, 3, 0, 0);
        else
            elf_build(&f, specs[i % 4]);
        mutate(&f);
        uint8_t *bytes = malloc(f.size);
        memcpy(bytes, f.bytes, f.size);
        int err = open_bytes(&im, bytes, f.size, &no_options);
        free(bytes);
        if (err) {
            CHECK(im.bytes == NULL && *error != '(');
            continue;
        }
        opened++;
        if (image_load(&im, &m, error, sizeof error) == 0) {
            loaded++;
            fake_cpu_open(&cpu, &m);
            image_start(&im, &m, &cpu);
        }
        image_close(&im);
    }
    CHECK(opened > 100 && opened < 5900); /* some of each, or this tests nothing */
    CHECK(loaded > 100);
    memory_close(&m);
}

/* shell.elf beside kernel.elf is for debuggers: whatever it is, the kernel is opened. */
static void beside_a_kernel(void) {
    char folder[] = "/tmp/minikvm-unit-XXXXXX", kernel[64], shell[64];
    struct elf_file f;
    struct image im;
    CHECK(mkdtemp(folder) != NULL);
    snprintf(kernel, sizeof kernel, "%s/kernel.elf", folder);
    snprintf(shell, sizeof shell, "%s/shell.elf", folder);
    elf_build(&f, &high32);
    CHECK(rename(scratch_write(f.bytes, f.size), kernel) == 0);
    CHECK(symlink("kernel.elf", shell) == 0);
    CHECK(image_open(&im, kernel, &no_options, error, sizeof error) == 0);
    CHECK(im.user_path && im.user_address == 0x100000);
    image_close(&im);
    unlink(shell);
    CHECK(rename(scratch_write(code, 1), shell) == 0); /* no ELF file */
    CHECK(image_open(&im, kernel, &no_options, error, sizeof error) == 0 && !im.user_path);
    image_close(&im);
    unlink(shell);
    unlink(kernel);
    rmdir(folder);
}

int main(void) {
    elf32_low_is_real_mode();
    real_mode_entry_above_64k();
    elf32_high_is_protected_mode();
    elf64_is_long_mode_identity_mapped();
    flat();
    entry_and_mode_overrides();
    no_file();
    truncated(&real32);
    truncated(&long64);
    foreign();
    bad_program_headers();
    bad_segments();
    larger_than_memory();
    our_setup_spares_the_image();
    into_the_rom();
    random_mutations();
    beside_a_kernel();
    return unit_end();
}
