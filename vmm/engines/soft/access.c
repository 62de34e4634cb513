/* Memory accesses in full: segment, alignment, pages, watchpoints, code.
 *
 * Rule: both pages of an access that crosses are translated, so may fault,
 * before the first byte is written.
 */
#include <string.h>

#include "vmm/engines/soft/access.h"

#include "vmm/cpu/engine.h"
#include "vmm/engines/soft/x87.h"
#include "vmm/x86/mode.h"

/* An access's bytes by physical address: one piece, or two when it crosses. */
struct span {
    uint64_t phys[2];
    unsigned length[2];
};

/* Only a program's own addresses are cut in compatibility mode, never those of tables. */
static uint64_t next_page(const struct soft *s, uint64_t linear) {
    uint64_t next = (linear | (PAGE_SIZE - 1)) + 1;
    return linear >> 32 ? next : wrap_linear(s, next);
}

static struct span locate(struct soft *s, uint64_t linear, unsigned size, enum access access,
                          enum rights rights) {
    struct span p = {.length = {size, 0}};
    unsigned room = PAGE_SIZE - (linear & 0xFFF);
    p.phys[0] = translate(s, linear, access, rights)->phys | (linear & 0xFFF);
    if (room < size) {
        p.length[0] = room;
        p.length[1] = size - room;
        p.phys[1] = translate(s, next_page(s, linear), access, rights)->phys;
    }
    return p;
}

/* The access had no effect. The machine may read the state, so time is brought up to date. */
static void unassigned(struct soft *s, enum cpu_access access, uint64_t phys, unsigned size) {
    const struct engine_host *host = engine_host_of(s->cpu);
    if (!host->unassigned)
        return;
    fpu_away(s);
    s->cpu->ticks = now(s);
    s->cpu->valid = 0;
    host->unassigned(s->cpu->host.context, access, phys, size);
    s->cpu->valid = 0;
}

/* Asks the device there; without one the access has no effect. An instruction changes nothing
 * before its reads, so one that is given up (IO_RETRY) has not begun. */
static void outside(struct soft *s, bool write, uint64_t phys, unsigned size, void *data) {
    const struct cpu_host *host = &s->cpu->host;
    enum io_result result = IO_NOBODY;
    if (host->mmio) {
        fpu_away(s);
        s->cpu->ticks = now(s);
        s->cpu->valid = 0;
        result = host->mmio(host->context, phys, write, size, data);
        s->cpu->valid = 0;
    }
    if (result == IO_NOBODY) {
        unassigned(s, write ? CPU_WRITE : CPU_READ, phys, size);
        return;
    }
    s->deadline = 0; /* the device may have set a timer, or raised an interrupt */
    pend(s, PENDING_CHECK);
    if (result == IO_RETRY)
        leave_with(s, CPU_EXIT_WAITING, "");
    if (result == IO_STOP)
        report(s, CPU_EXIT_DEVICE, "%s", "");
}

static uint64_t read_place(struct soft *s, const struct span *p) {
    const uint8_t *at = memory_at(s->cpu->memory, p->phys[0], 8, false);
    uint8_t bytes[8] = {0};
    uint64_t value;
    if (LIKELY(at && !p->length[1]))
        return fetch_host(at, 8); /* the caller knows how many of them it asked for */
    for (unsigned n = 0, done = 0; n < 2 && p->length[n]; done += p->length[n++])
        if (memory_read(s->cpu->memory, p->phys[n], bytes + done, p->length[n]) < p->length[n])
            outside(s, false, p->phys[n], p->length[n], bytes + done);
    memcpy(&value, bytes, 8);
    return value;
}

static void write_place(struct soft *s, const struct span *p, uint64_t value) {
    uint8_t bytes[8];
    memcpy(bytes, &value, 8);
    for (unsigned n = 0, done = 0; n < 2 && p->length[n]; done += p->length[n++]) {
        if (s->watching)
            watch_physical_write(s, p->phys[n], p->length[n], false);
        if (memory_write(s->cpu->memory, p->phys[n], bytes + done, p->length[n]) < p->length[n])
            outside(s, true, p->phys[n], p->length[n], bytes + done);
        cache_written(s, p->phys[n], p->length[n]);
    }
}

