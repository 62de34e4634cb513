/* Guest memory in a service; see service.h. */
#include "vmm/cpu/service.h"

#include <string.h>

#include "vmm/cpu/breakpoints.h"
#include "vmm/cpu/engine.h"
#include "vmm/memory/memory.h"
#include "vmm/x86/page_walk.h"

/* --- watchpoints --------------------------------------------------------------------- */

static bool watchpoint_sees(const struct breakpoint *p, bool write) {
    return p->kind == BP_ACCESS || p->kind == (write ? BP_WRITE : BP_READ);
}

/* The first hit is the one that is reported. */
static void touch(struct cpu *cpu, uint64_t from, size_t length, bool write) {
    const struct breakpoints *t = cpu->breakpoints;
    for (size_t i = 0; !cpu->touched.any && i < t->count; i++) {
        const struct breakpoint *p = &t->list[i];
        if (watchpoint_sees(p, write) && p->address < from + length &&
            from < p->address + p->length)
            cpu->touched =
                (struct cpu_touched){true, p->kind, from > p->address ? from : p->address};
    }
}

/* Where a watchpoint is in physical memory; false: nowhere. */
static bool watched_place(struct cpu *cpu, const struct breakpoint *p, uint64_t *phys) {
    struct page_walk w;
    *phys = p->address;
    if (cpu->breakpoints->physical)
        return true;
    bool mapped = x86_walk(cpu->memory, &cpu_read(cpu, CPU_SREGS)->sregs, p->address, &w);
    *phys = w.phys;
    return mapped;
}

void service_touch(struct cpu *cpu, uint64_t phys, size_t length, bool write) {
    const struct breakpoints *t = cpu->breakpoints;
    for (size_t i = 0; t && !cpu->touched.any && i < t->count; i++) {
        const struct breakpoint *p = &t->list[i];
        uint64_t at;
        if (watchpoint_sees(p, write) && watched_place(cpu, p, &at) && at < phys + length &&
            phys < at + p->length)
            cpu->touched =
                (struct cpu_touched){true, p->kind, p->address + (phys > at ? phys - at : 0)};
    }
}

/* --- memory, a page at a time ---------------------------------------------------------- */

struct stretch {
    uint64_t phys;
    size_t length;
    bool mapped;
};

static struct stretch stretch_at(struct cpu *cpu, uint64_t linear, size_t length, bool write) {
    const struct kvm_sregs *s = &cpu_read(cpu, CPU_SREGS)->sregs;
    size_t rest = PAGE_SIZE - (linear & (PAGE_SIZE - 1));
    struct stretch out = {.length = length < rest ? length : rest};
    struct page_walk w;
    linear = x86_wrap(s, linear);
    out.mapped = x86_walk(cpu->memory, s, linear, &w);
    out.phys = out.mapped ? memory_wrap(cpu->memory, w.phys) : 0;
    if (cpu->breakpoints->count && (out.mapped || !cpu->breakpoints->physical))
        touch(cpu, cpu->breakpoints->physical ? out.phys : linear, out.length, write);
    return out;
}

/* Where no memory is, a device may be; it gets bytes in accesses as a CPU makes them. */
static size_t ask_device(struct cpu *cpu, uint64_t phys, bool write, uint8_t *bytes,
                         size_t length) {
    enum { WIDEST = 8 };
    size_t there = 0;
    for (size_t done = 0, n; cpu->host.mmio && done < length; done += n) {
        n = length - done < WIDEST ? length - done : WIDEST;
        there += cpu->host.mmio(cpu->host.context, phys + done, write, n, bytes + done) == IO_NOBODY
                     ? 0
                     : n;
    }
    return there;
}

static size_t read_stretch(struct cpu *cpu, uint64_t phys, uint8_t *to, size_t length) {
    size_t there = memory_read(cpu->memory, phys, to, length);
    return there ? there : ask_device(cpu, phys, false, to, length);
}

/* A device does not change what it is given to write. */
static size_t write_stretch(struct cpu *cpu, uint64_t phys, const uint8_t *from, size_t length) {
    size_t there = memory_write(cpu->memory, phys, from, length);
    return there ? there : ask_device(cpu, phys, true, (uint8_t *)from, length);
}

size_t service_read(struct cpu *cpu, uint64_t linear, void *to, size_t length) {
    size_t there = 0;
    memset(to, 0xff, length);
    for (size_t done = 0; done < length;) {
        struct stretch at = stretch_at(cpu, linear + done, length - done, false);
        if (at.mapped)
            there += read_stretch(cpu, at.phys, (uint8_t *)to + done, at.length);
        done += at.length;
    }
    return there;
}

size_t service_write(struct cpu *cpu, uint64_t linear, const void *from, size_t length) {
    size_t there = 0;
    for (size_t done = 0; done < length;) {
        struct stretch at = stretch_at(cpu, linear + done, length - done, true);
        if (at.mapped)
            there += write_stretch(cpu, at.phys, (const uint8_t *)from + done, at.length);
        if (at.mapped && cpu->engine->memory_changed)
            cpu->engine->memory_changed(cpu, at.phys, at.length);
        done += at.length;
    }
    return there;
}

struct cpu_touched service_touched(struct cpu *cpu) {
    struct cpu_touched touched = cpu->touched;
    cpu->touched = (struct cpu_touched){0};
    return touched;
}

enum io_result service_run(struct cpu *cpu) {
    return cpu->host.service ? cpu->host.service(cpu->host.context) : IO_DONE;
}
