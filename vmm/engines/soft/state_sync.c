/* The passage of state between cpu->state, in KVM's structs, and struct soft.
 *
 * Rule: what we do not use (the APIC base) is kept and given
 * back as it came, so that a hand-over to us and back loses nothing.
 */
#include <string.h>

#include "vmm/engines/soft/flags.h"
#include "vmm/engines/soft/handlers.h"
#include "vmm/engines/soft/x87.h"
#include "vmm/x86/mode.h"
#include "vmm/x86/msr.h"

/* --- general registers: KVM's order is not that of the encoding --- */

static void fetch_regs(struct soft *s, struct kvm_regs *out) {
    const uint64_t *r = s->r;
    *out = (struct kvm_regs){
        .rax = r[R_AX], .rcx = r[R_CX], .rdx = r[R_DX], .rbx = r[R_BX],
        .rsp = r[R_SP], .rbp = r[R_BP], .rsi = r[R_SI], .rdi = r[R_DI],
        .r8 = r[R_8],       .r9 = r[R_8 + 1],   .r10 = r[R_8 + 2],  .r11 = r[R_8 + 3],
        .r12 = r[R_8 + 4],  .r13 = r[R_8 + 5],  .r14 = r[R_8 + 6],  .r15 = r[R_8 + 7],
        .rip = here(s),     .rflags = flags_get(s),
    };
}

static void store_regs(struct soft *s, const struct kvm_regs *in) {
    const uint64_t r[R_COUNT] = {in->rax, in->rcx, in->rdx, in->rbx, in->rsp,
                                 in->rbp, in->rsi, in->rdi, in->r8,  in->r9,
                                 in->r10, in->r11, in->r12, in->r13, in->r14,
                                 in->r15, 0};
    memcpy(s->r, r, sizeof r);
    s->ip = in->rip;
    flags_set(s, (uint32_t)in->rflags);
}

/* --- segments and control registers --- */

static struct kvm_segment *segment_in(struct kvm_sregs *r, unsigned n) {
    struct kvm_segment *const all[S_COUNT] = {&r->es, &r->cs, &r->ss,  &r->ds,
                                              &r->fs, &r->gs, &r->ldt, &r->tr};
    return all[n];
}

/* KVM, and gdb's view of the CPL, read it from SS. */
static void fetch_sregs(struct soft *s, struct kvm_sregs *out) {
    *out = s->sregs;
    for (unsigned n = 0; n < S_COUNT; n++)
        *segment_in(out, n) = s->seg[n].k;
    out->ss.dpl = (uint8_t)s->cpl;
    out->gdt = s->gdt;
    out->idt = s->idt;
    out->cr0 = s->cr0;
    out->cr2 = s->cr2;
    out->cr3 = s->cr3;
    out->cr4 = s->cr4;
    out->efer = s->efer;
    memset(out->interrupt_bitmap, 0, sizeof out->interrupt_bitmap);
}

static unsigned cpl_of(const struct soft *s) {
    if (!(s->cr0 & CR0_PE))
        return 0;
    return vm86(s) ? 3 : s->seg[S_SS].k.dpl & 3u;
}

/* The TLB goes if what it was made from did: anything else that looks at memory
 * while we are stopped must not change what the guest sees. */
static void store_sregs(struct soft *s, struct kvm_sregs *in) {
    bool flush = s->cr0 != in->cr0 || s->cr3 != in->cr3 || s->cr4 != in->cr4 ||
                 s->efer != in->efer;
    s->sregs = *in;
    for (unsigned n = 0; n < S_COUNT; n++)
        s->seg[n].k = *segment_in(in, n);
    s->gdt = in->gdt;
    s->idt = in->idt;
    s->cr0 = in->cr0 | CR0_ET;
    s->cr2 = in->cr2;
    s->cr3 = in->cr3;
    s->cr4 = in->cr4;
    s->efer = in->efer;
    if (flush) {
        tlb_flush(s, true);
        s->long_mode = s->efer & EFER_LMA;
        pdptes_load(s, s->cr3);
    }
}

/* After a change of registers: everything that is derived from them. */
static void renew(struct soft *s) {
    s->cpl = cpl_of(s);
    new_epoch(s);
    mode_changed(s);
    if (!s->long_mode)
        s->ip = (uint32_t)s->ip;
    segments_refresh(s);
    blocks_changed(s);
}

/* --- debug registers and events --- */

static void fetch_debugregs(struct soft *s, struct kvm_debugregs *out) {
    *out = s->debugregs;
    memcpy(out->db, s->dr, sizeof out->db);
    out->dr6 = s->dr[6];
    out->dr7 = s->dr[7];
}

static void store_debugregs(struct soft *s, const struct kvm_debugregs *in) {
    bool same = s->dr[7] == in->dr7 && !memcmp(s->dr, in->db, sizeof in->db);
    s->debugregs = *in;
    memcpy(s->dr, in->db, sizeof in->db);
    s->dr[6] = in->dr6;
    s->dr[7] = in->dr7;
    if (!same) /* else decoded code may stay */
        dr7_changed(s);
}

void events_add_traps(const struct soft *s, struct kvm_vcpu_events *e) {
    if (!s->db_trap)
        return;
    e->exception.pending = e->exception_has_payload = 1;
    e->exception.nr = VECTOR_DB;
    e->exception.has_error_code = 0;
    e->exception_payload = s->db_trap;
}

