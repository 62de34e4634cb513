/* How each breakpoint and watchpoint is done, decided anew at each resume.
 *
 * There are four debug registers. Watchpoints get them first (they do not work
 * otherwise, or at great cost), then breakpoints where no int3 can be (the page is
 * not mapped yet, or is ROM), then the rest. The others are done by an int3 in
 * memory, by write protection of the page, or by stepping and comparing: always
 * right, only slower.
 *
 * Rule: guest memory shows an int3 of ours only while the guest runs.
 */
#include "vmm/engines/kvm/debug/debug.h"
#include "vmm/memory/layout.h"
#include "vmm/x86/mode.h"
#include "vmm/x86/page_walk.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { DR_EXEC = 0, DR_WRITE = 1, DR_ACCESS = 3 };

/* --- debug registers (17.2.4) ----------------------------------------------- */

static void give_dr(struct bp_plan *h, const struct breakpoint *p, uint64_t address, unsigned kind,
                    unsigned length) {
    h->dr[h->drs].address = address;
    h->dr[h->drs].kind = kind;
    h->dr[h->drs].length = length;
    h->dr[h->drs].point = p;
    h->drs++;
}

/* The largest naturally aligned piece at the start of a range. */
static unsigned aligned_piece(uint64_t address, uint64_t length) {
    unsigned piece = 8;
    while (piece > length || address % piece)
        piece /= 2;
    return piece;
}

static unsigned pieces(uint64_t address, uint64_t length) {
    unsigned n = 0;
    while (length && n <= DEBUG_REGISTERS) {
        unsigned piece = aligned_piece(address, length);
        address += piece;
        length -= piece;
        n++;
    }
    return n;
}

static bool watch_in_drs(struct bp_plan *h, const struct breakpoint *p) {
    if (!probe_traits()->data_bp || pieces(p->address, p->length) > DEBUG_REGISTERS - h->drs)
        return false;
    uint64_t address = p->address, left = p->length;
    while (left) {
        unsigned piece = aligned_piece(address, left);
        give_dr(h, p, address, p->kind == BP_WRITE ? DR_WRITE : DR_ACCESS, piece);
        address += piece;
        left -= piece;
    }
    return true;
}

/* DR7: enable bits in pairs from bit 0; from bit 16 four bits each, R/W and LEN
 * (00 = 1 byte, 01 = 2, 11 = 4, 10 = 8). Bit 10 is always one. */
static uint64_t dr7_bits(unsigned n, unsigned kind, unsigned length) {
    static const unsigned encoded[9] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};
    return 2ull << (2 * n) | (uint64_t)(kind | encoded[length] << 2) << (16 + 4 * n);
}

void bp_plan_registers(const struct debugged_vcpu *d, struct kvm_guest_debug *debug, bool exec) {
    unsigned n = 0;
    debug->arch.debugreg[7] = 0x400;
    for (unsigned i = 0; i < d->plan.drs; i++) {
        if (d->plan.dr[i].kind == DR_EXEC && !exec)
            continue;
        debug->arch.debugreg[n] = d->plan.dr[i].address;
        debug->arch.debugreg[7] |= dr7_bits(n, d->plan.dr[i].kind, d->plan.dr[i].length);
        n++;
    }
    if (n)
        debug->control |= KVM_GUESTDBG_USE_HW_BP;
}

void bp_plan_detect(struct cpu *cpu, struct kvm_guest_debug *debug) {
    if (!(cpu_read(cpu, CPU_DEBUGREGS)->debugregs.dr7 & DR7_GD))
        return;
    debug->arch.debugreg[7] |= DR7_GD;
    debug->control |= KVM_GUESTDBG_USE_HW_BP;
}

bool bp_plan_add_exec(struct kvm_guest_debug *debug, uint64_t address) {
    for (unsigned n = 0; n < DEBUG_REGISTERS; n++) {
        uint64_t dr7 = debug->arch.debugreg[7];
        bool used = dr7 & 2ull << (2 * n), exec = (dr7 >> (16 + 4 * n) & 3) == DR_EXEC;
        if (used && exec && debug->arch.debugreg[n] == address)
            return true;
        if (used)
            continue;
        debug->arch.debugreg[n] = address;
        debug->arch.debugreg[7] |= dr7_bits(n, DR_EXEC, 1);
        debug->control |= KVM_GUESTDBG_USE_HW_BP;
        return true;
    }
    return false;
}

/* The n-th register in use goes with the n-th bit of DR6; skipped ones (exec,
 * when only data was asked for) do not count. */
const struct breakpoint *bp_plan_hit(const struct debugged_vcpu *d, uint64_t dr6, bool data_only) {
    unsigned n = 0;
    for (unsigned i = 0; i < d->plan.drs; i++) {
        if (d->plan.dr[i].kind == DR_EXEC && data_only)
            continue;
        if (dr6 >> n & 1)
            return d->plan.dr[i].point;
        n++;
    }
    return NULL;
}

