/* The built-in CPU's loop, and what happens between instructions. As an engine it is
 * in engine.c.
 *
 * Blocks run in run_fast() until something sets `pending`. Then service_boundary() does
 * everything that can happen between two instructions, in the manual's order (6.9), and
 * goes on: fast again, or one instruction at a time while something has to be checked
 * after each.
 *
 * Rule: at every exit the state is that of an instruction boundary: settle() has
 * been called, and a trap that is still due is among the events.
 */
#include "vmm/engines/soft/soft.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vmm/cpu/engine.h"
#include "vmm/cpu/service.h"
#include "vmm/engines/soft/access.h"
#include "vmm/engines/soft/flags.h"
#include "vmm/engines/soft/x87.h"
#include "vmm/x86/mode.h"

/* --- leaving an instruction --- */

uint64_t now(const struct soft *s) {
    return s->ticks + s->op->index;
}

void settle(struct soft *s, const struct op *next) {
    s->ticks += next->index;
    s->ip += next->start;
    s->op = s->nothing;
}

void checkpoint(struct soft *s) {
    memcpy(s->saved, s, SAVED_SIZE);
    s->saved_valid = true;
}

void commit(struct soft *s) {
    s->saved_valid = false;
}

static void go_back(struct soft *s) {
    if (!s->saved_valid)
        return;
    memcpy(s, s->saved, SAVED_SIZE);
    s->saved_valid = false;
    new_epoch(s);
    mode_changed(s);
}

static _Noreturn void raise_any(struct soft *s, struct fault f) {
    /* While an event that is not the program's own is delivered, the error code
     * says so (6.13). */
    bool external = s->chained && s->chain[s->chained - 1].kind != KIND_SOFTWARE;
    if (f.has_code && f.vector != VECTOR_PF && f.vector != VECTOR_AC)
        f.code |= external;
    f.raised = true;
    s->fault = f;
    longjmp(s->unwind, UNWIND_FAULT);
}

void raise_fault(struct soft *s, unsigned vector, uint32_t code) {
    raise_any(s, (struct fault){.vector = vector, .has_code = true, .code = code});
}

void raise_plain(struct soft *s, unsigned vector) {
    raise_any(s, (struct fault){.vector = vector});
}

/* CR2 tells of the last one, also when that becomes a double fault. */
void raise_page_fault(struct soft *s, uint64_t linear, uint32_t code) {
    s->cr2 = linear;
    raise_any(s, (struct fault){
                     .vector = VECTOR_PF, .has_code = true, .code = code, .cr2 = linear});
}

/* Only the first thing to report is reported. */
void report(struct soft *s, enum cpu_exit_kind kind, const char *format, ...) {
    va_list arguments;
    if (s->exiting)
        return;
    s->exiting = true;
    *s->exit = (struct cpu_exit){.kind = kind};
    va_start(arguments, format);
    vsnprintf(s->exit->text, sizeof s->exit->text, format, arguments);
    va_end(arguments);
    pend(s, PENDING_CHECK);
}

void leave_with(struct soft *s, enum cpu_exit_kind kind, const char *text) {
    report(s, kind, "%s", text);
    longjmp(s->unwind, UNWIND_EXIT);
}

/* --- what follows from the mode --- */

static enum cpu_mode mode_now(const struct soft *s) {
    if (!(s->cr0 & CR0_PE))
        return MODE_REAL;
    if (vm86(s))
        return MODE_VM86;
    if (code64(s))
        return MODE_LONG;
    return (s->long_mode ? MODE_COMPAT16 : MODE_PROT16) + (s->seg[S_CS].k.db ? 1 : 0);
}

/* What blocks are decoded for may be something else now: code_mode(), and the ring. */
void blocks_changed(struct soft *s) {
    bool flat = segments_are_flat(s);
    if (flat != s->flat)
        pend(s, PENDING_CHECK); /* what is left of the block in progress was decoded for the other */
    s->flat = flat;
    s->epoch = (s->epoch & ~(uint64_t)EPOCH_MODE) | code_mode(s) | (s->cpl == 3);
}

/* What comes with the width of the code. */
static void code_changed(struct soft *s) {
    const struct kvm_segment *cs = &s->seg[S_CS].k;
    s->long_mode = s->efer & EFER_LMA;
    s->width = s->long_mode && cs->l ? 8 : cs->db ? 4 : 2;
    s->ip_bias = code64(s) ? 1ull << 47 : 0;
    s->ip_last = code64(s) ? (1ull << 48) - 1 : cs->limit;
    s->fcs = code64(s) ? 0 : (uint64_t)cs->selector << 32;
}

