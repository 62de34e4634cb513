/* Guest memory as a client reads and writes it: by the addresses of the CPU that it has
 * chosen, or by physical ones.
 */
#include "vmm/debug/bridge.h"

#include "vmm/machine/machine_screen.h"
#include "vmm/x86/page_walk.h"
#include "vmm/x86/x86.h"

int bridge_physical_memory(void *target, int set) {
    struct debug *d = target;
    if (set >= 0)
        d->physical = set;
    return d->physical;
}

/* From where the CPU sees a VGA's planes, which are no memory. */
static size_t read_planes_too(struct vcpu *v, bool physical, uint64_t address, uint8_t *to,
                              size_t length) {
    const struct kvm_sregs *s = &cpu_read(&v->cpu, CPU_SREGS)->sregs;
    struct page_walk w;
    for (size_t n = 0; n < length; n++) {
        uint64_t at = physical ? address + n : x86_wrap(s, address + n);
        if (!physical && !x86_walk(v->cpu.memory, s, at, &w))
            return n;
        uint64_t phys = memory_wrap(v->cpu.memory, physical ? at : w.phys);
        if (!memory_read(v->cpu.memory, phys, to + n, 1) &&
            !machine_peek_display(v->machine, phys, to + n))
            return n;
    }
    return length;
}

size_t bridge_read_memory(void *target, struct gdb_thread thread, uint64_t address, void *to,
                          size_t length) {
    struct debug *d = target;
    struct vcpu *v = bridge_vcpu(d, thread);
    if (!v)
        return 0;
    if (!d->physical)
        address = addresses_linear(address, bridge_shift(v));
    const struct kvm_sregs *s = &cpu_read(&v->cpu, CPU_SREGS)->sregs;
    size_t n = d->physical ? memory_read(v->cpu.memory, address, to, length)
                           : x86_read(v->cpu.memory, s, address, to, length);
    return n == length ? n : read_planes_too(v, d->physical, address, to, length);
}

/* The engine may have decoded what is written over. */
static void engine_must_know(struct cpu *cpu, uint64_t linear, size_t length, bool physical) {
    const struct kvm_sregs *s = &cpu_read(cpu, CPU_SREGS)->sregs;
    struct page_walk w;
    if (!cpu->engine->memory_changed)
        return;
    for (uint64_t done = 0, n; done < length; done += n) { /* it may go on at 0 */
        uint64_t at = physical ? linear + done : x86_wrap(s, linear + done);
        n = PAGE_SIZE - (at & (PAGE_SIZE - 1));
        n = n < length - done ? n : length - done;
        if (physical || x86_walk(cpu->memory, s, at, &w))
            cpu->engine->memory_changed(cpu, memory_wrap(cpu->memory, physical ? at : w.phys), n);
    }
}

static size_t write_memory(struct vcpu *v, bool physical, uint64_t address, const void *from,
                           size_t length) {
    if (physical)
        return memory_poke(v->cpu.memory, address, from, length);
    return x86_write(v->cpu.memory, &cpu_read(&v->cpu, CPU_SREGS)->sregs, address, from, length);
}

size_t bridge_write_memory(void *target, struct gdb_thread thread, uint64_t address,
                           const void *from, size_t length) {
    struct debug *d = target;
    struct vcpu *v = bridge_vcpu(d, thread);
    if (!v)
        return 0;
    unsigned pokes = v->cpu.memory->rom_pokes;
    bridge_change(d, v->machine);
    if (!d->physical)
        address = addresses_linear(address, bridge_shift(v));
    size_t n = write_memory(v, d->physical, address, from, length);
    engine_must_know(&v->cpu, address, n, d->physical);
    if (v->cpu.memory->rom_pokes != pokes)
        bridge_rom_changed(d, v->machine);
    return n;
}