static void fetch_events(struct soft *s, struct kvm_vcpu_events *out) {
    *out = s->events;
    events_add_traps(s, out);
    out->interrupt.shadow = (uint8_t)((s->shadow_ss ? KVM_X86_SHADOW_INT_MOV_SS : 0) |
                                      (s->shadow_sti ? KVM_X86_SHADOW_INT_STI : 0));
    out->flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW;
    if (out->exception_has_payload)
        out->flags |= KVM_VCPUEVENT_VALID_PAYLOAD;
}

void events_drop_exception(struct kvm_vcpu_events *e) {
    memset(&e->exception, 0, sizeof e->exception);
    e->exception_has_payload = 0;
    e->exception_payload = 0;
}

/* Unused bytes are zero, so equal states are equal bytes. */
static void store_events(struct soft *s, const struct kvm_vcpu_events *in) {
    struct kvm_vcpu_events *e = &s->events;
    *e = *in;
    s->db_trap = 0; /* among the events, until the CPU runs */
    if (!e->exception.injected && !e->exception.pending)
        events_drop_exception(e);
    e->exception_has_payload &= e->exception.pending;
    if (!e->exception_has_payload)
        e->exception_payload = 0;
    s->shadow_ss = in->interrupt.shadow & KVM_X86_SHADOW_INT_MOV_SS;
    s->shadow_sti = in->interrupt.shadow & KVM_X86_SHADOW_INT_STI;
}

/* --- x87, MMX, SSE: x87.h --- */

/* Components that only KVM has are kept as they came, and stay present as they were. */
static void fetch_fpu(struct soft *s, struct cpu_state *out) {
    struct xsave_area *to = xsave_of(out);
    fpu_away(s);
    *to = s->xsave;
    to->present |= XSTATE_X87 | XSTATE_SSE;
    out->xcr0 = s->xcr0;
}

static void store_fpu(struct soft *s, const struct cpu_state *in) {
    fpu_away(s);
    s->ferr = true; /* who knows */
    s->xsave = *xsave_in(in);
    s->xcr0 = in->xcr0;
    xsave_components(s);
    fpu_drop_reserved(&s->fpu);
}

/* --- all of it --- */

int soft_fetch(struct cpu *cpu, unsigned parts) {
    struct soft *s = cpu->priv;
    struct cpu_state *out = &cpu->state;
    if (parts & CPU_REGS)
        fetch_regs(s, &out->regs);
    if (parts & CPU_SREGS)
        fetch_sregs(s, &out->sregs);
    if (parts & CPU_DEBUGREGS)
        fetch_debugregs(s, &out->debugregs);
    if (parts & CPU_EVENTS)
        fetch_events(s, &out->events);
    if (parts & CPU_FPU)
        fetch_fpu(s, out);
    if (parts & CPU_MSRS) {
        out->msrs = s->msrs;
        out->msrs.tsc += cpu->ticks;
    }
    if (parts & CPU_MP)
        out->mp.mp_state = s->halted ? KVM_MP_STATE_HALTED : KVM_MP_STATE_RUNNABLE;
    cpu->valid |= parts;
    return 0;
}

int soft_store(struct cpu *cpu, unsigned parts) {
    struct soft *s = cpu->priv;
    struct cpu_state *in = &cpu->state;
    if (parts & CPU_REGS)
        store_regs(s, &in->regs);
    if (parts & CPU_SREGS)
        store_sregs(s, &in->sregs);
    if (parts & (CPU_REGS | CPU_SREGS))
        renew(s);
    if (parts & CPU_DEBUGREGS)
        store_debugregs(s, &in->debugregs);
    if (parts & CPU_EVENTS)
        store_events(s, &in->events);
    if (parts & CPU_FPU)
        store_fpu(s, in);
    if (parts & CPU_MSRS) {
        s->msrs = in->msrs;
        s->msrs.tsc -= cpu->ticks;
    }
    if (parts & CPU_MP)
        s->halted = in->mp.mp_state == KVM_MP_STATE_HALTED;
    return 0;
}

/* Table 9-1. */
void soft_reset(struct soft *s) {
    for (unsigned n = 0; n < S_COUNT; n++)
        s->seg[n].k = x86_real_segment(0, n == S_CS);
    s->seg[S_CS].k.selector = 0xF000;
    s->seg[S_CS].k.base = 0xFFFF0000;
    s->seg[S_LDT].k.type = 2;
    s->seg[S_TR].k.type = 11;
    s->seg[S_LDT].k.s = s->seg[S_TR].k.s = 0;
    s->gdt.limit = s->idt.limit = 0xFFFF;
    s->ip = 0xFFF0;
    s->cr0 = CR0_CD | CR0_NW | CR0_ET;
    s->r[R_DX] = 0x633;
    s->msrs.pat = PAT_RESET;
    s->msrs.misc_enable = MISC_ENABLE_RESET;
    s->fpu = fpu_reset;
    s->xcr0 = XSTATE_X87;
    s->dr[6] = 0xFFFF0FF0;
    s->dr[7] = 0x400;
    flags_set(s, 2);
    tlb_flush(s, true);
    renew(s);
}
