/* The VM, the vCPU, its state in and out, and KVM_RUN.
 *
 * Rule: this is the only file that calls ioctl() on a running machine, so that
 * what a step or an exit costs can be read off here.
 */
#include "vcpu.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define KICK_SIGNAL SIGUSR1

/* --- state ------------------------------------------------------------------ */

enum { MSRS = 4 };
static const uint32_t msr_index[MSRS] = {0x10, 0x174, 0x175, 0x176}; /* TSC, SYSENTER_* */

struct msr_list {
    struct kvm_msrs head;
    struct kvm_msr_entry entry[MSRS];
};

static int get_msrs(int fd, struct cpu_msrs *m) {
    struct msr_list list = {.head.nmsrs = MSRS};
    for (int i = 0; i < MSRS; i++)
        list.entry[i].index = msr_index[i];
    if (ioctl(fd, KVM_GET_MSRS, &list) < 0)
        return -errno;
    *m = (struct cpu_msrs){list.entry[0].data, list.entry[1].data, list.entry[2].data,
                           list.entry[3].data};
    return 0;
}

static int set_msrs(int fd, const struct cpu_msrs *m) {
    const uint64_t value[MSRS] = {m->tsc, m->sysenter_cs, m->sysenter_esp, m->sysenter_eip};
    struct msr_list list = {.head.nmsrs = MSRS};
    for (int i = 0; i < MSRS; i++)
        list.entry[i] = (struct kvm_msr_entry){.index = msr_index[i], .data = value[i]};
    return ioctl(fd, KVM_SET_MSRS, &list) < 0 ? -errno : 0;
}

/* While we step, KVM hides TF; what the guest's own TF is we know ourselves. */
static void show_guest_tf(struct vcpu *v, struct kvm_regs *regs) {
    if (v->armed.control & KVM_GUESTDBG_SINGLESTEP)
        regs->rflags = (regs->rflags & ~(uint64_t)FLAG_TF) | (v->guest_tf ? FLAG_TF : 0);
}

/* KVM_GET_FPU and KVM_SET_FPU leave MXCSR out; it is word 6 of the XSAVE area
 * (volume 1, 13.4). */
enum { XSAVE_MXCSR = 6 };

static int get_mxcsr(struct vcpu *v, struct kvm_fpu *fpu) {
    struct kvm_xsave xsave;
    if (ioctl(v->fd, KVM_GET_XSAVE, &xsave) < 0)
        return -errno;
    fpu->mxcsr = xsave.region[XSAVE_MXCSR];
    return 0;
}

static int set_mxcsr(struct vcpu *v, const struct kvm_fpu *fpu) {
    struct kvm_xsave xsave;
    if (ioctl(v->fd, KVM_GET_XSAVE, &xsave) < 0)
        return -errno;
    xsave.region[XSAVE_MXCSR] = fpu->mxcsr;
    return ioctl(v->fd, KVM_SET_XSAVE, &xsave) < 0 ? -errno : 0;
}

static int get_mp(struct vcpu *v, struct kvm_mp_state *mp) {
    if (v->chips && ioctl(v->fd, KVM_GET_MP_STATE, mp) < 0)
        return -errno;
    if (!v->chips)
        mp->mp_state = KVM_MP_STATE_RUNNABLE;
    if (v->halted)
        mp->mp_state = KVM_MP_STATE_HALTED;
    return 0;
}

static int set_mp(struct vcpu *v, struct kvm_mp_state *mp) {
    v->halted = !v->chips && mp->mp_state == KVM_MP_STATE_HALTED;
    return v->chips && ioctl(v->fd, KVM_SET_MP_STATE, mp) < 0 ? -errno : 0;
}

/* The ioctl that gets or sets a part, and where the part lies. */
static const struct {
    unsigned part;
    unsigned long get, set;
    size_t offset;
} state_ioctls[] = {
    {CPU_REGS, KVM_GET_REGS, KVM_SET_REGS, offsetof(struct cpu_state, regs)},
    {CPU_SREGS, KVM_GET_SREGS, KVM_SET_SREGS, offsetof(struct cpu_state, sregs)},
    {CPU_DEBUGREGS, KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS, offsetof(struct cpu_state, debugregs)},
    {CPU_EVENTS, KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS, offsetof(struct cpu_state, events)},
    {CPU_FPU, KVM_GET_FPU, KVM_SET_FPU, offsetof(struct cpu_state, fpu)},
};

