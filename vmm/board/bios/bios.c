/* From a stub's OUT to a service, and back; see bios.h. */
#include "vmm/board/bios/call.h"

#include <stdio.h>
#include <string.h>

#include "vmm/cpu/engine.h"
#include "vmm/cpu/service.h"

static const struct services *const services[] = {&services_video,  &services_disk,   &services_keyboard,
                                                  &services_time,   &services_system, &services_serial,
                                                  &services_power,  &services_pci,    &services_mouse};

/* --- the table ---------------------------------------------------------------------------- */

/* The row for a call; NULL: there is none. */
static const struct service *find_service(unsigned number, uint16_t ax) {
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        for (unsigned n = 0; n < services[i]->count; n++) {
            const struct service *s = &services[i]->list[n];
            if (s->number == number && (ax & s->mask) == s->function)
                return s;
        }
    return NULL;
}

/* --- the CPU's state as a call, and back ---------------------------------------------------- */

static void take_registers(struct call *c, const struct kvm_regs *r) {
    c->eax = (uint32_t)r->rax;
    c->ebx = (uint32_t)r->rbx;
    c->ecx = (uint32_t)r->rcx;
    c->edx = (uint32_t)r->rdx;
    c->esi = (uint32_t)r->rsi;
    c->edi = (uint32_t)r->rdi;
    c->ebp = (uint32_t)r->rbp;
}

static void put_registers(const struct call *c, struct kvm_regs *r) {
    r->rax = c->eax;
    r->rbx = c->ebx;
    r->rcx = c->ecx;
    r->rdx = c->edx;
    r->rsi = c->esi;
    r->rdi = c->edi;
    r->rbp = c->ebp;
}

/* IP, CS and FLAGS, which the INT has pushed. */
static void take_frame(struct call *c, const struct cpu_state *s) {
    uint16_t frame[3];
    far_read(c, s->sregs.ss.selector, (uint16_t)s->regs.rsp, frame, sizeof frame);
    c->ip = frame[0];
    c->cs = frame[1];
    c->flags = frame[2];
}

static void put_flags(struct call *c, const struct cpu_state *s, uint16_t before) {
    if (c->flags != before)
        far_write(c, s->sregs.ss.selector, (uint16_t)(s->regs.rsp + 4), &c->flags, sizeof c->flags);
}

static void put_es(struct cpu *cpu, uint16_t es) {
    struct kvm_segment *segment = &cpu_write(cpu, CPU_SREGS)->sregs.es;
    segment->selector = es;
    segment->base = es * 16u;
}

/* Which service is meant: by where in the ROM the CPU stands, behind the OUT. */
static bool identify_call(struct call *c, uint64_t linear) {
    static const uint16_t hooks[] = {ROM_TICK_HOOK + ROM_HOOK_OUT, ROM_ALARM_HOOK + ROM_HOOK_OUT,
                                     ROM_BREAK_HOOK + ROM_HOOK_OUT, ROM_PRINT_HOOK + ROM_HOOK_OUT,
                                     ROM_KEY_HOOK + ROM_KEY_OUT, ROM_MOUSE_HOOK + ROM_MOUSE_OUT};
    uint16_t ip = c->pc = (uint16_t)(linear - ROM_BASE);
    c->number = ip / ROM_STUB_SIZE;
    c->again = ip % ROM_STUB_SIZE == ROM_STUB_AGAIN;
    if (c->number < ROM_STUBS)
        return c->again || ip % ROM_STUB_SIZE == ROM_STUB_OUT;
    c->number = ip;
    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++)
        if (hooks[i] == ip)
            return true;
    return false;
}

static void take_call(struct call *c, struct bios *b, const struct cpu_state *s) {
    *c = (struct call){.bios = b};
    take_registers(c, &s->regs);
    take_frame(c, s);
    c->ss = s->sregs.ss.selector;
    c->sp = (uint16_t)s->regs.rsp;
    c->ds = s->sregs.ds.selector;
    c->es = s->sregs.es.selector;
    c->carry_in = s->regs.rflags & FLAG_CF;
}

