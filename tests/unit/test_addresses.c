/* What a debugger's addresses are: when they are offsets, what its registers show then,
 * and at which linear addresses a point of its stands. */
#include "tests/unit/unit.h"

#include <elf.h>

#include "tests/unit/fake_cpu.h"
#include "vmm/machine/addresses.h"
#include "vmm/cpu/breakpoints.h"
#include "vmm/cpu/register_access.h"
#include "vmm/board/boot/symbols.h"

enum { LINKED = 0xc0100000, LOADED = 0x100000, SIZE = 0x2000, BASE = 0x40000000 };

static struct cpu cpu;
static struct image image;
static struct addresses addresses;
static uint8_t file[256];

static void link_at(uint32_t linked, uint32_t loaded) {
    Elf32_Ehdr header = {.e_phoff = sizeof header, .e_phnum = 2, .e_phentsize = sizeof(Elf32_Phdr)};
    Elf32_Phdr segments[2] = {
        {.p_type = PT_NOTE, .p_vaddr = 0, .p_memsz = UINT32_MAX},
        {.p_type = PT_LOAD, .p_vaddr = linked, .p_paddr = loaded, .p_memsz = SIZE}};
    memcpy(file, &header, sizeof header);
    memcpy(file + sizeof header, segments, sizeof segments);
    image = (struct image){.bytes = file, .size = sizeof file, .is_elf = true};
}

static void start(uint32_t base, uint32_t ip) {
    fake_cpu_open(&cpu, NULL);
    fake_protected_mode(&cpu);
    cpu.state.sregs.cs.base = cpu.state.sregs.ss.base = base;
    cpu.state.regs = (struct kvm_regs){.rip = ip, .rsp = ip + 0x100, .rflags = 2};
    cpu.addresses = &addresses;
    cpu.address_shift = addresses_shift;
    addresses = (struct addresses){.image = &image};
    link_at(LINKED, LOADED);
}

static uint64_t shift(void) { return addresses_shift(&addresses, &cpu.state); }

static void offsets_where_the_image_is_linked_for_them(void) {
    start(BASE, LINKED + 0x10);
    CHECK(shift() == BASE);
    link_at(LOADED, LOADED); /* linked for the linear address */
    CHECK(shift() == 0);
    link_at(0x5000, 0x5000); /* for neither: not by itself */
    CHECK(shift() == 0);
    start(BASE, LINKED + SIZE); /* behind it */
    CHECK(shift() == 0);
    start(0, LINKED + 0x10);
    CHECK(shift() == 0);
    image.is_elf = false;
    start(BASE, LINKED + 0x10);
    image.is_elf = false;
    CHECK(shift() == 0);
    CHECK(addresses_shift(NULL, &cpu.state) == 0);
}

static void other_code_is_linear(void) {
    start(BASE, LINKED + 0x10);
    addresses.choice = ADDRESSES_OFFSET;
    cpu.state.sregs.cs.db = 0; /* 16-bit code */
    CHECK(shift() == 0);
    cpu.state.sregs.cr0 &= ~CR0_PE;
    CHECK(shift() == 0);
    start(BASE, LINKED + 0x10);
    fake_long_mode(&cpu);
    cpu.state.sregs.cs.base = BASE; /* which 64-bit code has no use for */
    CHECK(shift() == 0);
}

static void the_choice_decides(void) {
    start(0x8000, 0x1234);
    CHECK(shift() == 0);
    addresses.choice = ADDRESSES_OFFSET;
    CHECK(shift() == 0x8000);
    start(BASE, LINKED + 0x10);
    addresses.choice = ADDRESSES_LINEAR;
    CHECK(shift() == 0);
}

static uint32_t get(const char *name) {
    uint8_t value[64] = {0};
    uint32_t n;
    CHECK(register_read(&cpu, register_find(register_layout(32), name), value));
    memcpy(&n, value, 4);
    return n;
}

static void set(const char *name, uint32_t n) {
    uint8_t value[64] = {0};
    memcpy(value, &n, 4);
    CHECK(register_write(&cpu, register_find(register_layout(32), name), value));
}

/* The stack's addresses are of the same kind as the code's, whatever SS has. */
static void registers_follow(void) {
    start(BASE, LINKED + 0x10);
    CHECK(get("eip") == LINKED + 0x10 && get("esp") == LINKED + 0x110);
    set("eip", LINKED + 0x20);
    set("esp", LINKED + 0x200);
    CHECK(cpu.state.regs.rip == LINKED + 0x20 && cpu.state.regs.rsp == LINKED + 0x200);
    cpu.state.sregs.ss.base = 0;
    cpu.state.regs.rsp = LOADED + 0x80; /* the same place, without a base */
    CHECK(get("esp") == LINKED + 0x80);
    set("esp", LINKED + 0x90);
    CHECK(cpu.state.regs.rsp == LOADED + 0x90);
    CHECK(get("raw_sp") == LOADED + 0x90 && get("raw_ip") == LINKED + 0x20);
    addresses.choice = ADDRESSES_LINEAR;
    CHECK(get("eip") == LOADED + 0x20 && get("esp") == LOADED + 0x90);
}

