/* The table of mapped ranges comes to an end, whatever the guest's tables are. */
#include "tests/unit/unit.h"

#include "tests/unit/elf_build.h"
#include "vmm/inspect/tables.h"
#include "vmm/x86/x86.h"

enum { TABLE = 0x8000, ROWS_MAX = 2002 };

static void ignore_output(void *context, unsigned number, const char *text, size_t length) {
    (void)context, (void)number, (void)text, (void)length;
}
static void ignore_notice(void *context) { (void)context; }
static void ignore_message(void *context, unsigned number, const char *text) {
    (void)context, (void)number, (void)text;
}
static const struct machine_owner owner = {NULL, ignore_output, ignore_notice, ignore_message};
static struct machine machine;

static struct rows {
    unsigned count;
    struct table_row last;
} rows;

static void take_row(void *context, const struct table_row *row) {
    (void)context;
    rows.count++;
    rows.last = *row;
}

static void fill_table(uint64_t entry, unsigned size) {
    for (unsigned at = 0; at < PAGE_SIZE; at += size)
        memcpy(machine.memory.ram + TABLE + at, &entry, size);
}

static unsigned count_rows(uint64_t cr4, uint64_t efer) {
    const struct table_sink sink = {take_row, NULL};
    struct kvm_sregs *s = &cpu_write(&machine.vcpu[0].cpu, CPU_SREGS)->sregs;
    s->cr3 = TABLE;
    s->cr4 = cr4;
    s->efer = efer;
    s->cr0 = CR0_PE | CR0_PG;
    rows.count = 0;
    tables_find("pages")->fill(&machine, &sink);
    return rows.count;
}

static bool is_cut(void) { return strstr(rows.last.cell[4], "not shown"); }

/* Every entry of every level leads to the same table. */
static void tables_of_themselves(void) {
    fill_table(TABLE | 7, 8);
    CHECK(count_rows(CR4_PAE, EFER_LME | EFER_LMA) <= ROWS_MAX && is_cut());
    fill_table(TABLE | 7, 4);
    CHECK(count_rows(0, 0) <= ROWS_MAX && is_cut());
}

/* A million pages of 32-bit paging that follow each other are one row, and all of it. */
static void all_of_32_bit_paging(void) {
    fill_table(0, 4);
    for (uint32_t n = 0; n < 1024; n++) {
        uint32_t pde = n << 22 | 0x87;
        memcpy(machine.memory.ram + TABLE + 4 * n, &pde, 4);
    }
    CHECK(count_rows(CR4_PSE, 0) == 1 && !is_cut());
    CHECK_STR(rows.last.cell[1], "0xffffffff");
}

int main(void) {
    static const uint8_t code[] = {0xf4};
    static const struct machine_options options = {.engine = ENGINE_SOFT, .debugged = true};
    char error[256];
    CHECK(machine_open(&machine, 1, scratch_write(code, sizeof code), &options, &owner, error,
                       sizeof error) == 0);
    tables_of_themselves();
    all_of_32_bit_paging();
    machine_close(&machine);
    return unit_end();
}