/* --- the log -------------------------------------------------------------------------------- */

static void describe(struct call *asked, const struct service *s, struct words *w) {
    if (s->mask == 0xffff)
        words_add(w, "int %02xh/%04x, %s", asked->number, asked->ax, s->name);
    else if (s->mask)
        words_add(w, "int %02xh/%02x, %s", asked->number, asked->ah, s->name);
    else
        words_add(w, "int %02xh, %s", asked->number, s->name);
    if (!s->asks)
        return;
    words_add(w, ": ");
    s->asks(asked, w);
}

/* Calls of a future that was left are no more. */
static void forget_later(struct bios *b, uint64_t ticks) {
    while (b->call_count && ticks && b->calls[(b->call_count - 1) % BIOS_CALLS].ticks >= ticks)
        b->call_count--;
}

static void keep_call(struct call *asked, struct call *c, const struct service *s) {
    struct bios *b = c->bios;
    uint64_t ticks = b->cpu->ticks;
    forget_later(b, ticks);
    struct bios_call *k = &b->calls[b->call_count++ % BIOS_CALLS];
    *k = (struct bios_call){.ticks = ticks, .cs = asked->cs, .ip = int_place(asked), .ax = asked->ax,
                            .number = (uint8_t)asked->number};
    struct words w = {k->text, sizeof k->text, 0};
    describe(asked, s, &w);
    words_add(&w, " -> ");
    if (s->answers)
        s->answers(c, &w);
    else
        words_add(&w, "AX=%04x%s", c->ax, c->flags & FLAG_CF ? " CF" : "");
    if (b->logs)
        tell(b, "%04x:%04x %s", k->cs, k->ip, k->text);
}

const struct bios_call *bios_call_at(const struct bios *b, unsigned n) {
    unsigned kept = b->call_count < BIOS_CALLS ? b->call_count : BIOS_CALLS;
    const struct bios_call *k = &b->calls[(b->call_count - kept + n) % BIOS_CALLS];
    uint64_t now = b->board->cpu->ticks;
    return n < kept && (!now || k->ticks <= now) ? k : NULL; /* not of a future that is undone */
}

const struct bios_call *bios_last_call(const struct bios *b) {
    const struct bios_call *last = NULL, *k;
    for (unsigned n = 0; (k = bios_call_at(b, n)); n++)
        last = k;
    return last;
}

/* --- what there is no service for ------------------------------------------------------------ */

static bool is_unknown_new(struct bios *b, uint32_t what) {
    for (unsigned i = 0; i < b->told_count; i++)
        if (b->told[i] == what)
            return false;
    if (b->told_count == BIOS_TOLD)
        return false;
    b->told[b->told_count++] = what;
    return true;
}

/* INT 15h and 1Ah say so in the carry flag, INT 13h by its status; others just return. */
static const char *refuse_function(struct call *c) {
    bool tells = c->number == 0x13 || c->number == 0x15 || c->number == 0x1a;
    if (!tells)
        return "returns at once";
    set_carry(c, true);
    if (c->number == 0x1a)
        return "CF=1";
    c->ah = c->number == 0x13 ? 0x01 : 0x86;
    if (c->number == 0x13)
        poke8(c->bios, c->dl & 0x80 ? BDA_DISK_STATUS : BDA_FLOPPY_STATUS, c->ah);
    return c->number == 0x13 ? "CF=1, AH=01h" : "CF=1, AH=86h";
}

static void tell_unknown(struct call *c, uint16_t ax) {
    const char *answer = refuse_function(c);
    if (is_unknown_new(c->bios, c->number << 16 | (c->number == 0x15 ? ax : ax & 0xff00)))
        tell(c->bios, "int 0x%02x, AX=%04x, at %04x:%04x: the BIOS has no such function: %s",
             c->number, ax, c->cs, int_place(c), answer);
}

/* --- what a call would ask -------------------------------------------------------------------- */

