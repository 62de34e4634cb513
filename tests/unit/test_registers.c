/* The register tables: each row of both layouts reads back what was written and
 * changes nothing else; addresses are flat whatever the segments; flags in words. */
#include "tests/unit/unit.h"

#include "tests/unit/fake_cpu.h"
#include "vmm/cpu/register_access.h"
#include "vmm/x86/fpu.h"

static struct cpu cpu;

static const struct reg *row(unsigned bits, const char *name) {
    const struct reg *r = register_find(register_layout(bits), name);
    unit_check(r != NULL, name, "no such register", 0);
    return r;
}

static uint64_t get(unsigned bits, const char *name) {
    uint8_t value[64] = {0};
    uint64_t n;
    register_read(&cpu, row(bits, name), value);
    memcpy(&n, value, 8);
    return n;
}

static void set(unsigned bits, const char *name, uint64_t n) {
    uint8_t value[64] = {0};
    memcpy(value, &n, 8);
    register_write(&cpu, row(bits, name), value);
}

/* --- the tables themselves ----------------------------------------------------------- */

/* gdb wants these first, in this order, whatever their names in the layout. */
static void gdb_core_comes_first(void) {
    static const char *const first32[] = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi",
                                          "eip", "eflags", "cs", "ss", "ds", "es", "fs", "gs",
                                          "st0"};
    static const char *const first64[] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
                                          "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
                                          "rip", "eflags", "cs", "ss", "ds", "es", "fs", "gs",
                                          "st0"};
    for (size_t i = 0; i < sizeof first32 / sizeof *first32; i++)
        CHECK_STR(register_layout(32)->regs[i].name, first32[i]);
    for (size_t i = 0; i < sizeof first64 / sizeof *first64; i++)
        CHECK_STR(register_layout(64)->regs[i].name, first64[i]);
    CHECK(register_layout(16) == register_layout(32)); /* 16-bit code has 32-bit registers */
}

/* A set of registers is one piece of the table, as the XML needs it; names are
 * there once; a type is gdb's own or in the table. */
static void tables_are_well_formed(unsigned bits) {
    const struct reg_layout *layout = register_layout(bits);
    CHECK(layout->bits == bits);
    for (unsigned i = 0; i < layout->count; i++) {
        const struct reg *r = &layout->regs[i];
        CHECK(register_find(layout, r->name) == r);
        CHECK(r->bits > 0 && (r->bits + 7) / 8 <= 64 && r->feature && r->group && r->parts);
        CHECK((r->size != 0) == !r->get); /* one way or the other */
        CHECK(register_is_writable(r) == !!strncmp(r->name, "cpumode", 7));
        CHECK(r->size <= (r->bits + 7) / 8);
        if (i && strcmp(r->feature, layout->regs[i - 1].feature))
            for (unsigned j = 0; j < i; j++)
                CHECK(strcmp(layout->regs[j].feature, r->feature));
        if (i && r->core)
            CHECK(layout->regs[i - 1].core); /* the g packet is the table's first part */
        const struct reg_type *type = register_type(layout, r->type);
        if (type && type->kind == REG_FLAGS)
            CHECK(type->size == r->bits / 8);
    }
    CHECK(register_find(layout, "nonsense") == NULL && register_find(layout, "") == NULL);
    CHECK(register_type(layout, "int32") == NULL);
}

/* --- writing and reading back ----------------------------------------------------------- */

/* Rows whose value is computed from others, which may so change with them. */
static int derived(const char *name) {
    return !strncmp(name, "cpumode", 7) || !strcmp(name, "ftag");
}

static int ends_in(const char *text, const char *end) {
    size_t a = strlen(text), b = strlen(end);
    return a >= b && !strcmp(text + a - b, end);
}

static int is_one_of(const char *name, const char *const *list) {
    for (; *list; list++)
        if (!strcmp(name, *list))
            return 1;
    return 0;
}

/* cs_cache, cs_base: what they are about, "cs". */
static const char *stem(const char *name, char *out) {
    snprintf(out, 16, "%s", name);
    if (!ends_in(out, "ip") && !ends_in(out, "sp") && !ends_in(out, "bp"))
        out[strcspn(out, "_")] = 0;
    return out;
}

/* Two rows that show the same thing: $eip and $raw_ip, $cs and $cs_cache, $cr0 and
 * $cr0_value; and the flat ones with what their base is made of. */
