/* Debug registers for the guest's own use (17.2), and the debugger's breakpoints.
 *
 * The two never meet: the guest's raise #DB in the guest, the debugger's stop
 * the machine and leave no trace in it.
 *
 * Rule: where anything of either kind watches, the fast paths are closed (see
 * page_watched() and code_stops_at()), so that all accesses come by here.
 */
#include "vmm/engines/soft/access.h"
#include "vmm/engines/soft/handlers.h"
#include "vmm/x86/mode.h"

#define DR6_FIXED   0xFFFF0FF0u
#define DR6_WRITE   0x0000E00Fu
#define DR7_FIXED   0x00000400u
#define DR7_WRITE   0x000023FFu

enum { CONDITION_FETCH, CONDITION_WRITE, CONDITION_IO, CONDITION_ACCESS };

/* --- the guest's breakpoints --- */

struct guest_break {
    uint64_t from, last; /* linear addresses, or ports */
    unsigned condition;
};

static bool guest_break(const struct soft *s, unsigned n, struct guest_break *b) {
    unsigned control = s->dr[7] >> (16 + 4 * n) & 15, length = control >> 2;
    uint64_t mask = length == 2 ? 7 : length; /* 1, 2, 8, 4 bytes */
    b->condition = control & 3;
    b->from = s->dr[n] & ~mask;
    b->last = b->from + mask;
    return s->dr[7] >> 2 * n & 3;
}

unsigned guest_breaks_at(struct soft *s, uint64_t linear) {
    unsigned hit = 0;
    struct guest_break b;
    for (unsigned n = 0; (s->dr[7] & 0xFF) && n < 4; n++)
        if (guest_break(s, n, &b) && b.condition == CONDITION_FETCH && s->dr[n] == linear)
            hit |= 1u << n;
    return hit;
}

/* The data breakpoints that [linear, linear + size) touches: DR6 bits. */
static unsigned guest_watches(struct soft *s, uint64_t linear, uint64_t size, bool write) {
    unsigned hit = 0;
    struct guest_break b;
    for (unsigned n = 0; n < 4; n++) {
        bool on = guest_break(s, n, &b);
        bool fits = b.condition == CONDITION_ACCESS || (write && b.condition == CONDITION_WRITE);
        if (on && fits && b.from < linear + size && linear <= b.last)
            hit |= 1u << n;
    }
    return hit;
}

static void trap(struct soft *s, unsigned bits) {
    if (!bits)
        return;
    s->db_trap |= bits;
    pend(s, PENDING_CHECK);
}

void watch_io(struct soft *s, uint16_t port, unsigned size) {
    unsigned hit = 0;
    struct guest_break b;
    for (unsigned n = 0; s->cr4 & CR4_DE && n < 4; n++)
        if (guest_break(s, n, &b) && b.condition == CONDITION_IO && b.from < port + size &&
            port <= b.last)
            hit |= 1u << n;
    trap(s, hit);
}

void dr7_changed(struct soft *s) {
    struct guest_break b;
    s->guest_watching = false;
    for (unsigned n = 0; n < 4; n++)
        s->guest_watching |= guest_break(s, n, &b) && b.condition != CONDITION_FETCH;
    tlb_retag(s);
    cache_flush(s);
}

/* --- MOV from and to DR --- */

/* Which register: DR4 and DR5 are DR6 and DR7 unless CR4.DE (17.2.2). */
static unsigned debug_register(struct soft *s, const struct op *op) {
    if (s->cpl)
        raise_gp0(s);
    if (s->cr4 & CR4_DE && (op->reg == 4 || op->reg == 5))
        raise_plain(s, VECTOR_UD);
    if (s->dr[7] & DR7_GD) {
        s->dr[6] |= DR6_BD;
        raise_plain(s, VECTOR_DB);
    }
    return op->reg == 4 || op->reg == 5 ? op->reg + 2u : op->reg;
}

