/* The quick ways into ring 0 and out of it: SYSENTER and SYSEXIT, SYSCALL and SYSRET, and
 * SWAPGS that goes with them (5.8.7, 5.8.8; Vol. 2B; AMD's APM 3 where `amd` says so).
 *
 * Rule: none of them looks at a descriptor: segments are flat by decree.
 */
#include "vmm/engines/soft/access.h"
#include "vmm/engines/soft/flags.h"
#include "vmm/engines/soft/handlers.h"
#include "vmm/x86/mode.h"

static struct kvm_segment flat_data(unsigned selector, unsigned dpl) {
    return (struct kvm_segment){.limit = 0xFFFFFFFF, .selector = (uint16_t)selector, .type = 3,
                                .present = 1, .dpl = (uint8_t)dpl, .db = 1, .s = 1, .g = 1};
}

static struct kvm_segment flat_code(unsigned selector, unsigned dpl, bool is64) {
    struct kvm_segment k = flat_data(selector, dpl);
    k.type = 11;
    k.l = is64;
    k.db = !is64;
    return k;
}

/* CS and SS to a ring; SS's selector is the one given. */
static void load_flat(struct soft *s, unsigned cs, unsigned ss, unsigned cpl, bool is64) {
    uint64_t sp = s->r[R_SP];
    set_code(s, flat_code(cs | cpl, cpl, is64), cpl);
    set_stack(s, flat_data(ss, cpl), sp);
}

/* TF traps after these as it is set then (Vol. 2B, SYSCALL): not in the system, but at
 * once after the return to a program that is being stepped. */
static void trap_by_new_flags(struct soft *s) {
    s->delivered = true;
    if (s->flags & FLAG_TF) {
        s->db_trap |= DR6_BS;
        pend(s, PENDING_CHECK);
    }
}

/* --- SYSENTER and SYSEXIT --- */

static void need_sysenter(struct soft *s, bool allowed) {
    if (s->long_mode && s->amd)
        raise_plain(s, VECTOR_UD);
    if (!allowed || !(s->msrs.sysenter_cs & 0xFFFC))
        raise_gp0(s);
}

const struct op *sysenter(struct soft *s, const struct op *op) {
    need_sysenter(s, s->cr0 & CR0_PE);
    unsigned cs = s->msrs.sysenter_cs & 0xFFFC;
    uint64_t mask = s->long_mode ? ~0ull : 0xFFFFFFFF;
    s->flags &= ~(uint32_t)(FLAG_VM | FLAG_IF | FLAG_RF);
    load_flat(s, cs, cs + 8, 0, s->long_mode);
    set_sp(s, s->msrs.sysenter_esp & mask);
    return leave(s, op, s->msrs.sysenter_eip & mask);
}

const struct op *sysexit(struct soft *s, const struct op *op) {
    need_sysenter(s, s->protected && !s->cpl);
    bool is64 = code64(s) && op->wide == 8;
    uint64_t mask = is64 ? ~0ull : 0xFFFFFFFF, ip = s->r[R_DX] & mask, sp = s->r[R_CX] & mask;
    if (is64 && !(x86_is_canonical(ip) && x86_is_canonical(sp)))
        raise_gp0(s);
    unsigned cs = (s->msrs.sysenter_cs & 0xFFFC) + (is64 ? 32 : 16);
    load_flat(s, cs, (cs + 8) | 3, 3, is64);
    set_sp(s, sp);
    return leave(s, op, ip);
}

/* --- SYSCALL and SYSRET --- */

/* Intel has them in 64-bit mode only, AMD in all. */
static void need_syscall(struct soft *s) {
    if (!(s->efer & EFER_SCE) || !(s->amd || code64(s)))
        raise_plain(s, VECTOR_UD);
}