int vcpu_fetch(struct cpu *cpu, unsigned parts) {
    struct vcpu *v = vcpu_of(cpu);
    for (size_t i = 0; i < sizeof state_ioctls / sizeof *state_ioctls; i++) {
        if (!(parts & state_ioctls[i].part))
            continue;
        v->counters.state_ioctls++;
        if (ioctl(v->fd, state_ioctls[i].get, (char *)&cpu->state + state_ioctls[i].offset) == 0)
            cpu->valid |= state_ioctls[i].part;
    }
    if (parts & CPU_REGS)
        show_guest_tf(v, &cpu->state.regs);
    if (parts & CPU_FPU && get_mxcsr(v, &cpu->state.fpu) < 0)
        cpu->valid &= ~(unsigned)CPU_FPU;
    if (parts & CPU_MSRS && get_msrs(v->fd, &cpu->state.msrs) == 0)
        cpu->valid |= CPU_MSRS;
    if (parts & CPU_MP && get_mp(v, &cpu->state.mp) == 0)
        cpu->valid |= CPU_MP;
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

static void not_taken(struct cpu *cpu, unsigned part, int *err) {
    *err = -errno;
    cpu->dirty |= part;
}

/* What was not taken stays dirty. */
int vcpu_store(struct cpu *cpu, unsigned parts) {
    struct vcpu *v = vcpu_of(cpu);
    int err = 0;
    cpu->dirty &= ~parts;
    if (parts & CPU_EVENTS)
        trim_events(&cpu->state.events, &cpu->state.debugregs);
    for (size_t i = 0; i < sizeof state_ioctls / sizeof *state_ioctls; i++) {
        if (!(parts & state_ioctls[i].part))
            continue;
        v->counters.state_ioctls++;
        if (ioctl(v->fd, state_ioctls[i].set, (char *)&cpu->state + state_ioctls[i].offset) < 0)
            not_taken(cpu, state_ioctls[i].part, &err);
    }
    if (parts & CPU_FPU && set_mxcsr(v, &cpu->state.fpu) < 0)
        not_taken(cpu, CPU_FPU, &err);
    if (parts & CPU_MSRS && set_msrs(v->fd, &cpu->state.msrs) < 0)
        not_taken(cpu, CPU_MSRS, &err);
    if (parts & CPU_MP && set_mp(v, &cpu->state.mp) < 0)
        not_taken(cpu, CPU_MP, &err);
    return err;
}

/* --- entering the guest ----------------------------------------------------- */

static void take_synced(struct cpu *cpu) {
    struct vcpu *v = vcpu_of(cpu);
    const struct kvm_sync_regs *s = &v->run->s.regs;
    cpu->valid = cpu->missing = 0;
    if (v->run->kvm_valid_regs & KVM_SYNC_X86_REGS) {
        cpu->state.regs = s->regs;
        show_guest_tf(v, &cpu->state.regs);
        cpu->valid |= CPU_REGS;
    }
    if (v->run->kvm_valid_regs & KVM_SYNC_X86_SREGS) {
        cpu->state.sregs = s->sregs;
        cpu->valid |= CPU_SREGS;
    }
}

static void give_synced(struct cpu *cpu, unsigned parts) {
    struct kvm_run *run = vcpu_of(cpu)->run;
    struct kvm_sync_regs *s = &run->s.regs;
    if (parts & CPU_REGS) {
        s->regs = cpu->state.regs;
        run->kvm_dirty_regs |= KVM_SYNC_X86_REGS;
    }
    if (parts & CPU_SREGS) {
        s->sregs = cpu->state.sregs;
        run->kvm_dirty_regs |= KVM_SYNC_X86_SREGS;
    }
    cpu->dirty &= ~parts;
}

static bool same_debug(const struct kvm_guest_debug *a, const struct kvm_guest_debug *b) {
    return a->control == b->control && !memcmp(&a->arch, &b->arch, sizeof a->arch);
}

/* KVM drops our TF whenever it writes RFLAGS itself at another RIP than the one
 * it was armed at (an emulated instruction, a popf). Without SYNC_REGS the cure
 * is to arm again before every step. With it, TF goes in with the registers, at
 * no cost: one ioctl a step. An exception that we inject would be dropped by
 * that (KVM_SET_REGS clears what is pending), so then the long way is taken. */
static int arm(struct cpu *cpu, const struct kvm_guest_debug *debug) {
    struct vcpu *v = vcpu_of(cpu);
    bool stepping = debug->control & KVM_GUESTDBG_SINGLESTEP;
    if (stepping && !(v->armed.control & KVM_GUESTDBG_SINGLESTEP))
        v->guest_tf = cpu_read(cpu, CPU_REGS)->regs.rflags & FLAG_TF;
    bool fresh = v->inject || !same_debug(debug, &v->armed) || (stepping && !v->sync);
    if (fresh) {
        int err = vcpu_store(cpu, cpu->dirty);
        struct kvm_guest_debug request = *debug;
        request.control |= v->inject;
        v->counters.debug_ioctls++;
        if (err || ioctl(v->fd, KVM_SET_GUEST_DEBUG, &request) < 0)
            return err ? err : -errno;
        v->inject = 0;
        v->armed = *debug;
        if (v->guest_tf) /* KVM has just cleared it along with ours */
            cpu_write(cpu, CPU_REGS);
    } else if (stepping) {
        cpu_write(cpu, CPU_REGS);
    }
    return 0;
}

static int run_ioctl(struct cpu *cpu) {
    struct vcpu *v = vcpu_of(cpu);
    v->counters.runs++;
    if (ioctl(v->fd, KVM_RUN, 0) < 0) {
        int err = -errno;
        v->counters.interrupted += err == -EINTR;
        take_synced(cpu);
        if (cpu->verbose)
            exits_trace(cpu, err);
        return err == -EAGAIN ? -EINTR : err;
    }
    take_synced(cpu);
    if (cpu->verbose)
        exits_trace(cpu, v->run->exit_reason);
    unsigned reason = v->run->exit_reason;
    v->counters.exits[reason < KVM_EXITS_MAX ? reason : 0]++;
    v->io_pending = reason == KVM_EXIT_IO || reason == KVM_EXIT_MMIO;
    return reason;
}

int vcpu_enter(struct cpu *cpu, const struct kvm_guest_debug *debug) {
    struct vcpu *v = vcpu_of(cpu);
    v->before.regs = cpu_read(cpu, CPU_REGS)->regs;
    v->before.sregs.cr0 = 0; /* unknown, unless somebody has asked for them anyway */
    if (debug->control || cpu->valid & CPU_SREGS)
        v->before.sregs = cpu_read(cpu, CPU_SREGS)->sregs;
    v->entry_rip = v->before.regs.rip;
    v->after_step = (v->armed.control | debug->control) & KVM_GUESTDBG_SINGLESTEP;
    int err = arm(cpu, debug);
    if (err)
        return err;
    if (v->sync) {
        v->run->kvm_valid_regs = KVM_SYNC_X86_REGS;
        if (debug->control)
            v->run->kvm_valid_regs |= KVM_SYNC_X86_SREGS;
        give_synced(cpu, cpu->dirty & (CPU_REGS | CPU_SREGS));
        if (v->armed.control & KVM_GUESTDBG_SINGLESTEP)
            v->run->s.regs.regs.rflags |= FLAG_TF;
    }
    if (cpu->dirty && (err = vcpu_store(cpu, cpu->dirty)) < 0)
        return err;
    return run_ioctl(cpu);
}

/* No exit at once, unless for a kick that comes just now: kick() says it first. */
static void clear_immediate_exit(struct vcpu *v) {
    __atomic_store_n(&v->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&v->kicked, __ATOMIC_SEQ_CST))
        __atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
}