uint64_t read_linear(struct soft *s, uint64_t linear, unsigned size, enum rights rights) {
    struct span p = locate(s, linear, size, ACCESS_READ, rights);
    if (s->watching || s->guest_watching)
        watch_access(s, linear, size, false);
    return read_place(s, &p);
}

void check_linear(struct soft *s, uint64_t linear, unsigned size, enum access access,
                  enum rights rights) {
    translate(s, linear, access, rights);
    /* Every page on the way: a task's state may lie on two. */
    for (uint64_t at = PAGE_SIZE - (linear & 0xFFF); at < size; at += PAGE_SIZE) {
        linear = next_page(s, linear);
        translate(s, linear, access, rights);
    }
}

void write_linear(struct soft *s, uint64_t linear, unsigned size, uint64_t value,
                  enum rights rights) {
    struct span p = locate(s, linear, size, ACCESS_WRITE, rights);
    if (s->watching || s->guest_watching)
        watch_access(s, linear, size, true);
    write_place(s, &p, value);
}

/* #AC, only in ring 3 (6.15). */
static void check_alignment(struct soft *s, uint64_t linear, unsigned size) {
    if (s->align && linear & (size - 1))
        raise_fault(s, VECTOR_AC, 0);
}

uint64_t read_slow(struct soft *s, unsigned seg, uint64_t offset, unsigned size) {
    uint64_t linear = segment_check(s, seg, offset, size, false);
    check_alignment(s, linear, size);
    return read_linear(s, linear, size, s->rights) & mask_of(size);
}

uint64_t read_for_write_slow(struct soft *s, unsigned seg, uint64_t offset, unsigned size) {
    uint64_t linear = segment_check(s, seg, offset, size, true);
    check_alignment(s, linear, size);
    check_linear(s, linear, size, ACCESS_WRITE, s->rights);
    return read_linear(s, linear, size, s->rights) & mask_of(size);
}

void write_slow(struct soft *s, unsigned seg, uint64_t offset, unsigned size, uint64_t value) {
    uint64_t linear = segment_check(s, seg, offset, size, true);
    check_alignment(s, linear, size);
    write_linear(s, linear, size, value, s->rights);
}

void check_write(struct soft *s, unsigned seg, uint64_t offset, unsigned size) {
    uint64_t linear = segment_check(s, seg, offset, size, true);
    check_alignment(s, linear, size);
    check_linear(s, linear, size, ACCESS_WRITE, s->rights);
}

void check_write_area(struct soft *s, unsigned seg, uint64_t offset, unsigned size,
                      unsigned alignment) {
    uint64_t linear = segment_check(s, seg, offset, size, true);
    check_alignment(s, linear, alignment);
    check_linear(s, linear, size, ACCESS_WRITE, s->cpl == 3);
}

/* 16 bytes that need not be aligned never raise #AC (seen on an Intel processor). */
void read_16(struct soft *s, unsigned seg, uint64_t offset, uint64_t to[2]) {
    uint64_t linear = segment_check(s, seg, offset, 16, false);
    to[0] = read_linear(s, linear, 8, s->cpl == 3);
    to[1] = read_linear(s, wrap_linear(s, linear + 8), 8, s->cpl == 3);
}

void write_16(struct soft *s, unsigned seg, uint64_t offset, const uint64_t from[2]) {
    uint64_t linear = segment_check(s, seg, offset, 16, true);
    check_linear(s, linear, 16, ACCESS_WRITE, s->cpl == 3);
    write_linear(s, linear, 8, from[0], s->cpl == 3);
    write_linear(s, wrap_linear(s, linear + 8), 8, from[1], s->cpl == 3);
}

/* --- page-table entries --- */

uint64_t phys_read_entry(struct soft *s, uint64_t phys, unsigned size) {
    const uint8_t *at = memory_at(s->cpu->memory, phys, size, false);
    uint64_t value = 0;
    if (LIKELY(at))
        return size == 8 ? fetch_host(at, 8) : fetch_host(at, 4);
    if (memory_read(s->cpu->memory, phys, &value, size) < size)
        unassigned(s, CPU_TABLE, phys, size);
    return value;
}

void phys_write_entry(struct soft *s, uint64_t phys, unsigned size, uint64_t value) {
    phys = memory_wrap(s->cpu->memory, phys);
    if (s->watching)
        watch_physical_write(s, phys, size, true);
    memory_write(s->cpu->memory, phys, &value, size);
    cache_written(s, phys, size);
}
