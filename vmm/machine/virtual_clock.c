/* Virtual time and interrupts for the built-in CPU; see virtual_clock.h. */
#include "vmm/machine/virtual_clock.h"

#include <time.h>

#include "vmm/base/monotonic.h"
#include "vmm/machine/recorder.h"

uint64_t virtual_clock_now(void *machine) {
    struct machine *m = machine;
    const struct cpu *cpu = &boot_vcpu(m)->cpu;
    bool host = cpu->engine && !cpu_can(cpu, ENGINE_DETERMINISTIC);
    return host ? monotonic_ns() : cpu->ticks * NS_PER_INSTRUCTION + m->board.devices.pit.passed;
}

static struct machine *machine_of(void *vcpu) { return ((struct vcpu *)vcpu)->machine; }

int virtual_clock_acknowledge(void *vcpu) {
    struct machine *m = machine_of(vcpu);
    return pic_acknowledge(&m->board.devices.pic);
}

/* A time that is not past. */
static uint64_t ticks_of_ns(const struct machine *m, uint64_t ns) {
    uint64_t passed = m->board.devices.pit.passed;
    if (ns == UINT64_MAX)
        return ns;
    return ns > passed ? (ns - passed + NS_PER_INSTRUCTION - 1) / NS_PER_INSTRUCTION : 0;
}

/* What is due is done; when the next is, in ticks. */
static uint64_t devices_due(struct machine *m) {
    uint64_t tick = pit_advance(&m->board.devices.pit), clock = rtc_advance(&m->board.devices.cmos.rtc);
    uint64_t key = keyboard_advance(&m->board.devices.keyboard), first = tick < clock ? tick : clock;
    return ticks_of_ns(m, first < key ? first : key);
}

uint64_t virtual_clock_deadline(void *vcpu, uint64_t ticks) {
    struct machine *m = machine_of(vcpu);
    bool came;
    uint64_t next = m->recorder->deliver(m, ticks, &came);
    if (came)
        devices_notice(&m->board.devices);
    uint64_t due = devices_due(m);
    uint64_t snapshot = m->recorder->tick(m, ticks);
    next = snapshot < next ? snapshot : next;
    return due < next ? due : next;
}

static void add_ns(struct timespec *t, uint64_t ns) {
    t->tv_sec += ns / 1000000000;
    t->tv_nsec += ns % 1000000000;
    if (t->tv_nsec >= 1000000000) {
        t->tv_nsec -= 1000000000;
        t->tv_sec++;
    }
}

/* In real time. false: input came, or somebody interrupts. */
static bool sleep_for(struct machine *m, uint64_t ns) {
    struct timespec t;
    int err = 0;
    bool news = false;
    clock_gettime(CLOCK_MONOTONIC, &t);
    add_ns(&t, ns == UINT64_MAX ? 0 : ns);
    lock_take(&m->run.lock);
    while (!err && !m->run.interrupt && !(news = m->recorder->wants_input(m)))
        err = ns == UINT64_MAX ? lock_wait(&m->run.lock, &m->run.wake)
                               : lock_wait_until(&m->run.lock, &m->run.wake, &t);
    m->run.noticed = false;
    lock_release(&m->run.lock);
    return err && !news;
}

static bool lets_through(const struct machine *m, unsigned irq) {
    const struct kvm_pic_state *chip = m->board.devices.pic.chip;
    return irq < 8 ? !(chip[0].imr & 1 << irq) : !(chip[0].imr & 1 << 2) && !(chip[1].imr & 1 << (irq - 8));
}

/* Can anything at all wake the CPU? A tick that is not masked, or input that may
 * still come to a device that interrupts. */
static bool can_wake(struct machine *m) {
    const struct devices *d = &m->board.devices;
    bool tick = (pit_advance(&m->board.devices.pit) != UINT64_MAX && lets_through(m, 0)) ||
                (d->cmos.rtc.due != UINT64_MAX && lets_through(m, 8));
    bool key = lets_through(m, 1) && d->keyboard.config & 1;
    bool serial = lets_through(m, 4) && d->uart.ier & 1;
    bool mouse = lets_through(m, 12) && keyboard_mouse_interrupts(&d->keyboard);
    return tick || ((key || serial || mouse) && !m->recorder->input_is_over(m));
}

/* Of this machine's devices: the timer; while there is input keyboard and UART; by the second
 * chip clock and mouse. */
uint8_t virtual_clock_wakers(void *vcpu) {
    struct machine *m = machine_of(vcpu);
    const struct devices *d = &m->board.devices;
    bool over = m->recorder->input_is_over(m);
    bool second = d->cmos.rtc.due != UINT64_MAX || (!over && keyboard_mouse_interrupts(&d->keyboard));
    return (uint8_t)(1 << 0 | (over ? 0 : 1 << 1 | 1 << 4) | second << 2);
}

static uint64_t sleep_until(struct machine *m, uint64_t now, uint64_t due) {
    if (!can_wake(m))
        return 0;
    bool early = !sleep_for(m, due == UINT64_MAX ? due : (due - now) * NS_PER_INSTRUCTION);
    return m->recorder->woken(m, now, due, early);
}

uint64_t virtual_clock_idle(void *vcpu, uint64_t ticks) {
    struct vcpu *v = vcpu;
    struct machine *m = v->machine;
    uint64_t due = devices_due(m);
    if (!m->irqchip)
        return 0;
    if (!m->recorder->may_sleep(m, ticks))
        return ticks + 1;
    if (v->cpu.intr)
        return ticks;
    if (m->recorder->in_past(m))
        return m->recorder->idle(m, ticks, due);
    return sleep_until(m, ticks, due);
}