int vcpu_complete(struct cpu *cpu) {
    struct vcpu *v = vcpu_of(cpu);
    v->io_pending = false;
    __atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
    int reason = run_ioctl(cpu);
    clear_immediate_exit(v);
    return reason;
}

uint64_t vcpu_pc(struct cpu *cpu) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    return x86_pc(&s->regs, &s->sregs);
}

/* --- kicking ------------------------------------------------------------------
 * A signal alone is lost when it comes just before KVM_RUN; immediate_exit is
 * not (facts, remedy 13). */

static void on_kick(int signal) { (void)signal; }

static void kick(struct cpu *cpu) {
    struct vcpu *v = vcpu_of(cpu);
    __atomic_store_n(&v->kicked, true, __ATOMIC_SEQ_CST);
    __atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&v->inside, __ATOMIC_SEQ_CST))
        pthread_kill(v->thread, KICK_SIGNAL);
}

bool vcpu_take_kick(struct vcpu *v) {
    bool kicked = __atomic_exchange_n(&v->kicked, false, __ATOMIC_SEQ_CST);
    clear_immediate_exit(v);
    return kicked;
}

/* With the chips in the kernel a hlt does not come to us. Ten times a second we
 * look whether the CPU sleeps for ever. */
static void start_watchdog(struct vcpu *v) {
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = KICK_SIGNAL};
    event._sigev_un._tid = syscall(SYS_gettid);
    if (timer_create(CLOCK_MONOTONIC, &event, &v->watchdog) < 0)
        return;
    v->has_watchdog = true;
    struct itimerspec tenth = {{0, 100000000}, {0, 100000000}};
    timer_settime(v->watchdog, 0, &tenth, NULL);
}

