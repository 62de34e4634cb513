/* Facts of the architecture: modes, linear addresses, descriptors, the page walk
 * of all four kinds of paging, and where a vector leads. */
#include "tests/unit/unit.h"

#include "tests/unit/fake_cpu.h"
#include "vmm/memory/layout.h"
#include "vmm/x86/descriptor.h"
#include "vmm/x86/mode.h"
#include "vmm/x86/page_walk.h"

enum { KIB = 1 << 10, MIB = 1 << 20 };
enum { P = 1, W = 2, U = 4, PS = 0x80 };
#define NX (1ull << 63)

static struct memory m;

static void put32(uint64_t at, uint32_t value) { CHECK(memory_write(&m, at, &value, 4) == 4); }
static void put64(uint64_t at, uint64_t value) { CHECK(memory_write(&m, at, &value, 8) == 8); }

/* --- modes -------------------------------------------------------------------------- */

static void modes(void) {
    static const struct {
        uint32_t cr0, rflags, efer;
        int db, l;
        enum cpu_mode mode;
        const char *name;
        unsigned bits;
    } rows[] = {
        {0, 2, 0, 0, 0, MODE_REAL, "REAL16", 16},
        {0, 2, 0, 1, 0, MODE_REAL, "REAL16", 16}, /* D of a segment left over: still real */
        {CR0_PE, 2, 0, 0, 0, MODE_PROT16, "PROT16", 16},
        {CR0_PE, 2, 0, 1, 0, MODE_PROT32, "PROT32", 32},
        {CR0_PE, 2 | FLAG_VM, 0, 0, 0, MODE_VM86, "VM86", 16},
        {CR0_PE | CR0_PG, 2, EFER_LME, 1, 0, MODE_PROT32, "PROT32", 32}, /* LME, not LMA */
        {CR0_PE | CR0_PG, 2, EFER_LME | EFER_LMA, 0, 0, MODE_COMPAT16, "COMPAT16", 16},
        {CR0_PE | CR0_PG, 2, EFER_LME | EFER_LMA, 1, 0, MODE_COMPAT32, "COMPAT32", 32},
        {CR0_PE | CR0_PG, 2, EFER_LME | EFER_LMA, 0, 1, MODE_LONG, "LONG64", 64},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct kvm_sregs s = {.cr0 = rows[i].cr0, .efer = rows[i].efer};
        s.cs.db = rows[i].db;
        s.cs.l = rows[i].l;
        enum cpu_mode mode = x86_mode(&s, rows[i].rflags);
        CHECK(mode == rows[i].mode);
        CHECK_STR(x86_mode_name(mode), rows[i].name);
        CHECK(x86_mode_bits(mode) == rows[i].bits);
    }
}

static void privilege(void) {
    struct kvm_sregs s = {.cr0 = 0};
    s.ss.dpl = 3;
    CHECK(x86_cpl(&s) == 0); /* real mode has none */
    s.cr0 = CR0_PE;
    CHECK(x86_cpl(&s) == 3);
    s.ss.dpl = 0;
    CHECK(x86_cpl(&s) == 0);
}

static void linear_addresses(void) {
    struct cpu cpu;
    fake_cpu_open(&cpu, &m);
    struct kvm_sregs *s = &cpu.state.sregs;
    fake_real_mode(&cpu);
    s->ds = x86_real_segment(0xffff, false);
    CHECK(x86_linear(s, 2, &s->ds, 0x10) == 0x100000); /* above 1 MiB: A20 is open */
    CHECK(x86_linear(s, 2, &s->ds, 0xffff) == 0x10ffef);
    cpu.state.regs.rip = 0xfff0;
    s->cs.base = 0xffff0000;
    CHECK(x86_pc(&cpu.state.regs, s) == 0xfffffff0); /* the reset vector */
    fake_protected_mode(&cpu);
    s->ds.base = 0xfffff000;
    CHECK(x86_linear(s, 2, &s->ds, 0x2000) == 0x1000); /* wraps at 4 GiB */
    fake_long_mode(&cpu);
    s->ds.base = s->fs.base = s->gs.base = 0x1000;
    CHECK(x86_linear(s, 2, &s->ds, 1ull << 40) == 1ull << 40); /* no base but */
    CHECK(x86_linear(s, 2, &s->fs, 1ull << 40) == (1ull << 40) + 0x1000);
    CHECK(x86_linear(s, 2, &s->gs, 0) == 0x1000);
}

/* --- descriptors ----------------------------------------------------------------------- */

