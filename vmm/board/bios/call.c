/* What a service reaches of the machine: memory, ports, time; see call.h. */
#include "vmm/board/bios/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vmm/board/memory_map.h"
#include "vmm/cpu/service.h"

/* --- memory --------------------------------------------------------------------------------- */

/* The piece up to where the offset wraps. */
static unsigned piece_to_wrap(uint16_t offset, unsigned length) {
    unsigned room = 0x10000 - offset;
    return length < room ? length : room;
}

void far_read(struct call *c, uint16_t segment, uint16_t offset, void *to, unsigned length) {
    for (unsigned done = 0, n; done < length; done += n, offset = (uint16_t)(offset + n)) {
        n = piece_to_wrap(offset, length - done);
        service_read(c->bios->cpu, segment * 16u + offset, (uint8_t *)to + done, n);
    }
}

void far_write(struct call *c, uint16_t segment, uint16_t offset, const void *from, unsigned length) {
    for (unsigned done = 0, n; done < length; done += n, offset = (uint16_t)(offset + n)) {
        n = piece_to_wrap(offset, length - done);
        service_write(c->bios->cpu, segment * 16u + offset, (const uint8_t *)from + done, n);
    }
}

static uint64_t peek(struct bios *b, uint32_t linear, unsigned size) {
    uint64_t value = 0;
    service_read(b->cpu, linear, &value, size);
    return value;
}

uint8_t peek8(struct bios *b, uint32_t linear) { return (uint8_t)peek(b, linear, 1); }
uint16_t peek16(struct bios *b, uint32_t linear) { return (uint16_t)peek(b, linear, 2); }
uint32_t peek32(struct bios *b, uint32_t linear) { return (uint32_t)peek(b, linear, 4); }
uint64_t peek64(struct bios *b, uint32_t linear) { return peek(b, linear, 8); }

void poke8(struct bios *b, uint32_t linear, uint8_t v) { service_write(b->cpu, linear, &v, 1); }
void poke16(struct bios *b, uint32_t linear, uint16_t v) { service_write(b->cpu, linear, &v, 2); }
void poke32(struct bios *b, uint32_t linear, uint32_t v) { service_write(b->cpu, linear, &v, 4); }
void poke64(struct bios *b, uint32_t linear, uint64_t v) { service_write(b->cpu, linear, &v, 8); }

uint32_t ebda(struct bios *b, unsigned offset) {
    return memory_map_ebda(b->board->memory) + offset;
}

bool vector_is_ours(struct bios *b, unsigned vector) {
    return peek32(b, vector * 4) == ((uint32_t)ROM_SEGMENT << 16 | vector * ROM_STUB_SIZE);
}

void set_vector(struct bios *b, unsigned vector, uint16_t segment, uint16_t offset) {
    poke32(b, vector * 4, (uint32_t)segment << 16 | offset);
}

/* --- ports: firmware looks for what is there, and nobody is told when it is not --- */

static void port_access(struct bios *b, uint16_t port, bool write, unsigned size, uint32_t *value) {
    struct pc_board *board = b->board;
    struct access a = {.cpu = b->cpu, .address = port, .write = write, .size = size, .data = value};
    lock_take(&board->lock);
    void (*unassigned)(void *, const struct access *) = board->bus.unassigned;
    board->bus.unassigned = NULL;
    bus_access(&board->bus, &a);
    board->bus.unassigned = unassigned;
    lock_release(&board->lock);
}

uint32_t port_read(struct bios *b, uint16_t port, unsigned size) {
    uint32_t value = 0;
    port_access(b, port, false, size, &value);
    return value;
}

void port_write(struct bios *b, uint16_t port, unsigned size, uint32_t value) {
    port_access(b, port, true, size, &value);
}

uint8_t port_in(struct bios *b, uint16_t port) { return (uint8_t)port_read(b, port, 1); }
void port_out(struct bios *b, uint16_t port, uint8_t value) { port_write(b, port, 1, value); }

uint8_t cmos_in(struct bios *b, uint8_t index) {
    port_out(b, 0x70, index);
    return port_in(b, 0x71);
}

void cmos_out(struct bios *b, uint8_t index, uint8_t value) {
    port_out(b, 0x70, index);
    port_out(b, 0x71, value);
}

/* --- the CPU ------------------------------------------------------------------------------ */

void bios_unwind(struct cpu_state *s, uint16_t cs, uint16_t ip, uint16_t flags) {
    enum { FRAME = 6 };
    s->sregs.cs.selector = cs;
    s->sregs.cs.base = cs * 16u;
    s->regs.rip = ip;
    s->regs.rsp = (s->regs.rsp & ~0xffffull) | (uint16_t)(s->regs.rsp + FRAME);
    s->regs.rflags = (s->regs.rflags & ~0xffffull) | flags;
}