static void a_point_is_where_it_may_be_met(void) {
    uint64_t shifts[ADDRESSES_SHIFTS];
    start(0, LOADED); /* before the first load of CS */
    CHECK(addresses_shifts(&addresses, &cpu.state, LINKED, shifts) == 2);
    CHECK(shifts[0] == 0 && shifts[1] == BASE);
    CHECK(addresses_linear(LINKED, BASE) == LOADED && addresses_linear(~0ull, 0) == ~0ull);
    CHECK(addresses_shifts(&addresses, &cpu.state, LINKED - 1, shifts) == 1);
    cpu.state.sregs.cr0 |= CR0_PG;
    CHECK(addresses_shifts(&addresses, &cpu.state, LINKED, shifts) == 1);
    start(0x8000, 0x1000);
    addresses.choice = ADDRESSES_OFFSET;
    CHECK(addresses_shifts(&addresses, &cpu.state, LINKED, shifts) == 3);
    CHECK(addresses_shifts(&addresses, &cpu.state, 0x1000, shifts) == 2 && shifts[1] == 0x8000);
    link_at(LOADED, LOADED);
    CHECK(addresses_shifts(&addresses, &cpu.state, LOADED, shifts) == 2);
}

static void points_with_a_shift(void) {
    struct breakpoints t = {0}, copy = {0};
    CHECK(breakpoints_add(&t, BP_SOFT, LINKED, 1) == 0);
    CHECK(points_add_shifted(&t, BP_SOFT, LOADED, 1, BASE) == 0);
    CHECK(points_add_shifted(&t, BP_SOFT, LOADED, 1, BASE) == 0 && t.count == 2);
    CHECK(breakpoints_add(&t, BP_SOFT, LOADED, 1) == 0 && t.count == 3 && t.shifted == 1);
    breakpoints_copy(&copy, &t);
    CHECK(copy.shifted == 1);
    struct breakpoint *first = breakpoints_at(&t, LOADED), *second = breakpoints_next(&t, first);
    CHECK(first && first->shift == 0 && second && second->shift == BASE);
    CHECK(points_origin(&t, second) == breakpoints_at(&t, LINKED));
    points_remove_shifted(&t, BP_SOFT, LINKED, 1);
    CHECK(t.count == 1 && t.shifted == 0 && breakpoints_at(&t, LOADED)->shift == 0);
    points_remove_shifted(&copy, BP_SOFT, LOADED, 1);
    CHECK(copy.count == 2 && copy.shifted == 1);
    breakpoints_clear(&t);
    breakpoints_clear(&copy);
    CHECK(copy.shifted == 0);
}

/* A label and a function are none that say data; a table that is cut off is not there. */
static void labels_of_a_symbol_table(void) {
    enum { SECTION = sizeof(Elf32_Ehdr), SYMBOLS = SECTION + sizeof(Elf32_Shdr), COUNT = 4 };
    static uint8_t bytes[SYMBOLS + COUNT * sizeof(Elf32_Sym)];
    Elf32_Ehdr header = {.e_shoff = SECTION, .e_shnum = 1, .e_shentsize = sizeof(Elf32_Shdr)};
    Elf32_Shdr section = {.sh_type = SHT_SYMTAB, .sh_offset = SYMBOLS,
                          .sh_size = COUNT * sizeof(Elf32_Sym)};
    Elf32_Sym symbols[COUNT] = {
        {0},
        {.st_name = 1, .st_value = 0x1000, .st_shndx = 1},
        {.st_name = 1, .st_value = 0x2000, .st_shndx = 1, .st_info = ELF32_ST_INFO(1, STT_FUNC)},
        {.st_name = 1, .st_value = 0x3000, .st_shndx = 1, .st_info = ELF32_ST_INFO(1, STT_OBJECT)}};
    struct image im = {.bytes = bytes, .size = sizeof bytes, .is_elf = true};
    memcpy(bytes, &header, sizeof header);
    memcpy(bytes + SECTION, &section, sizeof section);
    memcpy(bytes + SYMBOLS, symbols, sizeof symbols);
    CHECK(symbols_label(&im, 0x1000) && symbols_label(&im, 0x2000));
    CHECK(!symbols_label(&im, 0x3000) && !symbols_label(&im, 0) && !symbols_label(&im, 0x1001));
    im.size--;
    CHECK(!symbols_label(&im, 0x1000));
    im.size = SECTION;
    CHECK(!symbols_label(&im, 0x1000));
    im = (struct image){0};
    CHECK(!symbols_label(&im, 0x1000));
}

int main(void) {
    offsets_where_the_image_is_linked_for_them();
    other_code_is_linear();
    the_choice_decides();
    registers_follow();
    a_point_is_where_it_may_be_met();
    points_with_a_shift();
    labels_of_a_symbol_table();
    return unit_end();
}