static int related(const char *a, const char *b) {
    static const char *const flat[] = {"eip", "esp", "ebp", "rip", "rsp", "rbp", "raw_ip",
                                       "raw_sp", "raw_bp", NULL};
    static const char *const bases[] = {"cs", "ss", "cr0", "efer", "eflags", NULL};
    char stem_a[16], stem_b[16];
    if (is_one_of(a, flat) && is_one_of(b, flat))
        return !strcmp(a + strlen(a) - 2, b + strlen(b) - 2);
    if (is_one_of(stem(a, stem_a), bases) && is_one_of(b, flat))
        return 1;
    return !strcmp(stem(a, stem_a), stem(b, stem_b));
}

/* How much of a row the CPU really has: the rest reads as zero. */
static void keep_what_exists(const struct reg *r, uint8_t *value) {
    unsigned base = r->bits == 32 ? 0 : ends_in(r->name, "dtr") ? (r->bits - 32) / 8 : 0;
    if (!strcmp(r->type, "x86_segment")) {
        unsigned attr = r->bits / 8 - 4;
        memset(value + 2, 0, 2); /* a selector has 16 bits */
        value[attr + 1] &= 0x1f;
        memset(value + attr + 2, 0, 2);
    } else if (!strcmp(r->type, "x86_table")) {
        memset(value + base + 2, 0, 2); /* a table's limit too */
    } else if (!strcmp(r->type, "int") && strcmp(r->name, "fioff") && strcmp(r->name, "fooff")) {
        memset(value + 2, 0, 2); /* x87 words */
    } else if (strlen(r->name) == 2 && r->name[1] == 's') {
        memset(value + 2, 0, 2);
    }
}

static void read_all(const struct reg_layout *layout, uint8_t all[][64]) {
    for (unsigned i = 0; i < layout->count; i++) {
        memset(all[i], 0, 64);
        register_read(&cpu, &layout->regs[i], all[i]);
    }
}

static void start_state(unsigned bits) {
    fake_cpu_open(&cpu, NULL);
    if (bits == 64)
        fake_long_mode(&cpu);
    else
        fake_protected_mode(&cpu);
    cpu.state.regs.rflags = 2;
}

static void every_row_reads_back(unsigned bits) {
    const struct reg_layout *layout = register_layout(bits);
    static uint8_t before[128][64], after[128][64];
    CHECK(layout->count <= 128);
    for (unsigned i = 0; i < layout->count; i++) {
        const struct reg *r = &layout->regs[i];
        uint8_t value[64] = {0};
        if (derived(r->name))
            continue;
        start_state(bits);
        read_all(layout, before);
        for (unsigned j = 0; j < (r->bits + 7) / 8; j++)
            value[j] = 0x11 + 7 * j; /* EFLAGS.VM and CR0.PE are set, LMA stays clear or set */
        keep_what_exists(r, value);
        register_write(&cpu, r, value);
        CHECK((cpu.dirty & r->parts) == r->parts); /* it is stored before the CPU runs */
        read_all(layout, after);
        unit_check(!memcmp(after[i], value, 64), r->name, "reads back what was written", bits);
        for (unsigned j = 0; j < layout->count; j++)
            if (j != i && !derived(layout->regs[j].name) &&
                !related(r->name, layout->regs[j].name))
                unit_check(!memcmp(before[j], after[j], 64), layout->regs[j].name, r->name, bits);
    }
}

/* A view is a plain integer of what a row shows in words, and leaves g as it was. */
static void views_are_plain_integers(unsigned bits) {
    static const char *const pairs[][2] = {
        {"eflags_value", "eflags"}, {"mxcsr_value", "mxcsr"}, {"cr0_value", "cr0"},
        {"cr3_value", "cr3"}, {"cr4_value", "cr4"}, {"efer_value", "efer"},
        {"dr6_value", "dr6"}, {"dr7_value", "dr7"}, {"cpumode_value", "cpumode"}};
    start_state(bits);
    cpu.state.sregs.cs.base = 0x12345000;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const struct reg *view = row(bits, pairs[i][0]);
        CHECK(view->view && !view->core && !strcmp(view->type, "uint32"));
        CHECK(get(bits, pairs[i][0]) == (uint32_t)get(bits, pairs[i][1]));
    }
    CHECK(get(bits, "cs_base") == 0x12345000);
    for (unsigned i = 0; i < register_layout(bits)->count; i++) {
        const struct reg *r = &register_layout(bits)->regs[i];
        const struct reg_type *type = register_type(register_layout(bits), r->type);
        char name[32];
        snprintf(name, sizeof name, "%s_value", r->name);
        if (type && (type->kind == REG_FLAGS || type->kind == REG_ENUM))
            row(bits, name); /* none is without */
    }
}