const struct op *mov_rd(struct soft *s, const struct op *op) {
    set_reg(s, op->rm, code64(s) ? 8 : 4, s->dr[debug_register(s, op)]);
    return op + 1;
}

const struct op *mov_dr(struct soft *s, const struct op *op) {
    unsigned n = debug_register(s, op);
    uint64_t value = get_reg(s, op->rm, code64(s) ? 8 : 4);
    if (n >= 6 && value >> 32)
        raise_gp0(s);
    if (n == 6)
        value = DR6_FIXED | (value & DR6_WRITE);
    else if (n == 7)
        value = DR7_FIXED | (value & DR7_WRITE) | (value & 0xFFFF0000);
    s->dr[n] = value;
    if (n != 6 && (s->dr[7] & 0xFF || n == 7))
        dr7_changed(s);
    return op + 1;
}

/* --- the debugger's points --- */

bool code_stops_at(struct soft *s, uint64_t linear) {
    return breakpoints_at(s->cpu->breakpoints, linear) || guest_breaks_at(s, linear);
}

static bool overlaps(const struct breakpoint *p, uint64_t from, uint64_t size) {
    return p->address < from + size && from < p->address + p->length;
}

/* The table of breakpoints has changed: what was decoded with the old one is dropped. */
void points_refresh(struct soft *s) {
    const struct breakpoints *t = s->cpu->breakpoints;
    if (t == s->points_of && t->generation == s->breakpoints_seen)
        return;
    s->points_of = t;
    s->breakpoints_seen = t->generation;
    s->watching = false;
    for (size_t n = 0; n < t->count; n++) {
        t->list[n].mechanism = BP_BY_COMPARE;
        s->watching |= breakpoint_is_watch(&t->list[n]);
    }
    tlb_retag(s);
    cache_flush(s);
}

bool page_watched(struct soft *s, uint64_t page, uint64_t phys) {
    const struct breakpoints *t = s->cpu->breakpoints;
    uint64_t at = t->physical ? phys : page;
    for (size_t n = 0; s->watching && n < t->count; n++)
        if (breakpoint_is_watch(&t->list[n]) && overlaps(&t->list[n], at, PAGE_SIZE))
            return true;
    return s->guest_watching && guest_watches(s, page, PAGE_SIZE, true);
}

static bool watchpoint_wants(const struct breakpoint *p, bool write) {
    return p->kind == BP_ACCESS || p->kind == (write ? BP_WRITE : BP_READ);
}

/* The first hit of an instruction is the one reported. */
static void watchpoint_hit(struct soft *s, const struct breakpoint *p, uint64_t address, bool by_paging) {
    bool delivers = s->chained && s->chain[s->chained - 1].kind != KIND_SOFTWARE;
    s->watch_hit = true;
    s->watch = *p;
    s->watch.address = address > p->address ? address : p->address;
    s->cpu->watch_icount = now(s);
    s->cpu->watched_by = by_paging ? BY_PAGING : delivers ? BY_DELIVERY : BY_INSTRUCTION;
    pend(s, PENDING_CHECK);
}

static void watch(struct soft *s, uint64_t address, unsigned size, bool write, bool by_paging) {
    const struct breakpoints *t = s->cpu->breakpoints;
    for (size_t n = 0; s->watching && !s->watch_hit && n < t->count; n++)
        if (watchpoint_wants(&t->list[n], write) && overlaps(&t->list[n], address, size))
            watchpoint_hit(s, &t->list[n], address, by_paging);
}

void watch_access(struct soft *s, uint64_t linear, unsigned size, bool write) {
    if (!s->cpu->breakpoints->physical)
        watch(s, linear, size, write, false);
    if (s->guest_watching)
        trap(s, guest_watches(s, linear, size, write));
}

void watch_physical_write(struct soft *s, uint64_t phys, unsigned size, bool by_paging) {
    if (s->cpu->breakpoints->physical)
        watch(s, phys, size, true, by_paging);
}
