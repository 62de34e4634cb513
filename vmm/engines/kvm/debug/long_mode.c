/* Long mode on a KVM that gets it wrong without a word (kvm-quirks 18).
 *
 * Such a KVM enters long mode, and then a system call stays in ring 3, an INT n there is
 * another vector, and an FPU instruction in ring 0 cannot be run. So where another engine may
 * go on, the guest's WRMSR that sets EFER.LME is looked at before it is done: KVM is asked for
 * an exit by a filter of MSRs (KVM api.rst, KVM_X86_SET_MSR_FILTER).
 *
 * Rule: what KVM does is measured when the first guest comes to long mode, and not before: it
 * takes a VM of its own.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/engines/kvm/debug/debug.h"
#include "vmm/memory/memory.h"
#include "vmm/x86/descriptor.h"
#include "vmm/x86/msr.h"

/* --- measuring ------------------------------------------------------------------------ */

/* The scratch machine: one page for each table, and the code. */
enum {
    CODE = 0x1000,
    HANDLER = 0x1100,
    PML4 = 0x2000,
    PDPT = 0x3000,
    PD = 0x4000,
    GDT = 0x5000,
    IDT = 0x6000,
    TSS = 0x7000,
    STACK = 0x9000,
    VECTOR = 0x30,
    KERNEL_CODE = 0x08,
    KERNEL_DATA = 0x10,
    USER_DATA = 0x1b,
    USER_CODE = 0x23,
    TASK = 0x28,
};

static void put64(struct memory *m, uint64_t at, uint64_t value) {
    memory_write(m, at, &value, sizeof value);
}

static void build_tables(struct memory *m) {
    enum { P_W_U = 7, LARGE = 0x80, GATE_OF_RING3 = 0xee, TSS_LIMIT = 0x67 };
    const uint64_t gdt[] = {0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cff3000000ffff,
                            0x00affb000000ffff};
    put64(m, PML4, PDPT | P_W_U);
    put64(m, PDPT, PD | P_W_U);
    put64(m, PD, P_W_U | LARGE);
    memory_write(m, GDT, gdt, sizeof gdt);
    put64(m, IDT + VECTOR * 16,
          HANDLER | (uint64_t)KERNEL_CODE << 16 | (uint64_t)GATE_OF_RING3 << 40);
    put64(m, TSS + 4, STACK);            /* RSP0 */
    memory_write(m, HANDLER, "\xf4", 1); /* hlt: a fault in ring 3 */
}

static void start_in_long_mode(struct cpu *cpu, bool user) {
    struct cpu_state *s = cpu_write(cpu, CPU_REGS | CPU_SREGS);
    struct kvm_sregs *r = &s->sregs;
    r->cr0 |= CR0_PE | CR0_PG | CR0_NE | CR0_MP;
    r->cr3 = PML4;
    r->cr4 |= CR4_PAE | CR4_OSFXSR;
    r->efer |= EFER_LME | EFER_LMA | EFER_SCE;
    r->cs = user ? x86_descriptor(USER_CODE, 0x00affb000000ffff)
                 : x86_descriptor(KERNEL_CODE, 0x00af9b000000ffff);
    r->ds = r->es = r->ss = user ? x86_descriptor(USER_DATA, 0x00cff3000000ffff)
                                 : x86_descriptor(KERNEL_DATA, 0x00cf93000000ffff);
    r->tr = (struct kvm_segment){
        .base = TSS, .limit = 0x67, .selector = TASK, .type = 11, .present = 1};
    r->gdt = (struct kvm_dtable){.base = GDT, .limit = 0x27};
    r->idt = (struct kvm_dtable){.base = IDT, .limit = VECTOR * 16 + 15};
    s->regs = (struct kvm_regs){.rip = CODE, .rsp = STACK, .rflags = 2};
}