/* gdb writes all registers to change one: what is the same is not stored. */
static void writing_the_same_changes_nothing(unsigned bits) {
    const struct reg_layout *layout = register_layout(bits);
    uint8_t value[64];
    start_state(bits);
    struct cpu_state before = cpu.state;
    for (unsigned i = 0; i < layout->count; i++) {
        register_read(&cpu, &layout->regs[i], value);
        register_write(&cpu, &layout->regs[i], value);
    }
    CHECK(cpu.dirty == 0 && !memcmp(&before, &cpu.state, sizeof before));
}

/* --- flat addresses ------------------------------------------------------------------------ */

static void flat_in_real_mode(void) {
    fake_cpu_open(&cpu, NULL);
    fake_real_mode(&cpu);
    cpu.state.sregs.cs = x86_real_segment(0x1000, true);
    cpu.state.sregs.ss = x86_real_segment(0x2000, false);
    cpu.state.regs = (struct kvm_regs){.rip = 0x1234, .rsp = 0xabcd8000, .rbp = 0xabcd7ffe,
                                       .rflags = 2};
    CHECK(get(32, "eip") == 0x11234 && get(32, "raw_ip") == 0x1234);
    CHECK(get(32, "esp") == 0x28000); /* the stack is SP; the upper half is not on it */
    CHECK(get(32, "ebp") == 0x27ffe);
    CHECK(get(32, "raw_sp") == 0xabcd8000);
    set(32, "eip", 0x10010);
    CHECK(cpu.state.regs.rip == 0x10);
    set(32, "esp", 0x2fffe);
    CHECK(cpu.state.regs.rsp == 0xabcdfffe); /* nor is it lost */
    set(32, "raw_bp", 0x42);
    CHECK(cpu.state.regs.rbp == 0x42 && get(32, "ebp") == 0x20042);
    /* the reset vector */
    cpu.state.sregs.cs.base = 0xffff0000;
    cpu.state.regs.rip = 0xfff0;
    CHECK(get(32, "eip") == 0xfffffff0);
}

static void flat_in_protected_mode(void) {
    start_state(32);
    cpu.state.regs.rip = 0x101234;
    cpu.state.regs.rsp = 0x9ffff0;
    CHECK(get(32, "eip") == 0x101234 && get(32, "esp") == 0x9ffff0);
    cpu.state.sregs.cs.base = 0x10000;
    cpu.state.sregs.ss.base = 0xfffff000;
    CHECK(get(32, "eip") == 0x111234);
    CHECK(get(32, "esp") == 0x9feff0); /* a linear address wraps at 4 GiB */
    set(32, "esp", 0x1000);
    CHECK(cpu.state.regs.rsp == 0x2000);
    cpu.state.sregs.ss.db = 0; /* a 16-bit stack in 32-bit code */
    cpu.state.regs.rsp = 0x12345678;
    CHECK(get(32, "esp") == 0x4678);
}

static void flat_in_long_mode(void) {
    start_state(64);
    cpu.state.sregs.cs.base = cpu.state.sregs.ss.base = 0x1000; /* do not count */
    cpu.state.regs.rip = 0xffffffff80001000;
    cpu.state.regs.rsp = 0xffff800000000000;
    CHECK(get(64, "rip") == 0xffffffff80001000 && get(64, "raw_ip") == 0xffffffff80001000);
    CHECK(get(64, "rsp") == 0xffff800000000000);
    set(64, "rip", 0x7fffffffffff);
    CHECK(cpu.state.regs.rip == 0x7fffffffffff);
}

/* Whoever moves the instruction pointer does not mean to stay in a hlt. */
static void a_new_eip_leaves_the_hlt(void) {
    start_state(32);
    cpu.state.mp.mp_state = KVM_MP_STATE_HALTED;
    set(32, "eax", 1);
    CHECK(cpu.state.mp.mp_state == KVM_MP_STATE_HALTED);
    set(32, "eip", 0x2000);
    CHECK(cpu.state.mp.mp_state == KVM_MP_STATE_RUNNABLE);
}

/* --- segments, modes ------------------------------------------------------------------------- */

