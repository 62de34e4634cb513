/* The current address space as ranges, and the walk of one address. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "vmm/x86/page_walk.h"
#include "vmm/x86/x86.h"
#include "vmm/inspect/fill.h"

/* --- ranges ------------------------------------------------------------------------------ */

/* Neighbours with the same rights, the same kind of page and physical addresses
 * that go on are one range. */
struct range {
    const struct table_sink *sink;
    unsigned rows;  /* so far */
    bool open;
    uint64_t linear, end; /* end: first byte behind */
    uint64_t phys, page;
    bool writable, user, executable;
};

static void close_range(struct range *r) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
    uint64_t size = r->end - r->linear, page = r->page;
    int unit = 0, page_unit = 0;
    if (!r->open)
        return;
    for (; unit < 3 && size % 1024 == 0; unit++)
        size /= 1024;
    for (; page_unit < 3 && page % 1024 == 0; page_unit++)
        page /= 1024;
    fill_row(r->sink,
             "0x%08" PRIx64 "\t0x%08" PRIx64 "\t0x%08" PRIx64 "\t%" PRIu64 " %s\t%c%c%c %s\t%" PRIu64
             " %s",
             r->linear, r->end - 1, r->phys, size, units[unit], 'R', r->writable ? 'W' : '-',
             r->executable ? 'X' : '-', r->user ? "user" : "kernel", page, units[page_unit]);
    r->open = false;
    r->rows++;
}

static void add_page(struct range *r, uint64_t linear, const struct page_walk *w) {
    uint64_t phys = w->phys & ~(w->size - 1);
    bool goes_on = r->open && linear == r->end && phys == r->phys + (r->end - r->linear) &&
                   w->size == r->page && w->writable == r->writable && w->user == r->user &&
                   w->executable == r->executable;
    if (!goes_on) {
        close_range(r);
        *r = (struct range){r->sink, r->rows, true, linear, linear, phys, w->size, w->writable,
                            w->user, w->executable};
    }
    r->end = linear + w->size;
}

/* How far the entry that ended a walk reaches: everything below it is unmapped. */
static uint64_t reach(const struct kvm_sregs *s, const struct page_walk *w) {
    unsigned bits = s->cr4 & CR4_PAE ? 9 : 10;
    unsigned total = !(s->cr4 & CR4_PAE) ? 2 : s->efer & EFER_LMA ? 4 : 3;
    return 1ull << (12 + bits * (total - w->levels));
}

/* Tables that are their own tables map up to 2^36 pages: there is an end to patience, and
 * to what anybody reads. All of 32-bit paging is looked at. */
enum { LOOKS_MAX = 3 << 20, ROWS_MAX = 2000 };

/* The upper half of a 48-bit space is sign-extended (3.3.7.1). */
static uint64_t canonical(uint64_t linear) {
    return linear >> 47 & 1 ? linear | 0xffff000000000000 : linear;
}

/* One page, or what is not mapped from there on; returns what lies behind. */
static uint64_t look_at_page(struct machine *m, const struct kvm_sregs *s, uint64_t linear, struct range *r) {
    struct page_walk w;
    bool mapped = x86_walk(&m->memory, s, canonical(linear), &w);
    uint64_t step = mapped ? w.size : reach(s, &w);
    if (mapped)
        add_page(r, canonical(linear), &w);
    return (linear | (step - 1)) + 1;
}

void fill_pages(struct machine *m, const struct table_sink *sink) {
    const struct kvm_sregs *s = &cpu_read(&shown_vcpu(m)->cpu, CPU_SREGS)->sregs;
    uint64_t end = s->efer & EFER_LMA ? 1ull << 48 : 1ull << 32, linear = 0;
    struct range range = {.sink = sink};
    if (!(s->cr0 & CR0_PG))
        return;
    for (unsigned looks = 0; linear < end && looks < LOOKS_MAX && range.rows < ROWS_MAX; looks++)
        linear = look_at_page(m, s, linear, &range);
    close_range(&range);
    if (linear < end)
        fill_row(sink, "0x%08" PRIx64 "\t...\t\t\ttoo many: not shown from here on", canonical(linear));
}

/* --- one address ---------------------------------------------------------------------------- */

static const struct {
    unsigned bit;
    const char *set, *clear;
} entry_bits[] = {{0, "P", "not present"}, {1, "RW", "read-only"},  {2, "US", "supervisor"},
                  {3, "PWT", NULL},        {4, "PCD", NULL},        {5, "A", "not accessed"},
                  {6, "D", NULL},          {7, "PS", NULL},         {8, "G", NULL}};

static void entry_words(uint64_t entry, bool nxe, char *out, size_t size) {
    size_t n = 0;
    out[0] = 0;
    for (size_t i = 0; i < sizeof entry_bits / sizeof *entry_bits && n < size; i++) {
        const char *word = entry >> entry_bits[i].bit & 1 ? entry_bits[i].set
                                                          : entry_bits[i].clear;
        if (word)
            n += snprintf(out + n, size - n, "%s%s", n ? ", " : "", word);
        if (i == 0 && !(entry & 1))
            return; /* the rest of an entry that is not present means nothing */
    }
    if (entry >> 63 && n < size)
        snprintf(out + n, size - n, ", %s", nxe ? "NX" : "bit 63, reserved while EFER.NXE = 0");
}

/* Why a write from ring 3 would fault (4.6.1), or NULL. */
static const char *user_write_problem(const struct page_walk *w, bool nxe) {
    if (!w->executable && !nxe)
        return "a level has a reserved bit: #PF with error code 0xf (user write, present, reserved bit)";
    if (!w->present)
        return "a level is not present: #PF with error code 6 (user write)";
    if (!w->user)
        return "a level is supervisor-only: #PF with error code 7 (user write, present)";
    if (!w->writable)
        return "a level is read-only: #PF with error code 7 (user write, present)";
    return NULL;
}

void inspect_page(struct machine *m, uint64_t linear, const struct text *t) {
    const struct kvm_sregs *s = &cpu_read(&shown_vcpu(m)->cpu, CPU_SREGS)->sregs;
    struct page_walk w;
    bool nxe = s->efer & EFER_NX;
    x86_walk(&m->memory, s, linear, &w);
    text_print(t, "linear 0x%08" PRIx64 "\n", linear);
    if (!(s->cr0 & CR0_PG)) {
        text_print(t, "paging is off (CR0.PG = 0): physical 0x%08" PRIx64 "\n", linear);
        return;
    }
    if (s->efer & EFER_LMA && !x86_is_canonical(linear)) {
        text_print(t, "not canonical (bits 63 to 47 differ): #GP, by the stack #SS\n");
        return;
    }
    text_print(t, "  CR3    0x%08llx\n", s->cr3);
    for (unsigned i = 0; i < w.levels; i++) {
        char words[128];
        entry_words(w.level[i].entry, nxe, words, sizeof words);
        text_print(t, "  %-6s at 0x%08" PRIx64 ": 0x%08" PRIx64 "  %s\n", w.level[i].name,
                   w.level[i].address, w.level[i].entry, words);
    }
    if (w.present)
        text_print(t, "physical 0x%08" PRIx64 ", in a page of %" PRIu64 " KiB\n", w.phys,
                   w.size >> 10);
    const char *problem = user_write_problem(&w, nxe);
    text_print(t, "a write from ring 3: %s\n", problem ? problem : "is allowed");
    if (w.present && !w.executable && nxe)
        text_print(t, "an instruction there: a level is NX: #PF with error code 0x%x (fetch, present)\n",
                   w.user ? 0x15 : 0x11);
}
