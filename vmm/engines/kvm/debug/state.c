/* All of a vCPU's state in and out: what a debugger shows and a change of engine carries
 * over. The parts that are more than one ioctl are made here.
 */
#include "vmm/engines/kvm/debug/debug.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/x86/fpu.h"
#include "vmm/x86/msr.h"

/* In this order; a KVM takes and gives them up to the first that it does not have. */
static const struct {
    uint32_t index, count;
    size_t offset; /* in struct cpu_msrs */
} msrs[] = {
    {MSR_TSC, 1, offsetof(struct cpu_msrs, tsc)},
    {MSR_SYSENTER_CS, 1, offsetof(struct cpu_msrs, sysenter_cs)},
    {MSR_SYSENTER_ESP, 1, offsetof(struct cpu_msrs, sysenter_esp)},
    {MSR_SYSENTER_EIP, 1, offsetof(struct cpu_msrs, sysenter_eip)},
    {MSR_PAT, 1, offsetof(struct cpu_msrs, pat)},
    {MSR_MTRR_DEF_TYPE, 1, offsetof(struct cpu_msrs, mtrr_def_type)},
    {MSR_MTRR_PHYS, 16, offsetof(struct cpu_msrs, mtrr_phys)},
    {MSR_MTRR_FIX_64K, 1, offsetof(struct cpu_msrs, mtrr_fix)},
    {MSR_MTRR_FIX_16K, 2, offsetof(struct cpu_msrs, mtrr_fix[1])},
    {MSR_MTRR_FIX_4K, 8, offsetof(struct cpu_msrs, mtrr_fix[3])},
    {MSR_STAR, 1, offsetof(struct cpu_msrs, star)},
    {MSR_LSTAR, 1, offsetof(struct cpu_msrs, lstar)},
    {MSR_CSTAR, 1, offsetof(struct cpu_msrs, cstar)},
    {MSR_FMASK, 1, offsetof(struct cpu_msrs, fmask)},
    {MSR_KERNEL_GS_BASE, 1, offsetof(struct cpu_msrs, kernel_gs_base)},
    {MSR_MISC_ENABLE, 1, offsetof(struct cpu_msrs, misc_enable)},
    {MSR_TSC_AUX, 1, offsetof(struct cpu_msrs, tsc_aux)},
};
enum { MSR_ROWS = sizeof msrs / sizeof *msrs, MSRS = sizeof(struct cpu_msrs) / sizeof(uint64_t) };

/* struct kvm_msrs with its entries: C has no member behind a flexible array. */
struct msr_list {
    uint32_t count, unused;
    struct kvm_msr_entry entry[MSRS];
};
_Static_assert(offsetof(struct msr_list, entry) == sizeof(struct kvm_msrs), "as KVM has it");

/* With the numbers, and the values that are in `m`. */
static struct msr_list msr_list(const struct cpu_msrs *m) {
    struct msr_list list = {0};
    for (unsigned row = 0; row < MSR_ROWS; row++) {
        const uint64_t *from = (const uint64_t *)((const char *)m + msrs[row].offset);
        for (unsigned n = 0; n < msrs[row].count; n++)
            list.entry[list.count++] =
                (struct kvm_msr_entry){.index = msrs[row].index + n, .data = from[n]};
    }
    return list;
}

static void take_msrs(struct cpu_msrs *m, const struct msr_list *list) {
    unsigned at = 0;
    for (unsigned row = 0; row < MSR_ROWS; row++)
        for (unsigned n = 0; n < msrs[row].count; n++)
            ((uint64_t *)((char *)m + msrs[row].offset))[n] = list->entry[at++].data;
}

/* What KVM does not give is as after a reset. */
static int get_msrs(int fd, struct cpu_msrs *m) {
    *m = (struct cpu_msrs){.pat = PAT_RESET, .misc_enable = MISC_ENABLE_RESET};
    struct msr_list list = msr_list(m);
    if (ioctl(fd, KVM_GET_MSRS, &list) < 0)
        return -errno;
    take_msrs(m, &list);
    return 0;
}

static int set_msrs(int fd, const struct cpu_msrs *m) {
    struct msr_list list = msr_list(m);
    return ioctl(fd, KVM_SET_MSRS, &list) < 0 ? -errno : 0;
}

/* --- the FPU: its XSAVE area and XCR0 ---
 *
 * KVM_GET_FPU and KVM_SET_FPU leave MXCSR out; and what KVM_SET_FPU gives a CPU that has used no
 * FPU yet is lost, because the area says still that those registers are as at the start
 * (kvm-quirks 19). */

/* A host without XSAVE has no XCR0, and no instruction of its guest asks for one. */
static uint64_t get_xcr0(const struct kvm_vcpu *v) {
    struct kvm_xcrs all;
    uint64_t value = XSTATE_X87;
    if (ioctl(v->fd, KVM_GET_XCRS, &all) < 0)
        return value;
    for (unsigned n = 0; n < all.nr_xcrs && n < KVM_MAX_XCRS; n++)
        value = all.xcrs[n].xcr == 0 ? all.xcrs[n].value : value;
    return value;
}

