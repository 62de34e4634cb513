/* KVM_RUN: what goes in with it and comes out, and how it is interrupted.
 *
 * Rule: nothing else enters the guest.
 */
#include "vmm/engines/kvm/vcpu.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define KICK_SIGNAL SIGRTMIN

/* --- entering the guest ----------------------------------------------------- */

static void take_synced(struct cpu *cpu) {
    struct vcpu *v = vcpu_of(cpu);
    const struct kvm_sync_regs *s = &v->run->s.regs;
    cpu->valid = cpu->missing = 0;
    if (v->run->kvm_valid_regs & KVM_SYNC_X86_REGS) {
        cpu->state.regs = s->regs;
        state_show_guest_tf(v, &cpu->state.regs);
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
        int err = state_store(cpu, cpu->dirty);
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
    if (cpu->dirty && (err = state_store(cpu, cpu->dirty)) < 0)
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

void vcpu_catch_kicks(void) {
    struct sigaction action = {.sa_handler = on_kick}; /* no SA_RESTART: it is to interrupt */
    sigaction(KICK_SIGNAL, &action, NULL);
}

void vcpu_kick(struct cpu *cpu) {
    struct vcpu *v = vcpu_of(cpu);
    __atomic_store_n(&v->kicked, true, __ATOMIC_SEQ_CST);
    __atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&v->inside, __ATOMIC_SEQ_CST))
        pthread_kill(__atomic_load_n(&v->thread, __ATOMIC_SEQ_CST), KICK_SIGNAL);
}

bool vcpu_take_kick(struct vcpu *v) {
    bool kicked = __atomic_exchange_n(&v->kicked, false, __ATOMIC_SEQ_CST);
    clear_immediate_exit(v);
    return kicked;
}

#ifndef sigev_notify_thread_id /* timer_create(2)'s name; musl has it, glibc does not */
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* Ten times a second we look whether the CPU has lost its way, and, with the chips in
 * the kernel, where a hlt does not come to us, whether it sleeps for ever. */
static void start_watchdog(struct vcpu *v) {
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = KICK_SIGNAL};
    event.sigev_notify_thread_id = syscall(SYS_gettid);
    if (timer_create(CLOCK_MONOTONIC, &event, &v->watchdog) < 0)
        return;
    v->has_watchdog = true;
    struct itimerspec tenth = {{0, 100000000}, {0, 10000000}}; /* the first look early */
    timer_settime(v->watchdog, 0, &tenth, NULL);
}

static void guarded(struct cpu *cpu, struct cpu_exit *exit,
                    void (*work)(struct cpu *, struct cpu_exit *)) {
    struct vcpu *v = vcpu_of(cpu);
    *exit = (struct cpu_exit){0};
    __atomic_store_n(&v->thread, pthread_self(), __ATOMIC_SEQ_CST); /* kick() may read it just now */
    __atomic_store_n(&v->inside, true, __ATOMIC_SEQ_CST);
    if (v->irqchip || work == run_guest)
        start_watchdog(v);
    work(cpu, exit);
    if (v->io_pending)
        vcpu_complete(cpu);
    if (v->has_watchdog)
        timer_delete(v->watchdog);
    v->has_watchdog = false;
    __atomic_store_n(&v->inside, false, __ATOMIC_SEQ_CST);
}

void vcpu_run(struct cpu *cpu, struct cpu_exit *exit) { guarded(cpu, exit, run_guest); }
void vcpu_step(struct cpu *cpu, struct cpu_exit *exit) { guarded(cpu, exit, run_single); }
