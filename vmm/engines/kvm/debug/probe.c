/* What this KVM can do, measured in a scratch VM: one page of code, five
 * questions, about a millisecond, once per process.
 *
 * Rule: a trait is what was seen to happen, never what a version or a name
 * promises.
 */
#include "vmm/engines/kvm/debug/debug.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "vmm/base/monotonic.h"
#include "vmm/memory/layout.h"
#include "vmm/memory/memory.h"
#include "vmm/x86/descriptor.h"

/* The program, at 0x1000 in real mode. A breakpoint at `store`, a watchpoint on
 * the byte at 0x600, and a vector 3 that halts elsewhere if int3 does not trap. */
enum { CODE = 0x1000, STORE = 0x1001, AFTER_STORE = 0x1004, HANDLER = 0x1010, DATA = 0x600 };
static const uint8_t program[] = {
    0x90,             /* 1000: nop */
    0xa2, 0x00, 0x06, /* 1001: mov %al,0x600 */
    0xcc,             /* 1004: int3 */
    0xf4,             /* 1005: hlt */
};

static enum io_result probe_no_device(void *machine, uint16_t port, bool out, unsigned size,
                                      void *data) {
    (void)machine, (void)port, (void)out, (void)size, (void)data;
    return IO_DONE;
}

/* A signal, which may be a debugger's or SIGCONT, is no answer. */
int probe_enter(struct cpu *cpu, const struct kvm_guest_debug *debug) {
    int reason;
    do
        reason = debug_enter(cpu, debug);
    while (reason == -EINTR);
    return reason;
}

static void start_at(struct cpu *cpu, uint64_t ip) {
    struct cpu_state *s = cpu_write(cpu, CPU_REGS | CPU_SREGS);
    s->sregs.cs = x86_real_segment(0, true);
    s->sregs.ds = s->sregs.es = s->sregs.ss = x86_real_segment(0, false);
    s->sregs.idt.base = 0;
    s->sregs.idt.limit = 0x3ff;
    s->regs = (struct kvm_regs){.rip = ip, .rsp = 0x800, .rflags = 2};
}

/* Run from `ip` with one debug register and these controls; was it a DEBUG exit
 * at `expected`? */
static bool debug_stops_at(struct cpu *cpu, uint64_t ip, unsigned control, uint64_t dr0,
                           uint64_t dr7, uint64_t expected) {
    struct kvm_guest_debug debug = {.control = KVM_GUESTDBG_ENABLE | control};
    debug.arch.debugreg[0] = dr0;
    debug.arch.debugreg[7] = dr7;
    start_at(cpu, ip);
    int reason = probe_enter(cpu, &debug);
    return reason == KVM_EXIT_DEBUG && cpu_read(cpu, CPU_REGS)->regs.rip == expected;
}

static bool has_paging32(struct cpu *cpu) {
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    struct kvm_sregs s = cpu_read(cpu, CPU_SREGS)->sregs, back;
    s.cs = x86_descriptor(8, 0x00cf9b000000ffffull);
    s.ds = s.es = s.ss = s.fs = s.gs = x86_descriptor(16, 0x00cf93000000ffffull);
    s.cr0 |= CR0_PE | CR0_PG;
    s.cr4 |= CR4_PSE;
    s.cr3 = 0;
    return ioctl(v->fd, KVM_SET_SREGS, &s) == 0 && ioctl(v->fd, KVM_GET_SREGS, &back) == 0 &&
           back.cr0 & CR0_PG;
}

/* Only a KVM that runs guests on the processor undoes every kind of store (one
 * that interprets them does not, for some); paging32 tells which it is. */
static bool has_protect(struct cpu *cpu) {
    struct kvm_guest_debug none = {0};
    start_at(cpu, STORE);
    mprotect(cpu->memory->ram, PAGE_SIZE, PROT_READ);
    int reason = probe_enter(cpu, &none);
    mprotect(cpu->memory->ram, PAGE_SIZE, PROT_READ | PROT_WRITE);
    return reason == -EFAULT && cpu_read(cpu, CPU_REGS)->regs.rip == STORE;
}

static struct kvm_traits traits;