static void guarded(struct cpu *cpu, struct cpu_exit *exit,
                    void (*work)(struct cpu *, struct cpu_exit *)) {
    struct vcpu *v = vcpu_of(cpu);
    *exit = (struct cpu_exit){0};
    v->thread = pthread_self();
    __atomic_store_n(&v->inside, true, __ATOMIC_SEQ_CST);
    if (v->chips)
        start_watchdog(v);
    work(cpu, exit);
    if (v->io_pending)
        vcpu_complete(cpu);
    if (v->has_watchdog)
        timer_delete(v->watchdog);
    v->has_watchdog = false;
    __atomic_store_n(&v->inside, false, __ATOMIC_SEQ_CST);
}

static void engine_run(struct cpu *cpu, struct cpu_exit *exit) { guarded(cpu, exit, run_guest); }
static void engine_step(struct cpu *cpu, struct cpu_exit *exit) { guarded(cpu, exit, run_single); }

/* --- chips ------------------------------------------------------------------ */

static void irq_line(struct cpu *cpu, unsigned irq, bool level) {
    struct kvm_irq_level line = {.irq = irq, .level = level};
    if (vcpu_of(cpu)->chips)
        ioctl(vcpu_of(cpu)->vm, KVM_IRQ_LINE, &line);
}

static int get_chips(struct cpu *cpu, struct chips *chips) {
    struct vcpu *v = vcpu_of(cpu);
    if (!v->chips)
        return -ENODEV;
    for (unsigned i = 0; i < 2; i++) {
        struct kvm_irqchip chip = {.chip_id = i};
        if (ioctl(v->vm, KVM_GET_IRQCHIP, &chip) < 0)
            return -errno;
        chips->pic[i] = chip.chip.pic;
    }
    if (v->frozen)
        chips->pit = v->pit;
    else if (ioctl(v->vm, KVM_GET_PIT2, &chips->pit) < 0)
        return -errno;
    return 0;
}

static int set_chips(struct cpu *cpu, const struct chips *chips) {
    struct vcpu *v = vcpu_of(cpu);
    if (!v->chips)
        return -ENODEV;
    for (unsigned i = 0; i < 2; i++) {
        struct kvm_irqchip chip = {.chip_id = i, .chip.pic = chips->pic[i]};
        if (ioctl(v->vm, KVM_SET_IRQCHIP, &chip) < 0)
            return -errno;
    }
    struct kvm_pit_state2 pit = chips->pit;
    if (v->frozen)
        v->pit = pit;
    else if (ioctl(v->vm, KVM_SET_PIT2, &pit) < 0)
        return -errno;
    return 0;
}