/* --- the plan ---------------------------------------------------------------- */

/* Where an int3 could be written for this point, or NULL. */
static uint8_t *patchable(struct cpu *cpu, uint64_t linear) {
    struct page_walk w;
    if (!x86_walk(cpu->memory, &cpu_read(cpu, CPU_SREGS)->sregs, linear, &w))
        return NULL;
    return memory_at(cpu->memory, w.phys, 1, true);
}

/* Page protection is by host page, so the watched bytes must be in RAM. */
static bool protectable(struct cpu *cpu, const struct breakpoint *p) {
    struct page_walk w;
    const struct kvm_sregs *s = &cpu_read(cpu, CPU_SREGS)->sregs;
    uint64_t last = p->address + p->length - 1;
    return probe_traits()->protect && x86_walk(cpu->memory, s, p->address, &w) &&
           memory_at(cpu->memory, w.phys, 1, true) && x86_walk(cpu->memory, s, last, &w) &&
           memory_at(cpu->memory, w.phys, 1, true);
}

static void plan_watch(struct cpu *cpu, struct breakpoint *p) {
    struct bp_plan *h = &debugged_of(cpu)->plan;
    if (watch_in_drs(h, p))
        p->mechanism = BP_BY_DR;
    else
        p->mechanism = protectable(cpu, p) ? BP_BY_PAGE : BP_BY_STEPPING;
    h->pages |= p->mechanism == BP_BY_PAGE;
    h->stepping |= p->mechanism == BP_BY_STEPPING;
}

static void plan_break(struct cpu *cpu, struct breakpoint *p, bool unpatchable_ones) {
    struct bp_plan *h = &debugged_of(cpu)->plan;
    bool can_patch = probe_traits()->int3 && patchable(cpu, p->address);
    if (unpatchable_ones == can_patch)
        return;
    if (probe_traits()->exec_bp && h->drs < DEBUG_REGISTERS) {
        p->mechanism = BP_BY_DR;
        give_dr(h, p, p->address, DR_EXEC, 1);
    } else {
        p->mechanism = can_patch ? BP_BY_INT3 : BP_BY_STEPPING;
    }
    h->int3 |= p->mechanism == BP_BY_INT3;
    h->stepping |= p->mechanism == BP_BY_STEPPING;
}

void bp_plan_make(struct cpu *cpu) {
    struct bp_plan *h = &debugged_of(cpu)->plan;
    struct breakpoints *t = cpu->breakpoints;
    h->drs = 0;
    h->int3 = h->pages = h->stepping = false;
    for (size_t i = 0; i < t->count; i++) /* reads can be seen in no other way */
        if (t->list[i].kind > BP_WRITE)
            plan_watch(cpu, &t->list[i]);
    for (size_t i = 0; i < t->count; i++)
        if (t->list[i].kind == BP_WRITE)
            plan_watch(cpu, &t->list[i]);
    for (int unpatchable = 1; unpatchable >= 0; unpatchable--)
        for (size_t i = 0; i < t->count; i++)
            if (!breakpoint_is_watch(&t->list[i]))
                plan_break(cpu, &t->list[i], unpatchable);
}

bool bp_plan_strained(struct cpu *cpu) {
    if (cpu->breakpoints->count == 0)
        return false;
    bp_plan_make(cpu);
    return debugged_of(cpu)->plan.stepping;
}

const char *bp_plan_refuses(struct cpu *cpu, enum bp_kind kind, uint64_t address, uint32_t length) {
    if (kind <= BP_WRITE)
        return NULL;
    if (!probe_traits()->data_bp)
        return "this KVM's data watchpoints do not fire, and reads cannot be seen otherwise; "
               "use watch, or monitor engine soft";
    unsigned used = pieces(address, length);
    for (size_t i = 0; i < cpu->breakpoints->count; i++)
        if (cpu->breakpoints->list[i].kind > BP_WRITE)
            used += pieces(cpu->breakpoints->list[i].address, cpu->breakpoints->list[i].length);
    return used <= DEBUG_REGISTERS ? NULL
                                   : "all four debug registers hold read watchpoints already; "
                                     "delete one, or use monitor engine soft";
}

/* --- int3s and page protection ------------------------------------------------ */

static void plant_int3(struct cpu *cpu, struct breakpoint *p) {
    p->patched = patchable(cpu, p->address); /* NULL: unmapped since the plan was made */
    if (!p->patched)
        return;
    p->saved = *p->patched;
    *p->patched = 0xcc;
}

/* By host address: the guest may have changed its page tables meanwhile. And a
 * loader may have written over our int3; then its byte stays. */
