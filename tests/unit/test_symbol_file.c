/* Files of --symbols: where their first segment is, and what is no such file. */
#include "tests/unit/unit.h"

#include "tests/unit/elf_build.h"
#include "vmm/board/boot/symbol_file.h"

static const uint8_t code[64] = {0xf4};
static char error[512];

/* Linked at 0x1000, .text 0x20 behind that. */
static void build(struct elf_file *f, bool wide, uint64_t at) {
    struct elf_spec spec = {.wide = wide, .entry = at, .segments = 1,
                            .segment = {{.paddr = at, .bytes = code, .size = sizeof code}}};
    elf_build(f, &spec);
    if (wide) {
        Elf64_Shdr s[2] = {{0}, {.sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC | SHF_EXECINSTR, .sh_addr = at + 0x20}};
        elf_header64(f)->e_shoff = f->size;
        elf_header64(f)->e_shnum = 2;
        elf_header64(f)->e_shentsize = sizeof *s;
        memcpy(f->bytes + f->size, s, sizeof s);
        f->size += sizeof s;
    } else {
        Elf32_Shdr s[2] = {{0}, {.sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC | SHF_EXECINSTR, .sh_addr = (uint32_t)at + 0x20}};
        elf_header32(f)->e_shoff = f->size;
        elf_header32(f)->e_shnum = 2;
        elf_header32(f)->e_shentsize = sizeof *s;
        memcpy(f->bytes + f->size, s, sizeof s);
        f->size += sizeof s;
    }
}

/* Opened as FILE and what is behind it. */
static int open_it(const void *bytes, size_t size, const char *behind, uint64_t *segment) {
    char spec[300];
    struct symbol_file f = {0};
    snprintf(spec, sizeof spec, "%s%s", scratch_write(bytes, size), behind);
    strcpy(error, "(no sentence)");
    int err = symbol_file_open(&f, spec, error, sizeof error);
    if (!err) {
        CHECK_STR(f.path, scratch_path);
        *segment = f.segment;
        free(f.path);
    }
    return err;
}

static void where_it_is(bool wide) {
    struct elf_file f;
    uint64_t at;
    build(&f, wide, 0x1000);
    CHECK(open_it(f.bytes, f.size, "", &at) == 0 && at == 0x1000);
    CHECK(open_it(f.bytes, f.size, "@0x1020", &at) == 0 && at == 0x1000);
    CHECK(open_it(f.bytes, f.size, "@0x7c20", &at) == 0 && at == 0x7c00);
    CHECK(open_it(f.bytes, f.size, "@32", &at) == 0 && at == 0);
    CHECK(open_it(f.bytes, f.size, "@", &at) < 0 && open_it(f.bytes, f.size, "@x", &at) < 0);
    CHECK(open_it(f.bytes, f.size, "@0x10z", &at) < 0 && strstr(error, "@0x10z: No such file"));
    /* a kernel for the upper half, without AT(): it is not loaded by us */
    build(&f, wide, wide ? 0xffffffff80000000 : 0xc0000000);
    CHECK(open_it(f.bytes, f.size, "", &at) == 0 && at == (wide ? 0xffffffff80000000 : 0xc0000000));
}

static void no_such_files(void) {
    struct elf_file f;
    uint64_t at;
    CHECK(open_it("text", 4, "", &at) < 0 && strstr(error, "not an ELF file"));
    build(&f, false, 0x1000);
    for (size_t size = 0; size < f.size; size++) /* cut off: refused, or without its sections */
        CHECK(open_it(f.bytes, size, "", &at) == 0 || *error != '(');
    elf_header32(&f)->e_type = ET_REL;
    CHECK(open_it(f.bytes, f.size, "", &at) < 0 && strstr(error, "link it"));
    build(&f, false, 0x1000);
    elf_segment32(&f, 0)->p_type = PT_NOTE;
    CHECK(open_it(f.bytes, f.size, "", &at) < 0 && strstr(error, "no segment"));
    build(&f, false, 0x1000);
    elf_header32(&f)->e_shoff = 0xfffffff0;
    CHECK(open_it(f.bytes, f.size, "@0x2000", &at) == 0 && at == 0x2000);
}

int main(void) {
    where_it_is(false);
    where_it_is(true);
    no_such_files();
    return unit_end();
}