static void descriptors(void) {
    struct kvm_segment g = x86_descriptor(0x08, 0x00cf9a000000ffff);
    CHECK(g.base == 0 && g.limit == 0xffffffff && g.selector == 8);
    CHECK(g.type == 10 && g.s && g.dpl == 0 && g.present && g.db && g.g && !g.l && !g.unusable);
    g = x86_descriptor(0x1b, 0x12c0fa345678ffff | 0xfull << 48);
    CHECK(g.base == 0x12345678 && g.limit == 0xffffffff && g.dpl == 3);
    g = x86_descriptor(0x10, 0x000092000000ffff); /* limit in bytes */
    CHECK(g.limit == 0xffff && !g.g && !g.db && g.type == 2);
    g = x86_descriptor(0x18, 0x0000890010000067); /* a TSS */
    CHECK(!g.s && g.type == 9 && g.base == 0x1000 && g.limit == 0x67);
    g = x86_descriptor(0x18, 0x00af9a000000ffff); /* 64-bit code */
    CHECK(g.l && !g.db);
    g = x86_descriptor(0, 0); /* the null descriptor */
    CHECK(!g.present && g.unusable && g.base == 0 && g.limit == 0);
    g = x86_descriptor(0x08, 0xff0f00ffffffffffull);
    CHECK(g.base == 0xffffffff && g.limit == 0xfffff && g.unusable);
    g = x86_descriptor(0x08, 0x0010000000000000ull);
    CHECK(g.avl == 1);
    g = x86_real_segment(0xf000, true);
    CHECK(g.base == 0xf0000 && g.limit == 0xffff && g.type == 11 && g.s && g.present);
    CHECK(x86_real_segment(0xffff, false).type == 3);
}

/* --- the page walk ------------------------------------------------------------------------ */

enum { TABLES = 0x10000 }; /* where each test builds its own */

static struct kvm_sregs paging_on(uint64_t cr4, uint64_t efer, uint64_t cr3) {
    memset(m.ram + TABLES, 0, 64 * KIB);
    return (struct kvm_sregs){.cr0 = CR0_PE | CR0_PG, .cr4 = cr4, .efer = efer, .cr3 = cr3};
}

static void no_paging(void) {
    struct kvm_sregs s = {.cr0 = CR0_PE, .cr3 = 0x12345000};
    struct page_walk w;
    CHECK(x86_walk(&m, &s, 0xdeadbeef, &w) && w.phys == 0xdeadbeef && w.levels == 0);
    CHECK(w.writable && w.user && w.executable);
}

static void walk_32bit(void) {
    struct kvm_sregs s = paging_on(0, 0, TABLES | 0xfff); /* low bits of CR3 are no address */
    struct page_walk w;
    put32(TABLES + 0x200 * 4, (TABLES + 0x1000) | P | W | U);
    put32(TABLES + 0x1000 + 0x123 * 4, 0x00abc000 | P | W);
    CHECK(x86_walk(&m, &s, 0x80123456, &w));
    CHECK(w.phys == 0x00abc456 && w.size == 4096 && w.levels == 2);
    CHECK(w.writable && !w.user && w.executable);
    CHECK_STR(w.level[0].name, "PDE");
    CHECK(w.level[0].address == TABLES + 0x800 && w.level[0].entry == ((TABLES + 0x1000) | 7));
    CHECK_STR(w.level[1].name, "PTE");
    CHECK(w.level[1].address == TABLES + 0x1000 + 0x48c);
    CHECK(!x86_walk(&m, &s, 0x80124000, &w) && w.levels == 2 && !w.present); /* no PTE */
    CHECK(!x86_walk(&m, &s, 0x00000000, &w) && w.levels == 1);              /* no PDE */
    CHECK(w.level[0].address == TABLES && w.level[0].entry == 0);
    put32(TABLES + 0x200 * 4, (TABLES + 0x1000) | P); /* rights are those of all levels */
    CHECK(x86_walk(&m, &s, 0x80123456, &w) && !w.writable && !w.user);
    /* PS without CR4.PSE is ignored (4.3) */
    put32(TABLES + 0x200 * 4, (TABLES + 0x1000) | P | W | PS);
    CHECK(x86_walk(&m, &s, 0x80123456, &w) && w.size == 4096 && w.phys == 0x00abc456);
    /* a table where no memory is maps nothing, though all its bits read as one */
    put32(TABLES + 0x200 * 4, 0x7ffff000 | P | W);
    CHECK(!x86_walk(&m, &s, 0x80123456, &w) && w.levels == 2 && !w.present);
    s.cr3 = 0x7ffff000;
    CHECK(!x86_walk(&m, &s, 0, &w) && w.levels == 1);
}