void go_back(struct call *c, uint16_t ip) {
    bios_unwind(cpu_write(c->bios->cpu, CPU_REGS | CPU_SREGS), c->cs, ip, c->flags);
    c->elsewhere = true;
}

uint16_t int_place(struct call *c) {
    uint8_t code[2];
    far_read(c, c->cs, (uint16_t)(c->ip - 2), code, sizeof code);
    return (uint16_t)(code[0] == 0xcd && code[1] == c->number ? c->ip - 2 : c->ip);
}

/* --- a wait that a person interrupts --- */

void bios_wait_is_interrupted(struct bios *b, uint16_t cs, uint16_t ip) {
    poke32(b, ebda(b, EBDA_WAIT_PLACE), cs * 16u + ip);
    poke64(b, ebda(b, EBDA_WAIT_TIME), guest_time(b));
}

/* Where the person has moved the CPU away, the same INT may be met much later: then it begins anew. */
bool wait_goes_on(struct call *c) {
    enum { SOON_NS = 100000000 };
    struct bios *b = c->bios;
    uint32_t place = peek32(b, ebda(b, EBDA_WAIT_PLACE)), here = c->cs * 16u + int_place(c);
    bool soon = guest_time(b) - peek64(b, ebda(b, EBDA_WAIT_TIME)) < SOON_NS;
    if (place)
        poke32(b, ebda(b, EBDA_WAIT_PLACE), 0);
    return c->again || (place == here && soon);
}

/* --- the CPU at the begin of a program --- */

void bios_real_mode(struct cpu_state *s, uint16_t cs, uint16_t ip) {
    s->regs = (struct kvm_regs){.rip = ip, .rflags = 2};
    s->sregs.cr0 = CR0_ET;
    s->sregs.cr3 = s->sregs.cr4 = s->sregs.efer = 0;
    s->sregs.cs = x86_real_segment(cs, true);
    s->sregs.ds = s->sregs.es = s->sregs.fs = s->sregs.gs = s->sregs.ss = x86_real_segment(0, false);
    s->sregs.idt = (struct kvm_dtable){.base = 0, .limit = 0x3ff};
    s->sregs.gdt = (struct kvm_dtable){.base = 0, .limit = 0xffff};
}

void bios_boot_state(struct cpu_state *s, uint64_t entry, uint8_t drive) {
    bios_real_mode(s, (uint16_t)(entry >> 4 & 0xf000), (uint16_t)entry);
    s->regs.rax = 0xaa55;
    s->regs.rdx = drive;
    s->regs.rsp = 0x7c00;
    s->regs.rflags = 2 | FLAG_IF;
}

struct cpu_state *bios_cpu_anew(struct bios *b) {
    struct cpu_state *s = cpu_write(b->cpu, CPU_REGS | CPU_SREGS | CPU_DEBUGREGS | CPU_EVENTS | CPU_MP);
    s->debugregs = (struct kvm_debugregs){.dr6 = 0xffff0ff0, .dr7 = 0x400};
    s->events.interrupt.shadow = 0;
    s->mp.mp_state = KVM_MP_STATE_RUNNABLE;
    return s;
}

/* --- the machine -------------------------------------------------------------------------- */

uint64_t guest_time(struct bios *b) { return b->board->hooks->now(b->board->machine); }

bool need_chips(struct call *c) {
    struct pc_board *board = c->bios->board;
    if (!board->options.irqchip)
        return true; /* --irqchip=none: there never are any */
    lock_take(&board->lock);
    c->stop = board->hooks->uses_irqchip(board->machine) == IO_STOP;
    lock_release(&board->lock);
    if (c->stop)
        c->pc = (uint16_t)(c->number * ROM_STUB_SIZE); /* the same again, then */
    return !c->stop;
}

void put_text(struct bios *b, uint8_t byte) {
    if (b->hooks->text)
        b->hooks->text(b->machine, byte);
}

void stop_call(struct call *c, const char *why) {
    struct pc_board *board = c->bios->board;
    board->hooks->stop(board->machine, c->bios->cpu, why);
    c->stop = true;
}

void tell(struct bios *b, const char *format, ...) {
    char text[300];
    va_list args;
    if (b->hooks->is_silent(b->machine))
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    b->hooks->message(b->machine, text);
}

void words_add(struct words *w, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(w->out + w->length, w->size - w->length, format, args);
    va_end(args);
    w->length += (unsigned)n < w->size - w->length ? (unsigned)n : w->size - w->length - 1;
}
