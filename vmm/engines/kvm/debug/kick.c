/* Interrupting a vCPU that is in the guest, from any thread; and looking after it. */
#include "vmm/engines/kvm/debug/debug.h"

#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define KICK_SIGNAL SIGRTMIN

/* --- kicking ------------------------------------------------------------------
 * A signal alone is lost when it comes just before KVM_RUN; immediate_exit is
 * not (kvm-quirks 13). */

static void on_kick(int signal) { (void)signal; }

void kick_catch(void) {
    struct sigaction action = {.sa_handler = on_kick}; /* no SA_RESTART: it is to interrupt */
    sigaction(KICK_SIGNAL, &action, NULL);
}

void kick_send(struct cpu *cpu) {
    struct debugged_vcpu *d = debugged_of(cpu);
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    __atomic_store_n(&v->kicked, true, __ATOMIC_SEQ_CST);
    __atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&d->inside, __ATOMIC_SEQ_CST))
        pthread_kill(__atomic_load_n(&d->thread, __ATOMIC_SEQ_CST), KICK_SIGNAL);
}

#ifndef sigev_notify_thread_id /* timer_create(2)'s name; musl has it, glibc does not */
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* Ten times a second we look whether the CPU has lost its way, and, with the chips in
 * the kernel, where a hlt does not come to us, whether it sleeps for ever. */
static void start_watchdog(struct debugged_vcpu *d) {
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = KICK_SIGNAL};
    event.sigev_notify_thread_id = syscall(SYS_gettid);
    if (timer_create(CLOCK_MONOTONIC, &event, &d->watchdog) < 0)
        return;
    d->has_watchdog = true;
    struct itimerspec tenth = {{0, 100000000}, {0, 10000000}}; /* the first look early */
    timer_settime(d->watchdog, 0, &tenth, NULL);
}

static void guarded(struct cpu *cpu, struct cpu_exit *exit,
                    void (*work)(struct cpu *, struct cpu_exit *)) {
    struct debugged_vcpu *d = debugged_of(cpu);
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    *exit = (struct cpu_exit){0};
    /* kick_send() may read it just now */
    __atomic_store_n(&d->thread, pthread_self(), __ATOMIC_SEQ_CST);
    __atomic_store_n(&d->inside, true, __ATOMIC_SEQ_CST);
    if (v->irqchip || work == run_guest)
        start_watchdog(d);
    work(cpu, exit);
    if (v->io_pending)
        exits_complete(cpu, exit);
    if (d->has_watchdog)
        timer_delete(d->watchdog);
    d->has_watchdog = false;
    __atomic_store_n(&d->inside, false, __ATOMIC_SEQ_CST);
}

void kick_run(struct cpu *cpu, struct cpu_exit *exit) { guarded(cpu, exit, run_guest); }
void kick_step(struct cpu *cpu, struct cpu_exit *exit) { guarded(cpu, exit, run_single); }