static void walk_pse(void) {
    struct kvm_sregs s = paging_on(CR4_PSE, 0, TABLES);
    struct page_walk w;
    put32(TABLES, P | W | PS);
    put32(TABLES + 0x200 * 4, 0x00c00000 | P | W | U | PS);
    CHECK(x86_walk(&m, &s, 0x00323456, &w) && w.phys == 0x00323456 && w.size == 4 * MIB);
    CHECK(w.levels == 1 && w.writable && !w.user);
    CHECK(x86_walk(&m, &s, 0x803fffff, &w) && w.phys == 0x00ffffff && w.user);
    CHECK(!x86_walk(&m, &s, 0x80400000, &w));
    /* PSE-36: bits 13 to 16 are address bits 32 to 35 (table 4-4) */
    put32(TABLES + 4, 0x00400000 | 0x5 << 13 | P | W | PS);
    CHECK(x86_walk(&m, &s, 0x00400123, &w) && w.phys == 0x500400123);
    /* 4 KiB pages are still there */
    put32(TABLES + 8, (TABLES + 0x1000) | P | W);
    put32(TABLES + 0x1000, 0x5000 | P | W | PS); /* bit 7 of a PTE is PAT */
    CHECK(x86_walk(&m, &s, 0x00800010, &w) && w.phys == 0x5010 && w.size == 4096);
}

static void walk_pae(void) {
    struct kvm_sregs s = paging_on(CR4_PAE, 0, TABLES + 0x20); /* 32-byte aligned */
    struct page_walk w;
    put64(TABLES + 0x20 + 3 * 8, (TABLES + 0x1000) | P); /* a PDPTE has no rights bits */
    put64(TABLES + 0x1000 + 8, (TABLES + 0x2000) | P | W | U);
    put64(TABLES + 0x2000 + 2 * 8, 0x00777000 | P | W | U);
    CHECK(x86_walk(&m, &s, 0xc0202abc, &w));
    CHECK(w.phys == 0x00777abc && w.size == 4096 && w.levels == 3);
    CHECK(w.writable && w.user && w.executable);
    CHECK_STR(w.level[0].name, "PDPTE");
    CHECK(w.level[0].address == TABLES + 0x20 + 24);
    CHECK_STR(w.level[2].name, "PTE");
    put64(TABLES + 0x2000 + 2 * 8, 0x00777000 | P | W | NX);
    CHECK(x86_walk(&m, &s, 0xc0202abc, &w) && !w.executable && !w.user);
    CHECK(w.phys == 0x00777abc); /* NX is no address bit */
    put64(TABLES + 0x1000 + 16, 0x123400000 | P | W | PS); /* 2 MiB, above 4 GiB */
    CHECK(x86_walk(&m, &s, 0xc0412345, &w) && w.phys == 0x123412345 && w.size == 2 * MIB);
    CHECK(w.levels == 2 && w.writable);
    CHECK(!x86_walk(&m, &s, 0x00000000, &w) && w.levels == 1);
    CHECK(!x86_walk(&m, &s, 0xc0000000, &w) && w.levels == 2);
    CHECK(!x86_walk(&m, &s, 0xc0200000, &w) && w.levels == 3);
}