static void stack_changed(struct soft *s) {
    unsigned width = code64(s) ? 8 : s->seg[S_SS].k.db ? 4 : 2;
    s->stack_mask = mask_of(width);
    s->stack_kept = width == 2 ? ~0xFFFFull : 0;
}

void mode_changed(struct soft *s) {
    bool protected = s->cr0 & CR0_PE && !vm86(s), user = s->cpl == 3;
    bool align = user && s->cr0 & CR0_AM && s->flags & FLAG_AC, was64 = code64(s);
    code_changed(s);
    bool refresh = protected != s->protected || was64 != code64(s), retag = align != s->align;
    s->protected = protected;
    s->align = align;
    bool smap_off = s->cr4 & CR4_SMAP && s->flags & FLAG_AC;
    s->rights = user ? RIGHTS_USER : smap_off ? RIGHTS_SYSTEM_AC : RIGHTS_SYSTEM;
    s->tlb = s->tlbs[s->rights];
    stack_changed(s);
    if (refresh)
        segments_refresh(s);
    blocks_changed(s);
    if (retag)
        tlb_retag(s);
    if (refresh || mode_now(s) != s->mode)
        pend(s, PENDING_CHECK);
}

void flags_changed(struct soft *s) {
    mode_changed(s);
    if (s->flags & (FLAG_TF | FLAG_RF) || (s->flags & FLAG_IF && s->cpu->intr))
        pend(s, PENDING_CHECK);
}

static bool catches_mode(const struct cpu_catch *c, enum cpu_mode mode) {
    return c->mode && (!c->mode_bits || c->mode_bits == x86_mode_bits(mode));
}

static void watch_mode(struct soft *s) {
    enum cpu_mode mode = mode_now(s);
    if (mode == s->mode)
        return;
    if (catches_mode(&s->cpu->catch, mode))
        report(s, CPU_EXIT_EVENT, "mode from %s to %s", x86_mode_name(s->mode),
               x86_mode_name(mode));
    s->mode = mode;
}

/* --- running --- */

static void run_fast(struct soft *s) {
    const struct op *op = resume_at(s);
    while (LIKELY(!pending(s))) {
        s->op = op;
        op = op->run(s, op);
    }
    settle(s, op);
}

static void run_one(struct soft *s) {
    bool single_step = s->flags & FLAG_TF;
    pend(s, PENDING_CAREFUL); /* so that nothing goes beyond this instruction */
    s->turn_end = 0;
    s->delivered = false;
    const struct op *op = single_at(s, s->ip);
    s->op = op;
    op = op->run(s, op);
    settle(s, op);
    atomic_fetch_and(&s->pending, ~(unsigned)PENDING_CAREFUL);
    if (single_step && !s->delivered)
        s->db_trap |= DR6_BS;
}

static void run_some(struct soft *s, bool one) {
    s->shadow_sti = s->shadow_ss = false;
    s->rf = s->flags & FLAG_RF;
    s->flags &= ~(uint32_t)FLAG_RF;
    s->first = false;
    if (one)
        run_one(s);
    else
        run_fast(s);
    s->rf = false;
    if (!s->repeating)
        cpu_arrives(s->cpu);
}

/* --- between two instructions --- */

/* #DB traps of what was just done. After MOV SS they wait (6.8.3). */
static bool take_traps(struct soft *s) {
    if (!s->db_trap || s->shadow_ss)
        return false;
    uint32_t bits = s->db_trap;
    s->db_trap = 0;
    s->dr[6] |= bits;
    deliver(s, (struct fault){.vector = VECTOR_DB, .ip = s->ip});
    return true;
}

/* A trap can be due when we leave: the frame of the last one was pushed onto a watched
 * stack, or it waits for MOV SS. Outside it is an exception that is pending, its bits of
 * DR6 the payload (KVM_GET_VCPU_EVENTS). */
static void hand_out_traps(struct soft *s) {
    events_add_traps(s, &s->events);
    s->db_trap = 0;
}

static void take_back_traps(struct soft *s) {
    struct kvm_vcpu_events *e = &s->events;
    if (!e->exception.pending || !e->exception_has_payload || e->exception.nr != VECTOR_DB)
        return;
    s->db_trap = e->exception_payload & DR6_TRAPS;
    events_drop_exception(e);
}