static void remove_int3(struct cpu *cpu, struct breakpoint *p) {
    (void)cpu;
    if (p->patched && *p->patched == 0xcc)
        *p->patched = p->saved;
    p->patched = NULL;
}

static void for_int3s(struct cpu *cpu, void (*f)(struct cpu *, struct breakpoint *)) {
    for (size_t i = 0; i < cpu->breakpoints->count; i++)
        if (cpu->breakpoints->list[i].mechanism == BP_BY_INT3)
            f(cpu, &cpu->breakpoints->list[i]);
}

static void protect_bytes(struct cpu *cpu, const struct breakpoint *p) {
    struct page_walk w;
    const struct kvm_sregs *s = &cpu_read(cpu, CPU_SREGS)->sregs;
    for (uint64_t at = p->address; at < p->address + p->length; at = (at | (PAGE_SIZE - 1)) + 1) {
        if (!x86_walk(cpu->memory, s, at, &w))
            continue;
        uint8_t *page =
            memory_at(cpu->memory, w.phys & ~(uint64_t)(PAGE_SIZE - 1), PAGE_SIZE, true);
        if (page)
            mprotect(page, PAGE_SIZE, PROT_READ);
    }
}

/* Unprotecting is done for all of RAM: page tables may have changed meanwhile. */
void bp_plan_protect(struct cpu *cpu, bool on) {
    struct bp_plan *h = &debugged_of(cpu)->plan;
    if (!h->pages)
        return;
    if (!on) {
        mprotect(cpu->memory->ram, memory_pages(cpu->memory) * PAGE_SIZE, PROT_READ | PROT_WRITE);
        return;
    }
    for (size_t i = 0; i < cpu->breakpoints->count; i++)
        if (cpu->breakpoints->list[i].mechanism == BP_BY_PAGE)
            protect_bytes(cpu, &cpu->breakpoints->list[i]);
}

void bp_plan_insert(struct cpu *cpu) {
    if (debugged_of(cpu)->plan.int3)
        for_int3s(cpu, plant_int3);
    bp_plan_protect(cpu, true);
}

void bp_plan_remove(struct cpu *cpu) {
    bp_plan_protect(cpu, false);
    if (debugged_of(cpu)->plan.int3)
        for_int3s(cpu, remove_int3);
}

/* --- values ------------------------------------------------------------------- */

static bool by_value(const struct breakpoint *p) {
    return breakpoint_is_watch(p) && (p->mechanism == BP_BY_PAGE || p->mechanism == BP_BY_STEPPING);
}

static size_t total_watched(const struct breakpoints *t) {
    size_t total = 0;
    for (size_t i = 0; i < t->count; i++)
        total += by_value(&t->list[i]) ? t->list[i].length : 0;
    return total;
}

bool bp_plan_snapshot(struct cpu *cpu) {
    struct bp_plan *h = &debugged_of(cpu)->plan;
    if (!h->pages && !h->stepping)
        return true;
    size_t total = total_watched(cpu->breakpoints);
    if (total > h->watched_room) {
        uint8_t *bigger = realloc(h->watched, total);
        if (!bigger)
            return false;
        h->watched = bigger;
        h->watched_room = total;
    }
    const struct kvm_sregs *s = &cpu_read(cpu, CPU_SREGS)->sregs;
    uint8_t *value = h->watched;
    for (size_t i = 0; i < cpu->breakpoints->count; i++) {
        const struct breakpoint *p = &cpu->breakpoints->list[i];
        if (!by_value(p))
            continue;
        memset(value, 0xff, p->length); /* what is not mapped reads as ones */
        x86_read(cpu->memory, s, p->address, value, p->length);
        value += p->length;
    }
    return true;
}

static bool value_differs(struct cpu *cpu, const struct breakpoint *p, const uint8_t *old) {
    const struct kvm_sregs *s = &cpu_read(cpu, CPU_SREGS)->sregs;
    uint8_t now[64];
    for (uint32_t done = 0; done < p->length; done += sizeof now) {
        uint32_t n = p->length - done < sizeof now ? p->length - done : sizeof now;
        memset(now, 0xff, n);
        x86_read(cpu->memory, s, p->address + done, now, n);
        if (memcmp(now, old + done, n))
            return true;
    }
    return false;
}

const struct breakpoint *bp_plan_changed(struct cpu *cpu) {
    struct bp_plan *h = &debugged_of(cpu)->plan;
    if (!h->pages && !h->stepping)
        return NULL;
    const uint8_t *old = h->watched;
    for (size_t i = 0; i < cpu->breakpoints->count; i++) {
        const struct breakpoint *p = &cpu->breakpoints->list[i];
        if (!by_value(p))
            continue;
        if (value_differs(cpu, p, old))
            return p;
        old += p->length;
    }
    return NULL;
}