static void walk_4level(void) {
    struct kvm_sregs s = paging_on(CR4_PAE, EFER_LME | EFER_LMA, TABLES);
    const uint64_t high = 0xffff800000000000; /* index 256 of the PML4 */
    struct page_walk w;
    put64(TABLES + 256 * 8, (TABLES + 0x1000) | P | W | U);
    put64(TABLES + 0x1000, (TABLES + 0x2000) | P | W | U);
    put64(TABLES + 0x1000 + 8, 0x40000000 | P | W | PS); /* 1 GiB */
    put64(TABLES + 0x2000, (TABLES + 0x3000) | P | W | U);
    put64(TABLES + 0x2000 + 8, 0x00600000 | P | U | PS); /* 2 MiB */
    put64(TABLES + 0x3000 + 5 * 8, 0x00042000 | P | W | U);
    CHECK(x86_walk(&m, &s, high + 0x5123, &w) && w.phys == 0x42123 && w.levels == 4);
    CHECK(w.size == 4096 && w.writable && w.user && w.executable);
    CHECK_STR(w.level[0].name, "PML4E");
    CHECK(x86_walk(&m, &s, high + 0x2abcde, &w) && w.phys == 0x6abcde && w.size == 2 * MIB);
    CHECK(w.levels == 3 && !w.writable && w.user);
    CHECK(x86_walk(&m, &s, high + 0x40000000 + 0x12345678, &w) && w.phys == 0x52345678);
    CHECK(w.levels == 2 && w.size == 1ull << 30 && !w.user);
    put64(TABLES + 256 * 8, (TABLES + 0x1000) | P | W | U | NX);
    CHECK(x86_walk(&m, &s, high + 0x5123, &w) && !w.executable);
    CHECK(!x86_walk(&m, &s, 0, &w) && w.levels == 1);
    CHECK(!x86_walk(&m, &s, high + (2ull << 30), &w) && w.levels == 2);
    CHECK(!x86_walk(&m, &s, high + (4ull << 20), &w) && w.levels == 3);
    CHECK(!x86_walk(&m, &s, high + 0x6000, &w) && w.levels == 4);
    CHECK(!x86_walk(&m, &s, 0x800000005123, &w) && w.levels == 0 && !w.present); /* not canonical */
}

/* Pages that are neighbours in linear memory need not be so in physical. */
static void copies_by_linear_address(void) {
    struct kvm_sregs s = paging_on(0, 0, TABLES);
    char text[16] = {0};
    put32(TABLES, (TABLES + 0x1000) | P | W);
    put32(TABLES + 0x1000, 0x5000 | P);     /* linear 0 → 0x5000; read-only */
    put32(TABLES + 0x1000 + 4, 0x3000 | P); /* linear 0x1000 → 0x3000 */
    CHECK(x86_write(&m, &s, 0xffc, "abcdefgh", 8) == 8); /* a debugger has all rights */
    CHECK(!memcmp(m.ram + 0x5ffc, "abcd", 4) && !memcmp(m.ram + 0x3000, "efgh", 4));
    CHECK(x86_read(&m, &s, 0xffc, text, 8) == 8 && !memcmp(text, "abcdefgh", 8));
    CHECK(x86_read(&m, &s, 0x1ffc, text, 8) == 4); /* as far as it is mapped */
    CHECK(x86_read(&m, &s, 0x2000, text, 8) == 0);
    CHECK(x86_write(&m, &s, 0x2000, text, 8) == 0);
    put32(TABLES + 0x3ff * 4, (TABLES + 0x2000) | P); /* the top 4 MiB */
    put32(TABLES + 0x2000 + 0x3ff * 4, 0x6000 | P);
    memcpy(m.ram + 0x6ffe, "yz", 2);
    memcpy(m.ram + 0x5000, "ab", 2);
    CHECK(x86_read(&m, &s, 0xfffffffe, text, 4) == 4 && !memcmp(text, "yzab", 4)); /* wraps */
}

/* Looking leaves no traces: accessed and dirty bits stay. */
static void looking_changes_nothing(void) {
    struct kvm_sregs s = paging_on(CR4_PSE, 0, TABLES);
    struct page_walk w;
    uint8_t before[KIB];
    put32(TABLES, P | PS);
    memcpy(before, m.ram + TABLES, sizeof before);
    x86_walk(&m, &s, 0x1234, &w);
    x86_read(&m, &s, 0x1234, &w, 16);
    CHECK(!memcmp(before, m.ram + TABLES, sizeof before));
}

/* --- vectors ------------------------------------------------------------------------------- */

static void handler_by_ivt(void) {
    struct cpu cpu;
    uint64_t at = 0;
    fake_cpu_open(&cpu, &m);
    fake_real_mode(&cpu);
    put32(0x21 * 4, 0x12345678); /* 1234:5678 */
    CHECK(x86_handler(&m, &cpu.state.sregs, 0x21, &at) && at == 0x12340 + 0x5678);
    cpu.state.sregs.idt.base = 0x400; /* lidt works in real mode too */
    put32(0x400 + 8 * 4, 0xf0000010);
    CHECK(x86_handler(&m, &cpu.state.sregs, 8, &at) && at == 0xf0010);
}

enum { IDT = 0x8000, GDT = 0x9000 };

static uint64_t gate(unsigned type, unsigned selector, uint32_t offset, bool present) {
    return (offset & 0xffff) | (uint64_t)selector << 16 | (uint64_t)type << 40 |
           (uint64_t)present << 47 | (uint64_t)(offset >> 16) << 48;
}