/* Delivers an event that another engine had begun: it came with the state. */
static bool take_injected(struct soft *s) {
    struct kvm_vcpu_events *e = &s->events;
    struct fault f = {.ip = s->ip, .cr2 = s->cr2};
    if (e->exception.injected || e->exception.pending) {
        f.vector = e->exception.nr;
        f.has_code = e->exception.has_error_code;
        f.code = e->exception.error_code;
    } else if (e->interrupt.injected && !e->interrupt.soft) {
        f.vector = e->interrupt.nr;
        f.kind = KIND_EXTERNAL;
    } else {
        e->interrupt.injected = 0; /* soft: the INT itself is still to be run */
        return false;
    }
    events_drop_exception(e);
    e->interrupt.injected = 0;
    deliver(s, f);
    return true;
}

static bool take_nmi(struct soft *s) {
    if (!s->events.nmi.pending || s->events.nmi.masked || s->shadow_ss)
        return false;
    s->events.nmi.pending = 0;
    s->events.nmi.masked = 1;
    deliver(s, (struct fault){.vector = VECTOR_NMI, .kind = KIND_EXTERNAL, .ip = s->ip});
    return true;
}

static bool take_interrupt(struct soft *s) {
    const struct engine_host *host = engine_host_of(s->cpu);
    bool open = s->flags & FLAG_IF && !s->shadow_sti && !s->shadow_ss;
    s->irq_deferred = false;
    if (!open || !s->cpu->intr || !host->acknowledge)
        return false;
    s->irq_deferred = s->stepping && !s->cpu->step_irqs;
    if (s->cpu->defer_irq)
        s->irq_deferred = s->cpu->defer_irq(s->cpu->host.context, s->ticks, s->halted, s->irq_deferred);
    if (s->irq_deferred)
        return false;
    s->cpu->ticks = s->ticks; /* whoever is asked may look at the time */
    int vector = host->acknowledge(s->cpu->host.context);
    if (vector < 0)
        return false;
    deliver(s, (struct fault){.vector = (uint8_t)vector, .kind = KIND_EXTERNAL, .ip = s->ip});
    return true;
}

static void keep_time(struct soft *s) {
    const struct engine_host *host = engine_host_of(s->cpu);
    if (s->ticks < s->deadline)
        return;
    s->cpu->ticks = s->ticks;
    s->cpu->mid_rep = s->repeating;
    s->cpu->valid = 0;
    s->deadline = host->deadline ? host->deadline(s->cpu->host.context, s->ticks) : UINT64_MAX;
    s->cpu->valid = 0;
    uint64_t limit = s->cpu->limit ? s->cpu->limit : UINT64_MAX;
    s->horizon = s->deadline < limit ? s->deadline : limit;
}

/* The clock goes on, and no instruction is done. */
static void pass_time(struct soft *s, uint64_t until) {
    s->cpu->slept += until - s->ticks;
    s->ticks = until;
    s->deadline = 0;
}

/* After HLT: sleep until something may wake us (Vol. 2A, HLT). */
static void wait_halted(struct soft *s) {
    const struct engine_host *host = engine_host_of(s->cpu);
    bool open = s->flags & FLAG_IF;
    if (open && s->cpu->intr && s->irq_deferred) { /* it would wake, but may not enter */
        s->halted = false;
        pass_time(s, s->ticks + 1); /* so that awake and asleep do not have the same count */
        return;
    }
    s->cpu->ticks = s->ticks;
    uint64_t then = open && host->idle ? host->idle(s->cpu->host.context, s->ticks) : 0;
    if (!then)
        report(s, CPU_EXIT_HALTED, "%s", "");
    else
        pass_time(s, then > s->ticks ? then : s->ticks);
}

static bool soft_at_breakpoint(struct soft *s) {
    uint64_t linear = wrap_linear(s, s->seg[S_CS].base + s->ip);
    const struct breakpoint *p = NULL;
    if (s->repeating) /* it has begun, and its breakpoint was checked then */
        return false;
    if (!s->stepping && !cpu_passes(s->cpu, linear))
        p = breakpoints_at(s->cpu->breakpoints, linear);
    if (p) {
        report(s, CPU_EXIT_BREAKPOINT, "%s", "");
        s->exit->point = p->kind;
        s->exit->address = linear;
        return true;
    }
    unsigned bits = s->flags & FLAG_RF || s->shadow_ss ? 0 : guest_breaks_at(s, linear);
    if (!bits)
        return false;
    s->dr[6] |= bits;
    deliver(s, (struct fault){.vector = VECTOR_DB, .ip = s->ip});
    return true;
}

/* --- a service --- */