/* AMD's SYSCALL of protected mode, as its K6 had it. */
static const struct op *syscall_legacy(struct soft *s, const struct op *op) {
    unsigned cs = s->msrs.star >> 32 & 0xFFFC;
    s->r[R_CX] = (uint32_t)after(s, op);
    s->flags &= ~(uint32_t)(FLAG_VM | FLAG_IF | FLAG_RF);
    load_flat(s, cs, cs + 8, 0, false);
    trap_by_new_flags(s);
    return leave(s, op, (uint32_t)s->msrs.star);
}

const struct op *syscall_(struct soft *s, const struct op *op) {
    need_syscall(s);
    if (!s->long_mode)
        return syscall_legacy(s, op);
    unsigned cs = s->msrs.star >> 32 & 0xFFFC;
    uint64_t target = code64(s) ? s->msrs.lstar : s->msrs.cstar;
    uint32_t flags = flags_get(s);
    s->r[R_CX] = after(s, op);
    s->r[R_8 + 3] = flags;
    flags_set(s, flags & ~(uint32_t)(s->msrs.fmask | FLAG_RF));
    load_flat(s, cs, cs + 8, 0, true);
    trap_by_new_flags(s);
    return leave(s, op, target);
}

/* AMD changes only SS's selector. */
static void sysret_stack(struct soft *s, struct kvm_segment old, unsigned selector) {
    if (!s->amd)
        return;
    old.selector = (uint16_t)selector;
    old.dpl = 3;
    set_stack(s, old, s->r[R_SP]);
}

static uint32_t sysret_flags(const struct soft *s) {
    uint32_t defined = FLAGS_ALU | FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT | FLAG_AC |
                       FLAG_VIF | FLAG_VIP | FLAG_ID;
    return s->long_mode ? (uint32_t)s->r[R_8 + 3] & defined : flags_get(s) | FLAG_IF;
}

/* An address that is not canonical is found out here by Intel's, in ring 3 by AMD's. */
const struct op *sysret(struct soft *s, const struct op *op) {
    need_syscall(s);
    bool is64 = code64(s) && op->wide == 8;
    uint64_t ip = is64 ? s->r[R_CX] : (uint32_t)s->r[R_CX];
    if (s->cpl || !s->protected || (!s->amd && !x86_is_canonical(ip)))
        raise_gp0(s);
    unsigned selector = s->msrs.star >> 48, cs = selector + (is64 ? 16 : 0);
    struct kvm_segment stack = s->seg[S_SS].k;
    flags_set(s, sysret_flags(s));
    load_flat(s, cs, (selector + 8) | 3, 3, is64);
    sysret_stack(s, stack, selector + 8);
    flags_changed(s);
    trap_by_new_flags(s);
    return leave(s, op, ip);
}

/* --- GS and FS --- */

const struct op *swapgs(struct soft *s, const struct op *op) {
    struct segment *gs = &s->seg[S_GS];
    if (!code64(s))
        raise_plain(s, VECTOR_UD);
    if (s->cpl)
        raise_gp0(s);
    uint64_t base = gs->k.base;
    gs->k.base = s->msrs.kernel_gs_base;
    s->msrs.kernel_gs_base = base;
    segment_refresh(s, gs);
    return op + 1;
}

/* RDFSBASE, RDGSBASE, WRFSBASE and WRGSBASE: bit 0 of the reg field says which register, bit
 * 1 that it is written. */
const struct op *fsgsbase(struct soft *s, const struct op *op) {
    struct segment *g = &s->seg[op->reg & 1 ? S_GS : S_FS];
    if (!code64(s) || !(s->cr4 & CR4_FSGSBASE))
        raise_plain(s, VECTOR_UD);
    if (!(op->reg & 2)) {
        set_reg(s, op->rm, op->size, g->k.base);
        return op + 1;
    }
    uint64_t base = get_reg(s, op->rm, op->size);
    if (!x86_is_canonical(base))
        raise_gp0(s);
    g->k.base = base;
    segment_refresh(s, g);
    return op + 1;
}