static void explain_call(struct bios *b, unsigned vector, char *out, size_t size) {
    const struct cpu_state *s = cpu_read(b->cpu, CPU_REGS | CPU_SREGS);
    struct words w = {out, (unsigned)size, 0};
    struct call c;
    take_call(&c, b, s);
    c.number = vector;
    const struct service *service = find_service(vector, c.ax);
    if (service)
        describe(&c, service, &w);
    else
        words_add(&w, "int %02xh, AX=%04x: the BIOS has no such function", vector, c.ax);
}

bool bios_explain(struct bios *b, unsigned vector, char *out, unsigned size) {
    if (!b->on || !vector_is_ours(b, vector))
        return false;
    explain_call(b, vector, out, size);
    return true;
}

/* --- calls that a person wants to see before they are done ---------------------------------------- */

void bios_pass_call(struct bios *b, uint64_t linear) {
    b->catch.passes = true;
    b->catch.place = linear;
}

void bios_pass_no_call(struct bios *b) { b->catch.passes = false; }

bool bios_is_told(const struct bios *b, uint64_t linear) {
    return b->catch.passes && b->catch.place == linear;
}

/* Told once: a resume does the call. */
static bool take_pass(struct bios *b, uint64_t linear) {
    bool passes = bios_is_told(b, linear);
    b->catch.passes &= !passes;
    return passes;
}

static bool is_caught(struct bios *b, unsigned vector, uint8_t ah) {
    return (b->catch.vector < 0 || b->catch.vector == (int)vector) &&
           (b->catch.function < 0 || b->catch.function == ah);
}

static bool stops_before(struct bios *b, unsigned vector, uint64_t linear, char *text, size_t size) {
    uint8_t ah = (uint8_t)(cpu_read(b->cpu, CPU_REGS)->regs.rax >> 8);
    char words[BIOS_WORDS];
    if (take_pass(b, linear) || !is_caught(b, vector, ah))
        return false;
    bios_pass_call(b, linear);
    explain_call(b, vector, words, sizeof words);
    snprintf(text, size, "caught: %s", words);
    return true;
}

/* The BIOS's own calls are no program's. */
bool bios_stops_at_int(struct bios *b, unsigned vector, uint64_t linear, char *text, size_t size) {
    const struct cpu_state *s = cpu_read(b->cpu, CPU_REGS | CPU_SREGS);
    return b->on && x86_mode(&s->sregs, s->regs.rflags) == MODE_REAL && !bios_runs(b, s) &&
           vector_is_ours(b, vector) && stops_before(b, vector, linear, text, size);
}

/* Vectors of the interrupt controllers: the timer would stop at each tick. */
static bool is_irq(unsigned vector) {
    return (vector >= 0x08 && vector <= 0x0f) || (vector >= 0x70 && vector <= 0x77);
}

/* The CPU has done the INT and the OUT, or the OUT alone: as if it had not. */
static void stand_before(struct call *c, bool at_int) {
    struct cpu *cpu = c->bios->cpu;
    if (at_int) {
        go_back(c, int_place(c));
        return;
    }
    struct cpu_state *s = cpu_write(cpu, CPU_REGS);
    s->regs.rip = (uint32_t)(ROM_BASE + c->number * ROM_STUB_SIZE - s->sregs.cs.base);
    cpu->ticks -= cpu_can(cpu, ENGINE_DETERMINISTIC);
    c->elsewhere = true;
}

/* Where an engine does not tell of an INT ahead, its stub does; and where a stub is entered in
 * another way: from a guest's own handler, by a call. */
static void stop_at_stub(struct call *c) {
    struct bios *b = c->bios;
    char text[BIOS_WORDS + 16];
    bool begins = c->number <= 0xff && c->pc % ROM_STUB_SIZE == ROM_STUB_OUT;
    if (!b->cpu->catch.calls || !begins || c->cs == ROM_SEGMENT)
        return;
    bool by_int = int_place(c) != c->ip && vector_is_ours(b, c->number);
    if (by_int ? cpu_can(b->cpu, ENGINE_EXACT_EVENTS) : b->catch.vector < 0 && is_irq(c->number))
        return;
    uint64_t place = by_int ? c->cs * 16u + int_place(c) : ROM_BASE + c->number * ROM_STUB_SIZE;
    if (!stops_before(b, c->number, place, text, sizeof text))
        return;
    stop_call(c, text);
    b->hooks->caught(b->machine, b->cpu);
    stand_before(c, by_int);
}