/* The PIT's timer runs in host time. To let time stand still its channel 0 is
 * put into mode 5, which never starts by itself, and back afterwards. */
static void freeze(struct cpu *cpu, bool on) {
    struct vcpu *v = vcpu_of(cpu);
    if (!v->chips || v->frozen == on)
        return;
    if (on && ioctl(v->vm, KVM_GET_PIT2, &v->pit) < 0)
        return;
    struct kvm_pit_state2 pit = v->pit;
    if (on)
        pit.channels[0].mode = 5;
    ioctl(v->vm, KVM_SET_PIT2, &pit);
    v->frozen = on;
}

/* --- making one --------------------------------------------------------------- */

static int fail(char *error, size_t size, int err, const char *what, const char *todo) {
    snprintf(error, size, "%s: %s; %s", what, strerror(err), todo);
    return -err;
}

static int open_device(char *error, size_t size) {
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (fd >= 0)
        return fd;
    if (errno == EACCES || errno == EPERM)
        return fail(error, size, errno, "cannot open /dev/kvm",
                    "join the group that owns it (sudo usermod -aG kvm $USER, then log in "
                    "again), or use --cpu=soft");
    return fail(error, size, errno, "cannot open /dev/kvm",
                "load the module (modprobe kvm-intel or kvm-amd; virtualisation must be on in "
                "the firmware), or use --cpu=soft");
}

static int add_slot(int vm, unsigned slot, uint64_t phys, void *host, uint64_t size, bool rom) {
    if (size == 0)
        return 0;
    struct kvm_userspace_memory_region region = {
        .slot = slot,
        .flags = rom ? KVM_MEM_READONLY : 0,
        .guest_phys_addr = phys,
        .memory_size = size,
        .userspace_addr = (uintptr_t)host,
    };
    return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0 ? -errno : 0;
}

static int add_memory(int vm, const struct memory *m) {
    const uint64_t mib = 1 << 20, low = mib - m->rom_size;
    if (!m->rom)
        return add_slot(vm, 0, 0, m->ram, m->ram_size, false);
    int err = add_slot(vm, 0, 0, m->ram, m->ram_size < low ? m->ram_size : low, false);
    if (!err && m->ram_size > mib)
        err = add_slot(vm, 1, mib, m->ram + mib, m->ram_size - mib, false);
    if (!err)
        err = add_slot(vm, 2, low, m->rom, m->rom_size, true);
    return err ? err : add_slot(vm, 3, (4ull << 30) - m->rom_size, m->rom, m->rom_size, true);
}

static int add_chips(int vm) {
    struct kvm_pit_config config = {0};
    struct kvm_reinject_control control = {.pit_reinject = 0}; /* no backlog of ticks */
    if (ioctl(vm, KVM_CREATE_IRQCHIP, 0) < 0 || ioctl(vm, KVM_CREATE_PIT2, &config) < 0)
        return -errno;
    ioctl(vm, KVM_REINJECT_CONTROL, &control);
    return 0;
}

static int add_cpuid(int device, int vcpu) {
    enum { ENTRIES = 256 };
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof *cpuid + ENTRIES * sizeof(struct kvm_cpuid_entry2));
    if (!cpuid)
        return -ENOMEM;
    cpuid->nent = ENTRIES;
    int err = 0;
    if (ioctl(device, KVM_GET_SUPPORTED_CPUID, cpuid) < 0 || ioctl(vcpu, KVM_SET_CPUID2, cpuid) < 0)
        err = -errno;
    free(cpuid);
    return err;
}