/* Does this code come to the HLT at `end`, which is in ring 0? */
static bool halts_at(struct cpu *cpu, bool user, const char *code, size_t length, uint64_t end) {
    struct kvm_guest_debug none = {0};
    memory_write(cpu->memory, CODE, code, length);
    start_in_long_mode(cpu, user);
    int reason = probe_enter(cpu, &none);
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    return reason == KVM_EXIT_HLT && s->regs.rip == end + 1 && s->sregs.ss.dpl == 0;
}

static bool syscall_msrs(struct cpu *cpu) {
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entry[2];
    } list = {.head.nmsrs = 2,
              .entry = {{.index = MSR_STAR, .data = (uint64_t)KERNEL_CODE << 32},
                        {.index = MSR_LSTAR, .data = HANDLER}}};
    return ioctl(kvm_vcpu_of(cpu)->fd, KVM_SET_MSRS, &list) == 2;
}

static bool right;

static void measure(struct cpu *cpu) {
    static const char call[] = "\x0f\x05", interrupt[] = "\xcd\x30";
    static const char fpu[] = "\xd9\xe8\x0f\x58\xc0\xf4"; /* fld1; addps %xmm0,%xmm0; hlt */
    build_tables(cpu->memory);
    right = syscall_msrs(cpu) && halts_at(cpu, true, call, 2, HANDLER) &&
            halts_at(cpu, true, interrupt, 2, HANDLER) && halts_at(cpu, false, fpu, 6, CODE + 5);
}

static void measure_once(void) { probe_in_scratch_vm(measure); }

bool long_mode_is_right(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, measure_once);
    return right;
}

/* --- the guest comes to it ------------------------------------------------------------ */

static int filter_efer(struct kvm_vcpu *v, bool on) {
    uint8_t denied = 0; /* a bit for each MSR that KVM may write by itself: none */
    struct kvm_msr_filter filter = {.flags = KVM_MSR_FILTER_DEFAULT_ALLOW};
    if (on)
        filter.ranges[0] = (struct kvm_msr_filter_range){
            .flags = KVM_MSR_FILTER_WRITE, .nmsrs = 1, .base = MSR_EFER, .bitmap = &denied};
    return ioctl(v->vm, KVM_X86_SET_MSR_FILTER, &filter);
}

/* A KVM that has no filters (before Linux 5.10) is believed. */
void long_mode_guard(struct kvm_vcpu *v) {
    struct kvm_enable_cap exits = {.cap = KVM_CAP_X86_USER_SPACE_MSR,
                                   .args = {KVM_MSR_EXIT_REASON_FILTER}};
    if (ioctl(v->vm, KVM_ENABLE_CAP, &exits) == 0)
        filter_efer(v, true);
}

static bool refuse_long_mode(struct cpu_exit *exit) {
    return exits_report(exit, CPU_EXIT_CANNOT, "%s", LONG_MODE_WRONG);
}

/* What KVM would have done. The next entry ends the instruction: with #GP, if KVM does not
 * take the value. */
static void write_efer(struct cpu *cpu, uint64_t value) {
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    struct kvm_sregs s = cpu_read(cpu, CPU_SREGS)->sregs;
    s.efer = (s.efer & EFER_LMA) | (value & ~(uint64_t)EFER_LMA);
    v->run->msr.error = ioctl(v->fd, KVM_SET_SREGS, &s) < 0;
    cpu->valid &= ~(unsigned)CPU_SREGS;
}

bool long_mode_at_wrmsr(struct cpu *cpu, struct cpu_exit *exit) {
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    uint64_t value = v->run->msr.data;
    if (value & EFER_LME && !long_mode_is_right())
        return refuse_long_mode(exit);
    if (value & EFER_LME)
        filter_efer(v, false);
    write_efer(cpu, value);
    return false;
}

bool long_mode_refuses(struct cpu *cpu, struct cpu_exit *exit) {
    struct debugged_vcpu *d = debugged_of(cpu);
    if (!d->guards_long_mode || d->long_mode_seen)
        return false;
    d->long_mode_seen = cpu_read(cpu, CPU_SREGS)->sregs.efer & EFER_LMA;
    return d->long_mode_seen && !long_mode_is_right() && refuse_long_mode(exit);
}