static void measure_traits(struct cpu *cpu) {
    struct kvm_traits *t = &traits;
    memory_write(cpu->memory, CODE, program, sizeof program);
    const uint16_t vector3[2] = {HANDLER, 0};
    memory_write(cpu->memory, 3 * 4, vector3, sizeof vector3);
    memory_write(cpu->memory, HANDLER, "\xf4", 1);
    t->exec_bp = debug_stops_at(cpu, CODE, KVM_GUESTDBG_USE_HW_BP, STORE, 0x402, STORE);
    t->data_bp = debug_stops_at(cpu, STORE, KVM_GUESTDBG_USE_HW_BP, DATA, 0x10402, AFTER_STORE);
    t->int3 = debug_stops_at(cpu, AFTER_STORE, KVM_GUESTDBG_USE_SW_BP, 0, 0x400, AFTER_STORE);
    int debug2 = ioctl(kvm_vcpu_of(cpu)->vm, KVM_CHECK_EXTENSION, KVM_CAP_SET_GUEST_DEBUG2);
    t->block_irq = debug2 > 0 && debug2 & KVM_GUESTDBG_BLOCKIRQ;
    t->protect = has_protect(cpu);
    t->paging32 = has_paging32(cpu); /* last: it may leave the vCPU unfit to run */
    t->protect &= t->paging32;
}

/* A CPU of its own, which is no engine's: it is only entered. */
void probe_in_scratch_vm(void (*by)(struct cpu *)) {
    static const struct cpu_ops ops = {.fetch = debug_fetch, .store = debug_store};
    struct memory memory;
    struct breakpoints none = {0};
    struct debugged_vcpu d = {0};
    struct cpu cpu = {
        .ops = &ops, .memory = &memory, .breakpoints = &none, .host.io = probe_no_device};
    int device = memory_open(&memory, 64 << 10) < 0 ? -1 : vcpu_open_device();
    if (device >= 0 && vcpu_open(&cpu, &d.vcpu, device, false) == 0) {
        by(&cpu);
        vcpu_close(&d.vcpu);
    }
    memory_close(&memory);
}

static void measure_traits_once(void) { probe_in_scratch_vm(measure_traits); }

const struct kvm_traits *probe_traits(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, measure_traits_once);
    return &traits;
}

/* --- how quick it is ------------------------------------------------------------------ */

enum { TURNS = 2000 };
static bool interprets;

/* The same loop as the guest's, by the processor. */
static uint64_t time_here(void) {
    uint64_t begin = monotonic_ns();
    for (unsigned n = TURNS; n; n--)
        __asm__ volatile("" : "+r"(n));
    return monotonic_ns() - begin;
}

/* In flat protected mode: dec %ecx; jnz to it; hlt. */
static uint64_t time_guest(struct cpu *cpu) {
    static const uint8_t loop[] = {0x49, 0x75, 0xfd, 0xf4};
    struct kvm_guest_debug none = {0};
    struct cpu_state *s = cpu_write(cpu, CPU_REGS | CPU_SREGS);
    memory_write(cpu->memory, CODE, loop, sizeof loop);
    s->sregs.cr0 |= CR0_PE;
    s->sregs.cs = x86_descriptor(8, 0x00cf9b000000ffffull);
    s->sregs.ds = s->sregs.es = s->sregs.ss = x86_descriptor(16, 0x00cf93000000ffffull);
    s->regs = (struct kvm_regs){.rip = CODE, .rsp = 0x800, .rcx = TURNS, .rflags = 2};
    uint64_t begin = monotonic_ns();
    int reason = probe_enter(cpu, &none);
    return reason == KVM_EXIT_HLT ? monotonic_ns() - begin : 0;
}

/* Whoever is interrupted while it is measured looks slow: the quicker of some counts. An
 * entry may take a fifth of a millisecond, in a VM within a VM. */
static void measure_speed(struct cpu *cpu) {
    enum { TRIES = 3, TIMES_SLOWER = 50, ENTRY_NS = 200000 };
    uint64_t here = UINT64_MAX, guest = UINT64_MAX;
    for (unsigned i = 0; i < TRIES; i++) {
        uint64_t h = time_here(), g = time_guest(cpu);
        here = h < here ? h : here;
        guest = g < guest ? g : guest;
    }
    interprets = guest > TIMES_SLOWER * here + ENTRY_NS;
}

static void measure_speed_once(void) { probe_in_scratch_vm(measure_speed); }

bool probe_interprets(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, measure_speed_once);
    return interprets;
}