static void hand_on_touched(struct soft *s) {
    struct cpu_touched t = service_touched(s->cpu);
    if (!t.any || s->watch_hit)
        return;
    s->watch_hit = true;
    s->watch.kind = t.point;
    s->watch.address = t.address;
    s->cpu->watch_icount = s->ticks - 1;
    s->cpu->watched_by = BY_INSTRUCTION;
}

/* The OUT that asked for it is done, and this belongs to it. */
static void serve_device(struct soft *s) {
    struct cpu *cpu = s->cpu;
    s->serves = false;
    cpu->ticks = s->ticks;
    cpu->valid = cpu->dirty = 0;
    enum io_result result = service_run(cpu);
    if (cpu->dirty)
        soft_store(cpu, cpu->dirty);
    cpu->valid = cpu->dirty = 0;
    s->ticks = cpu->ticks;
    s->deadline = 0; /* it may have set a timer */
    pend(s, PENDING_CHECK);
    if (result == IO_STOP)
        report(s, CPU_EXIT_DEVICE, "%s", "");
    hand_on_touched(s);
}

/* What a finished instruction or event means to the caller: stop, or go on. */
static void look_back(struct soft *s) {
    watch_mode(s);
    if (s->watch_hit) {
        s->watch_hit = false;
        report(s, CPU_EXIT_WATCHPOINT, "%s", "");
        if (s->exit->kind == CPU_EXIT_WATCHPOINT) {
            s->exit->point = s->watch.kind;
            s->exit->address = s->watch.address;
        }
    }
    if (s->stepping && !s->halted && !s->repeating)
        report(s, CPU_EXIT_STEPPED, "%s", "");
}

static bool take_due_event(struct soft *s) {
    return take_traps(s) || take_injected(s) || take_nmi(s) || take_interrupt(s);
}

static bool stop_asked(struct soft *s, unsigned why) {
    if (why & PENDING_KICK)
        report(s, CPU_EXIT_KICKED, "%s", "");
    else if (s->cpu->limit && s->ticks >= s->cpu->limit)
        report(s, CPU_EXIT_LIMIT, "%s", "");
    return s->exiting;
}

static void service_boundary(struct soft *s) {
    fpu_away(s);
    unsigned why = atomic_exchange(&s->pending, 0);
    if (stop_asked(s, why))
        return;
    keep_time(s);
    if (take_due_event(s)) {
        s->first = s->repeating = false;
        look_back(s);
        return;
    }
    if (s->halted) {
        wait_halted(s);
        if (!s->exiting && !s->halted)
            look_back(s);
        return;
    }
    if (soft_at_breakpoint(s)) {
        look_back(s);
        return;
    }
    run_some(s, why & PENDING_CAREFUL || s->stepping || s->first || s->repeating ||
                    s->shadow_ss || s->shadow_sti || s->flags & (FLAG_TF | FLAG_RF) ||
                    s->horizon <= s->ticks + 1);
    if (s->serves)
        serve_device(s);
    take_traps(s);
    look_back(s);
}

/* raise_fault() and leave_with() longjmp to here. Delivering the fault may raise another,
 * which comes here again. */
static void loop_turns(struct soft *s) {
    int why = setjmp(s->unwind);
    if (why) {
        atomic_fetch_and(&s->pending, ~(unsigned)PENDING_CAREFUL);
        go_back(s);
        settle(s, s->op);
    }
    if (why == UNWIND_FAULT) {
        s->rf = s->repeating = false;
        fault_unwound(s);
        look_back(s);
    } else if (why == UNWIND_EXIT && s->rf) {
        s->flags |= FLAG_RF;
        s->rf = false;
    }
    while (!s->exiting)
        service_boundary(s);
}

/* --- from resume to exit --- */

void soft_go(struct cpu *cpu, struct cpu_exit *out, bool stepping) {
    struct soft *s = cpu->priv;
    if (cpu->dirty)
        cpu->ops->store(cpu, cpu->dirty);
    cpu->valid = cpu->dirty = 0;
    s->exit = out;
    s->exiting = s->watch_hit = false;
    s->repeating = cpu->mid_rep;
    s->stepping = stepping;
    s->first = true;
    s->ticks = cpu->ticks;
    s->deadline = 0;
    s->chained = 0;
    s->mode = mode_now(s);
    points_refresh(s);
    take_back_traps(s);
    loop_turns(s);
    fpu_away(s);
    hand_out_traps(s);
    if (out->kind == CPU_EXIT_SHUTDOWN)
        pass_time(s, s->ticks + 1); /* so that dead has another count than before the instruction */
    s->deadline = 0; /* what is due at this tick is done before the state is read */
    keep_time(s);
}
