/* Accesses to where nothing is; see unassigned.h. */
#include "vmm/machine/unassigned.h"

#include <inttypes.h>
#include <stdio.h>

#include "vmm/machine/recorder.h"
#include "vmm/memory/layout.h"
#include "vmm/x86/insn.h"
#include "vmm/machine/machine.h"
#include "vmm/x86/x86.h"

/* So many lines, unless --verbose asks for more. */
enum { LINES = 8 };

/* --- telling ------------------------------------------------------------------------ */

/* The instruction that makes the access. */
static void print_place(struct vcpu *v, bool behind, char *out, size_t size) {
    const struct cpu_state *s = cpu_read(&v->cpu, CPU_REGS | CPU_SREGS);
    snprintf(out, size, "%s%04x:%08llx", behind ? "the instruction before " : "",
             s->sregs.cs.selector, (unsigned long long)s->regs.rip);
}

/* Some KVMs have moved RIP on when they report an OUT (kvm-quirks). */
static bool is_behind_io(struct vcpu *v) {
    static const struct insn_span io[] = {{0x6c, 0x6f}, {0xe4, 0xe7}, {0xec, 0xef}};
    const struct cpu_state *s = cpu_read(&v->cpu, CPU_REGS | CPU_SREGS);
    struct insn in;
    insn_read(v->cpu.memory, s, x86_pc(&s->regs, &s->sregs), &in);
    return !insn_in_any(&in, io, sizeof io / sizeof *io);
}

/* May one more line be printed? When the limit is reached that is said, once. */
static bool within_bounds(struct machine *m, unsigned told) {
    struct unassigned *u = &m->unassigned;
    if (m->options->verbose || told < LINES)
        return true;
    if (!u->over)
        m->owner.message(m->owner.context, m->number,
                         "more accesses to where nothing is are not told (--verbose tells them)");
    u->over = true;
    return false;
}

/* Where firmware moves to: the top of RAM, or as SeaBIOS does, which keeps 16 MiB for its tables when
 * there are so many, below that. */
static bool is_where_firmware_moves(uint64_t pc, uint64_t top) {
    enum { MOVED = 512 << 10, TABLES = 16 << 20 };
    uint64_t below = top > pc ? top - pc : UINT64_MAX;
    return below <= MOVED || (below > TABLES && below <= TABLES + MOVED);
}

/* Firmware of the user's looks for what is not there: its own code is where its ROM is or was copied
 * to, or where it moves. */
static bool is_firmware_probe(struct vcpu *v) {
    enum { MIB = 1 << 20 };
    const struct machine *m = v->machine;
    const struct cpu_state *s = cpu_read(&v->cpu, CPU_REGS | CPU_SREGS);
    uint64_t pc = x86_pc(&s->regs, &s->sregs);
    bool is_its = (pc >= MEMORY_SHADOW && pc < MIB) || is_where_firmware_moves(pc, m->memory.ram_size);
    return m->options->rom && is_its && !m->options->verbose;
}

/* --- ports -------------------------------------------------------------------------- */

void unassigned_port(void *machine, const struct access *a) {
    struct machine *m = machine;
    struct vcpu *v = vcpu_of(a->cpu);
    struct unassigned *u = &m->unassigned;
    uint8_t bit = 1 << (a->address & 7), *byte = &u->ports[a->address >> 3];
    char place[64], text[160];
    if (*byte & bit || m->recorder->is_silent(m) || is_firmware_probe(v))
        return;
    *byte |= bit;
    if (!within_bounds(m, u->port_count++))
        return;
    print_place(v, is_behind_io(v), place, sizeof place);
    snprintf(text, sizeof text, "%s %s port 0x%x, where no device is: %s", place,
             a->write ? "writes to" : "reads", (unsigned)a->address, a->write ? "dropped" : "all ones");
    m->owner.message(m->owner.context, m->number, text);
}

/* --- memory ------------------------------------------------------------------------- */

bool unassigned_outcome(const struct memory *memory, uint64_t phys, bool write, char *out,
                        size_t size) {
    phys = memory_wrap(memory, phys);
    const uint8_t *at = memory_at(memory, phys, 1, false);
    if (at) { /* RAM or ROM */
        bool rom = write && !memory_at(memory, phys, 1, true) && !memory->journal;
        bool ram = at >= memory->ram && at < memory->ram + memory->ram_size;
        if (rom)
            snprintf(out, size, "which is %s: dropped", ram ? "RAM that PAM protects" : "ROM");
        return rom;
    }
    if (memory_shadow_is_off(memory, phys)) {
        snprintf(out, size, "which PAM leads to PCI, where nothing is: %s", write ? "dropped" : "all ones");
        return true;
    }
    uint64_t end = phys < MEMORY_VIDEO ? memory_size(memory) : memory->ram_size;
    snprintf(out, size, "where no memory is: %s (RAM ends at 0x%" PRIx64 "; see --mem)",
             write ? "dropped" : "all ones", end);
    return true;
}

static bool is_new_page(struct unassigned *u, uint64_t page) {
    bool beside = page == u->last || page == u->last + PAGE_SIZE || page + PAGE_SIZE == u->last;
    bool any = u->page_count;
    u->last = page;
    if (any && beside) /* a stack that grows, or a buffer that is filled */
        return false;
    for (unsigned i = 0; i < u->page_count; i++)
        if (u->pages[i] == page)
            return false;
    return u->page_count < UNASSIGNED_PAGES;
}

void unassigned_memory(void *vcpu, enum cpu_access access, uint64_t phys, unsigned size) {
    static const char *const verbs[] = {"reads", "writes", "has its page tables read:"};
    struct vcpu *v = vcpu;
    struct machine *m = v->machine;
    struct unassigned *u = &m->unassigned;
    char place[64], outcome[96], text[240];
    if (!unassigned_outcome(&m->memory, phys, access == CPU_WRITE, outcome, sizeof outcome) ||
        m->recorder->is_silent(m) || is_firmware_probe(v) || !is_new_page(u, phys & ~(uint64_t)(PAGE_SIZE - 1)))
        return;
    u->pages[u->page_count] = u->last;
    if (!within_bounds(m, u->page_count++))
        return;
    print_place(v, v->cpu.behind, place, sizeof place);
    snprintf(text, sizeof text, "%s %s %u byte%s at physical 0x%08" PRIx64 ", %s",
             place, verbs[access], size, size > 1 ? "s" : "", phys, outcome);
    m->owner.message(m->owner.context, m->number, text);
}