static int add_vcpu(struct vcpu *v, int device) {
    v->fd = ioctl(v->vm, KVM_CREATE_VCPU, 0);
    if (v->fd < 0)
        return -errno;
    int size = ioctl(device, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (size < (int)sizeof(struct kvm_run))
        return -EINVAL;
    void *run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
    if (run == MAP_FAILED)
        return -errno;
    v->run = run;
    v->run_size = size;
    int sync = ioctl(v->vm, KVM_CHECK_EXTENSION, KVM_CAP_SYNC_REGS);
    v->sync = (sync & KVM_SYNC_X86_VALID_FIELDS) == KVM_SYNC_X86_VALID_FIELDS;
    return add_cpuid(device, v->fd);
}

static int build(struct vcpu *v, int device, const struct memory *m) {
    v->vm = ioctl(device, KVM_CREATE_VM, 0);
    if (v->vm < 0)
        return -errno;
    /* Three pages that kvm-intel needs for real mode; free below the ROM. */
    uint64_t identity = 0xfffbc000;
    ioctl(v->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity);
    ioctl(v->vm, KVM_SET_TSS_ADDR, 0xfffbd000);
    int err = v->chips ? add_chips(v->vm) : 0;
    if (!err)
        err = add_memory(v->vm, m);
    return err ? err : add_vcpu(v, device);
}

static void engine_close(struct cpu *cpu) {
    struct vcpu *v = vcpu_of(cpu);
    if (v->run)
        munmap(v->run, v->run_size);
    if (v->fd >= 0)
        close(v->fd);
    if (v->vm >= 0)
        close(v->vm);
    free(v->holds.watched);
    free(v);
    cpu->priv = NULL;
    cpu->engine = NULL;
}

static void install_kick_handler(void) {
    struct sigaction action = {.sa_handler = on_kick}; /* no SA_RESTART: it is to interrupt */
    sigaction(KICK_SIGNAL, &action, NULL);
}

int kvm_open(struct cpu *cpu, const struct kvm_options *options, char *error, size_t size) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int device = open_device(error, size);
    if (device < 0)
        return device;
    struct vcpu *v = calloc(1, sizeof *v);
    int err = -ENOMEM;
    if (v) {
        *v = (struct vcpu){.vm = -1, .fd = -1, .chips = options->chips};
        err = build(v, device, cpu->memory);
        cpu->priv = v;
        cpu->engine = &engine_kvm;
    }
    close(device);
    cpu->valid = cpu->missing = cpu->dirty = 0;
    if (err && v)
        engine_close(cpu);
    if (err)
        return fail(error, size, -err, "KVM cannot make the machine", "use --cpu=soft, or less --mem");
    pthread_once(&once, install_kick_handler);
    if (options->debugged)
        probe_traits();
    return 0;
}

const struct kvm_counters *kvm_counters(const struct cpu *cpu) {
    return cpu->engine == &engine_kvm ? &vcpu_of(cpu)->counters : NULL;
}

static void describe(struct cpu *cpu, char *out, unsigned size) {
    const struct kvm_traits *t = probe_traits();
    const char *yes_no[] = {"no", "yes"};
    snprintf(out, size,
             "engine: KVM (the host's processor)\n"
             "  execution breakpoints in debug registers: %s\n"
             "  data watchpoints in debug registers:      %s\n"
             "  int3 traps to the debugger:               %s\n"
             "  32-bit paging:                            %s\n"
             "  interrupts held off while stepping:       %s\n"
             "  registers exchanged without extra ioctls: %s\n"
             "  interrupt chips in the kernel:            %s\n",
             yes_no[t->exec_bp], yes_no[t->data_bp], yes_no[t->int3], yes_no[t->paging32],
             yes_no[t->block_irq], yes_no[vcpu_of(cpu)->sync], yes_no[vcpu_of(cpu)->chips]);
}

const struct engine engine_kvm = {
    .name = "kvm",
    .fetch = vcpu_fetch,
    .store = vcpu_store,
    .run = engine_run,
    .step = engine_step,
    .kick = kick,
    .irq_line = irq_line,
    .get_chips = get_chips,
    .set_chips = set_chips,
    .refuses = hold_refuses,
    .strained = hold_strained,
    .freeze = freeze,
    .describe = describe,
    .close = engine_close,
};