static void selectors(void) {
    fake_cpu_open(&cpu, NULL);
    fake_real_mode(&cpu);
    set(32, "ds", 0x1234); /* in real mode as a mov would */
    CHECK(cpu.state.sregs.ds.selector == 0x1234 && cpu.state.sregs.ds.base == 0x12340);
    start_state(32);
    set(32, "ds", 0x23); /* in protected mode the hidden part stays */
    CHECK(cpu.state.sregs.ds.selector == 0x23 && cpu.state.sregs.ds.base == 0);
    CHECK(cpu.state.sregs.ds.limit == 0xffffffff);
    cpu.state.regs.rflags |= FLAG_VM;
    set(32, "es", 0xb800);
    CHECK(cpu.state.sregs.es.base == 0xb8000);
}

static void the_mode_follows(void) {
    fake_cpu_open(&cpu, NULL);
    fake_real_mode(&cpu);
    CHECK(get(32, "cpumode") == MODE_REAL);
    set(32, "cpumode", MODE_LONG); /* means nothing */
    CHECK(get(32, "cpumode") == MODE_REAL);
    start_state(32);
    CHECK(get(32, "cpumode") == MODE_PROT32);
    start_state(64);
    CHECK(get(64, "cpumode") == MODE_LONG);
}

/* gdb's tag word has two bits a register, by physical number (Vol. 1, 8.1.7). */
static void x87_tags(void) {
    start_state(32);
    CHECK(get(32, "ftag") == 0xffff); /* all empty */
    struct fpu_image *f = fpu_of(&cpu.state);
    f->fsw = 6 << 11; /* TOP = 6: st0 is R6, st1 is R7, st2 is R0 */
    f->ftw = 1 << 6 | 1 << 7 | 1 << 0;
    memcpy(f->st[0].b, "\0\0\0\0\0\0\0\x80\xff\x3f", 10); /* 1.0: valid */
    memcpy(f->st[2].b, "\0\0\0\0\0\0\0\x80\xff\x7f", 10); /* infinity: special */
    /* st1 is zero; R1 to R5 are empty */
    CHECK(get(32, "ftag") == 0x4ffe);
    set(32, "ftag", 0xffff);
    CHECK(f->ftw == 0);
    set(32, "ftag", 0xfffc);
    CHECK(f->ftw == 1);
}

/* --- words ------------------------------------------------------------------------------------ */

static void flags_in_words(void) {
    static const struct {
        const char *type;
        uint64_t value;
        const char *text;
    } rows[] = {
        {"x86_cr0", 0x11, "[ PE ET ]"},
        {"x86_cr0", 0, "[ ]"},
        {"x86_cr0", 0x80000011, "[ PE ET PG ]"},
        {"x86_cr0", 0xffffffff, "[ PE MP EM TS ET NE WP AM NW CD PG ]"},
        {"x86_cr4", 0x30, "[ PSE PAE ]"},
        {"x86_efer", 0x500, "[ LME LMA ]"},
        {"i386_eflags", 2, "[ ]"}, /* bit 1 is always one and says nothing */
        {"i386_eflags", 0x3246, "[ PF ZF IF IOPL=3 ]"},
        {"i386_eflags", 0x100, "[ TF ]"},
        {"x86_attr", 0x9b, "[ type=11 S P ]"},
        {"x86_attr", 0xcfb, "[ type=11 S DPL=3 P DB G ]"},
        {"x86_dr7", 0x00010401, "[ L0 RW0=1 ]"},
        {"x86_dr6", 0xffff4ff1, "[ B0 BS ]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct reg_type *type = register_type(register_layout(32), rows[i].type);
        char text[128];
        CHECK(type != NULL);
        register_flags(type, rows[i].value, text, sizeof text);
        CHECK_STR(text, rows[i].text);
    }
}

/* Too little room cuts the text off and nothing else. */
static void flags_in_little_room(void) {
    const struct reg_type *type = register_type(register_layout(32), "x86_cr0");
    for (size_t size = 1; size < 48; size++) {
        char text[64];
        memset(text, '!', sizeof text);
        register_flags(type, 0xffffffff, text, size);
        CHECK(memchr(text, 0, size) != NULL);
        CHECK(text[size] == '!' && text[63] == '!');
    }
}

int main(void) {
    gdb_core_comes_first();
    for (unsigned bits = 32; bits <= 64; bits += 32) {
        tables_are_well_formed(bits);
        views_are_plain_integers(bits);
        every_row_reads_back(bits);
        writing_the_same_changes_nothing(bits);
    }
    flat_in_real_mode();
    flat_in_protected_mode();
    flat_in_long_mode();
    a_new_eip_leaves_the_hlt();
    selectors();
    the_mode_follows();
    x87_tags();
    flags_in_words();
    flags_in_little_room();
    return unit_end();
}