static int set_xcr0(const struct kvm_vcpu *v, uint64_t value) {
    struct kvm_xcrs all = {.nr_xcrs = 1, .xcrs[0].value = value};
    if (get_xcr0(v) == value)
        return 0;
    return ioctl(v->fd, KVM_SET_XCRS, &all) < 0 ? -errno : 0;
}

static int get_fpu(const struct kvm_vcpu *v, struct cpu_state *s) {
    if (ioctl(v->fd, KVM_GET_XSAVE, s->xsave) < 0)
        return -errno;
    s->xcr0 = get_xcr0(v);
    return 0;
}

static int set_fpu(const struct kvm_vcpu *v, struct cpu_state *s) {
    xsave_of(s)->present |= XSTATE_X87 | XSTATE_SSE;
    int err = set_xcr0(v, s->xcr0);
    return ioctl(v->fd, KVM_SET_XSAVE, s->xsave) < 0 ? -errno : err;
}

static int get_mp(struct kvm_vcpu *v, struct kvm_mp_state *mp) {
    if (v->irqchip && ioctl(v->fd, KVM_GET_MP_STATE, mp) < 0)
        return -errno;
    if (!v->irqchip)
        mp->mp_state = KVM_MP_STATE_RUNNABLE;
    if (v->halted)
        mp->mp_state = KVM_MP_STATE_HALTED;
    return 0;
}

static int set_mp(struct kvm_vcpu *v, struct kvm_mp_state *mp) {
    v->halted = !v->irqchip && mp->mp_state == KVM_MP_STATE_HALTED;
    return v->irqchip && ioctl(v->fd, KVM_SET_MP_STATE, mp) < 0 ? -errno : 0;
}

void debug_show_guest_tf(const struct debugged_vcpu *d, struct kvm_regs *regs) {
    if (d->stepping)
        regs->rflags = (regs->rflags & ~(uint64_t)FLAG_TF) | (d->guest_tf ? FLAG_TF : 0);
}

static void count_ioctls(struct cpu *cpu, unsigned parts) {
    unsigned plain = CPU_REGS | CPU_SREGS | CPU_DEBUGREGS | CPU_EVENTS | CPU_FPU;
    debugged_of(cpu)->counters.state_ioctls += __builtin_popcount(parts & plain);
}

/* With what state_fetch() takes as it is. */
int debug_fetch(struct cpu *cpu, unsigned parts) {
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    count_ioctls(cpu, parts);
    state_fetch(cpu, parts);
    if (parts & CPU_REGS)
        debug_show_guest_tf(debugged_of(cpu), &cpu->state.regs);
    if (parts & CPU_FPU && get_fpu(v, &cpu->state) == 0)
        cpu->valid |= CPU_FPU;
    if (parts & CPU_MSRS && get_msrs(v->fd, &cpu->state.msrs) == 0)
        cpu->valid |= CPU_MSRS;
    if (parts & CPU_MP && get_mp(v, &cpu->state.mp) == 0)
        cpu->valid |= CPU_MP;
    cpu_miss(cpu, parts & ~cpu->valid);
    return parts & ~cpu->valid ? -EIO : 0;
}

/* Only what KVM_SET_VCPU_EVENTS may take back everywhere: older kernels refuse
 * flags that they do not know. A #DB that is due, DR6 to come with it, is then one whose
 * delivery has begun. */
static void trim_events(struct kvm_vcpu_events *e, struct kvm_debugregs *debugregs) {
    if (e->exception.pending && e->exception_has_payload) {
        debugregs->dr6 |= e->exception_payload;
        e->exception.pending = e->exception_has_payload = 0;
        e->exception.injected = 1;
    }
    e->flags &= KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW;
    e->flags |= KVM_VCPUEVENT_VALID_SHADOW;
}

static void stays_dirty(struct cpu *cpu, unsigned part, int *err) {
    *err = -errno;
    cpu->dirty |= part;
}

/* What was not taken stays dirty. */
int debug_store(struct cpu *cpu, unsigned parts) {
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    if (parts & CPU_EVENTS)
        trim_events(&cpu->state.events, &cpu->state.debugregs);
    cpu->dirty &= ~parts;
    count_ioctls(cpu, parts);
    int err = state_store(cpu, parts);
    if (parts & CPU_FPU && set_fpu(v, &cpu->state) < 0)
        stays_dirty(cpu, CPU_FPU, &err);
    if (parts & CPU_MSRS && set_msrs(v->fd, &cpu->state.msrs) < 0)
        stays_dirty(cpu, CPU_MSRS, &err);
    if (parts & CPU_MP && set_mp(v, &cpu->state.mp) < 0)
        stays_dirty(cpu, CPU_MP, &err);
    return err;
}