static void handler_by_idt(void) {
    struct cpu cpu;
    uint64_t at = 0;
    fake_cpu_open(&cpu, &m);
    fake_protected_mode(&cpu);
    struct kvm_sregs *s = &cpu.state.sregs;
    s->idt = (struct kvm_dtable){.base = IDT, .limit = 8 * 8 - 1};
    s->gdt = (struct kvm_dtable){.base = GDT, .limit = 0x1f};
    s->ldt = (struct kvm_segment){.base = GDT + 0x100, .limit = 0x1f, .present = 1};
    put64(GDT + 0x08, 0x00cf9a000000ffff);
    put64(GDT + 0x10, 0x00cf9a100000ffff);         /* base 0x100000 */
    put64(GDT + 0x100 + 0x08, 0x00cf9a200000ffff); /* in the LDT: base 0x200000 */
    put64(IDT + 0 * 8, gate(14, 0x08, 0x80001234, true)); /* 32-bit interrupt gate */
    put64(IDT + 1 * 8, gate(15, 0x10, 0x00001234, true)); /* 32-bit trap gate, based */
    put64(IDT + 2 * 8, gate(6, 0x08, 0xffff1234, true));  /* 16-bit: no upper half */
    put64(IDT + 3 * 8, gate(7, 0x0c, 0x00005678, true));  /* 16-bit, selector in the LDT */
    put64(IDT + 4 * 8, gate(14, 0x08, 0x1234, false));    /* not present */
    put64(IDT + 5 * 8, gate(5, 0x08, 0, true));           /* a task gate has no address */
    put64(IDT + 6 * 8, gate(12, 0x08, 0x1234, true));     /* a call gate does not belong here */
    put64(IDT + 7 * 8, gate(30, 0x08, 0x1234, true));     /* S = 1: a segment */
    CHECK(x86_handler(&m, s, 0, &at) && at == 0x80001234);
    CHECK(x86_handler(&m, s, 1, &at) && at == 0x101234);
    CHECK(x86_handler(&m, s, 2, &at) && at == 0x1234);
    CHECK(x86_handler(&m, s, 3, &at) && at == 0x205678);
    for (unsigned vector = 4; vector < 8; vector++)
        CHECK(!x86_handler(&m, s, vector, &at));
    put64(IDT + 8 * 8, gate(14, 0x08, 0x1234, true));
    CHECK(!x86_handler(&m, s, 8, &at)); /* behind the limit */
    s->idt.limit = 0;
    CHECK(!x86_handler(&m, s, 0, &at)); /* no IDT yet */
    s->idt = (struct kvm_dtable){.base = 0xfffff000, .limit = 0x7ff};
    CHECK(!x86_handler(&m, s, 0, &at)); /* it lies where nothing is */
}

static void handler_by_long_idt(void) {
    struct cpu cpu;
    uint64_t at = 0;
    fake_cpu_open(&cpu, &m);
    fake_long_mode(&cpu);
    struct kvm_sregs *s = &cpu.state.sregs;
    s->cr3 = TABLES;
    memset(m.ram + TABLES, 0, 64 * KIB);
    put64(TABLES, (TABLES + 0x1000) | P | W);
    put64(TABLES + 0x1000, P | W | PS);
    s->idt = (struct kvm_dtable){.base = IDT, .limit = 4 * 16 - 1};
    s->gdt = (struct kvm_dtable){.base = GDT, .limit = 0x1f};
    put64(GDT + 0x10, 0x00af9a100000ffff); /* its base does not count */
    put64(IDT, gate(14, 0x10, 0x80001234, true));
    put64(IDT + 8, 0xffffffff);
    put64(IDT + 16, gate(6, 0x10, 0x1234, true)); /* no 16-bit gates here */
    put64(IDT + 24, 0);
    CHECK(x86_handler(&m, s, 0, &at) && at == 0xffffffff80001234);
    CHECK(!x86_handler(&m, s, 1, &at));
    CHECK(!x86_handler(&m, s, 4, &at));
}

int main(void) {
    memory_open(&m, 4 * MIB);
    modes();
    privilege();
    linear_addresses();
    descriptors();
    no_paging();
    walk_32bit();
    walk_pse();
    walk_pae();
    walk_4level();
    copies_by_linear_address();
    looking_changes_nothing();
    handler_by_ivt();
    handler_by_idt();
    handler_by_long_idt();
    memory_close(&m);
    return unit_end();
}