/* --- the service ----------------------------------------------------------------------------- */

static void run_service(struct call *c, const struct service *s) {
    struct call asked = *c;
    if (s)
        s->run(c);
    if (c->elsewhere || c->stop)
        return;
    if (!s || c->unknown)
        tell_unknown(c, asked.ax);
    else if (!c->silent && c->pc % ROM_STUB_SIZE == (c->again ? ROM_STUB_AGAIN : ROM_STUB_OUT))
        keep_call(&asked, c, s);
}

/* In virtual time a service is one instruction, but takes a host as long as a hundred. A program that
 * polls the time by the BIOS would find the clock almost standing: so the timer goes on meanwhile. */
static void service_takes_time(struct bios *b) {
    enum { SERVICE_NS = 1000 };
    if (cpu_can(b->cpu, ENGINE_DETERMINISTIC))
        pit_pass(&b->board->devices.pit, SERVICE_NS);
}

enum io_result bios_service(struct bios *b, struct cpu *cpu) {
    b->cpu = cpu;
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    struct call c;
    take_call(&c, b, s);
    if (b->reset_by) {
        bios_restart(&c);
        return c.stop ? IO_STOP : IO_DONE;
    }
    if (!bios_runs(b, s) || !identify_call(&c, x86_pc(&s->regs, &s->sregs)))
        return IO_DONE;
    uint16_t flags = c.flags, es = c.es;
    stop_at_stub(&c);
    if (!c.stop) {
        run_service(&c, find_service(c.number, c.ax));
        service_takes_time(b);
    }
    if (b->reset_by)
        bios_restart(&c);
    if (c.elsewhere)
        return c.stop ? IO_STOP : IO_DONE;
    put_flags(&c, cpu_read(cpu, CPU_REGS | CPU_SREGS), flags);
    if (c.es != es)
        put_es(cpu, c.es);
    struct cpu_state *after = cpu_write(cpu, CPU_REGS);
    put_registers(&c, &after->regs);
    after->regs.rflags |= c.raise;
    after->regs.rip = (uint32_t)(ROM_BASE + c.pc - after->sregs.cs.base);
    return c.stop ? IO_STOP : IO_DONE;
}

/* --- the private port ------------------------------------------------------------------------- */

bool bios_runs(const struct bios *b, const struct cpu_state *s) {
    uint64_t pc = x86_pc(&s->regs, &s->sregs);
    enum cpu_mode mode = x86_mode(&s->sregs, s->regs.rflags);
    return b->on && (mode == MODE_REAL || mode == MODE_VM86) && pc >= ROM_BASE && pc < ROM_BASE + ROM_SIZE;
}

/* From elsewhere it is a port that nobody answers. */
static enum io_result access_port(void *bios, const struct access *a) {
    struct bios *b = bios;
    if (b->on && a->write && a->size == 1 && a->cpu &&
        bios_runs(b, cpu_read(a->cpu, CPU_REGS | CPU_SREGS)))
        return IO_SERVICE;
    if (b->board->bus.unassigned)
        b->board->bus.unassigned(b->board->bus.machine, a);
    return a->write ? IO_DONE : access_reply(a, UINT64_MAX);
}

void bios_open(struct bios *b, struct pc_board *board, const struct bios_hooks *hooks, void *machine) {
    b->board = board;
    b->cpu = board->cpu;
    b->hooks = hooks;
    b->machine = machine;
    board->services.holds_keys = bios_holds_keys;
    board->services.firmware = b;
    bus_add(&board->bus, "bios", ROM_PORT, ROM_PORT, access_port, b);
}
