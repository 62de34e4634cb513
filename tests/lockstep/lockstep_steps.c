/* A step on KVM is one instruction where TF cannot tell (docs/kvm-quirks.md 6): the same state and
 * memory as the built-in CPU's, after each kind of fault, interrupt and way into the kernel. A
 * handler is NOP; HLT, so a step that runs on ends there; #DB's is NOP; IRET, for guests that have a
 * TF of their own: of them several steps are compared. All again while watchpoints have the debug
 * registers. Needs KVM, with execution breakpoints.
 */
#include "lockstep.h"
#include "tests/unit/unit.h"
#include "vmm/engines/kvm/debug/debug.h"
#include "vmm/engines/soft/soft.h"
#include "vmm/x86/fpu.h"
#include "vmm/x86/mode.h"

enum { RAM = 1 << 20, HANDLERS_AT = 0x12000, HANDLER_SIZE = 16, DATA_AT = 0x30000,
       WATCHED_AT = 0x50000 };
enum { FRAME = 0x100, TRACED_FRAME = 0x200, RING0_FRAME = 0x300 }; /* from DATA_AT */
enum { ABSENT = 0x40 }; /* a selector whose segment is not present */

struct row {
    const char *name;
    enum { REAL, FLAT, LONG, RING3 } mode; /* RING3: of long mode */
    char code[16];
    void (*set)(struct cpu_state *);
};

static void nothing(struct cpu_state *s) { (void)s; }
static void absent(struct cpu_state *s) { s->regs.rax = ABSENT; }
static void lazy(struct cpu_state *s) {
    s->sregs.cr0 |= CR0_TS;
    s->sregs.cr4 |= CR4_OSFXSR;
}
static void lazy_and_zero(struct cpu_state *s) {
    lazy(s);
    s->regs.rcx = 0;
}
static void out_of_bounds(struct cpu_state *s) { s->regs.rax = 9; }
static void zero(struct cpu_state *s) { s->regs.rcx = 0; }
static void overflow(struct cpu_state *s) { s->regs.rflags |= FLAG_OF; }
static void bad_stack(struct cpu_state *s) { s->regs.rbp = 1ull << 47; }
static void no_segment(struct cpu_state *s) { s->regs.rax = 0x5000; }
static void swapping(struct cpu_state *s) {
    s->sregs.gs.base = 0x1234;
    s->msrs.kernel_gs_base = 0x5678;
}
static void small_stack(struct cpu_state *s) {
    s->sregs.ss.limit = DATA_AT - 1;
    s->sregs.ss.g = 0;
    s->regs.rbx = DATA_AT;
}

static void kernel_entries(struct cpu_state *s) {
    s->msrs.star = (uint64_t)CODE64 << 32 | (uint64_t)(USER32 | 3) << 48;
    s->msrs.lstar = s->msrs.sysenter_eip = HANDLERS_AT;
    s->msrs.sysenter_cs = CODE64;
    s->msrs.sysenter_esp = STACK_AT;
    s->msrs.fmask = 0x700;
}
static void own_step(struct cpu_state *s) {
    kernel_entries(s);
    s->regs.rflags |= FLAG_TF;
}
/* To ring 3 by SYSRET or by the frame at DATA_AT + FRAME. */
static void returning(struct cpu_state *s) {
    kernel_entries(s);
    s->regs.rcx = HANDLERS_AT;
    s->regs.r11 = 0x202;
    s->regs.rsp = DATA_AT + FRAME;
}
/* A TF of the guest's own, from here on, or from the stack or R11. */
static void traced(struct cpu_state *s) {
    kernel_entries(s);
    s->regs.rflags |= FLAG_TF;
    s->regs.rcx = 3;
    s->regs.rsi = s->regs.rdi = DATA_AT;
    s->regs.rax = s->sregs.ss.selector;
    s->sregs.cr4 |= CR4_OSFXSR;
}
static void traced_real(struct cpu_state *s) {
    traced(s);
    s->regs.rsi = s->regs.rdi = 0x3000;
}
static void traced_overflow(struct cpu_state *s) {
    traced_real(s);
    overflow(s);
}
static void traced_zero(struct cpu_state *s) {
    traced_real(s);
    s->regs.rcx = 0;
}
static void traced_kernel(struct cpu_state *s) {
    traced(s);
    s->msrs.fmask = 0;
}
static void frame_traced_real(struct cpu_state *s) { s->regs.rsp = 0x3010; }
static void frame_traced(struct cpu_state *s) {
    kernel_entries(s);
    s->regs.rsp = DATA_AT + TRACED_FRAME;
}
static void to_ring0(struct cpu_state *s) { s->regs.rsp = DATA_AT + RING0_FRAME; }
static void to_ring0_traced(struct cpu_state *s) { s->regs.rsp = DATA_AT + RING0_FRAME + 0x100; }
static void flags_traced(struct cpu_state *s) {
    s->regs.rsp = DATA_AT + TRACED_FRAME + 16;
}
static void flags_traced_real(struct cpu_state *s) { s->regs.rsp = 0x3014; }
static void returning_traced(struct cpu_state *s) {
    returning(s);
    s->regs.r11 |= FLAG_TF;
}
static void x87_due(struct cpu_state *s) {
    s->sregs.cr0 |= CR0_NE | CR0_MP;
    fpu_of(s)->fcw = 0x37e;
    fpu_of(s)->fsw = 0x8081; /* IE, ES, B */
}
static void sse_unmasked(struct cpu_state *s) {
    s->sregs.cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
    fpu_of(s)->mxcsr = 0x1f80 & ~0x80u; /* 0 by 0 is invalid */
}
static void saving(struct cpu_state *s) { s->sregs.cr4 |= CR4_OSFXSR; }
static void detecting(struct cpu_state *s) { s->debugregs.dr7 |= DR7_GD; }
static void detecting_not(struct cpu_state *s) { s->regs.rax = 0x1234; }
static void aligned(struct cpu_state *s) {
    s->sregs.cr0 |= CR0_AM;
    s->regs.rflags |= FLAG_AC;
}

static const struct row rows[] = {
    {"ud2, real", REAL, "\x0f\x0b", nothing},
    {"div, real", REAL, "\xf7\xf1", zero},
    {"bound, real", REAL, "\x62\x06\x00\x30", out_of_bounds},
    {"int, real", REAL, "\xcd\x30", nothing},
    {"into, real", REAL, "\xce", overflow},
    {"mov from dr under GD, real", REAL, "\x0f\x21\xc0", detecting},
    {"pop ss; pushf, real", REAL, "\x17\x9c\x00\x10", nothing},
    {"ud2", FLAT, "\x0f\x0b", nothing},
    {"mov to dr under GD", FLAT, "\x0f\x23\xc0", detecting},
    {"int1", FLAT, "\xf1", nothing},
    {"div", FLAT, "\xf7\xf1", zero},
    {"div r/m8", FLAT, "\xf6\xf1", zero},
    {"aam 0", FLAT, "\xd4\x00", nothing},
    {"bound", FLAT, "\x62\x05\x00\x00\x03\x00", out_of_bounds},
    {"int3", FLAT, "\xcc", nothing},
    {"into", FLAT, "\xce", overflow},
    {"no such selector", FLAT, "\x8e\xd8", no_segment},
    {"absent segment", FLAT, "\x8e\xd8", absent},
    {"absent segment by les", FLAT, "\xc4\x1d\x00\x00\x03\x00", nothing},
    {"absent stack segment", FLAT, "\x8e\xd0", absent},
    {"absent stack segment by lss", FLAT, "\x0f\xb2\x1d\x00\x00\x03\x00", nothing},
    {"absent code segment", FLAT, "\xea\x00\x00\x01\x00\x40\x00", nothing},
    {"write beyond the stack", FLAT, "\x36\x89\x03", small_stack},
    {"movups with CR0.TS", FLAT, "\x0f\x10\x05\x00\x00\x03\x00", lazy},
    {"fninit with CR0.TS", FLAT, "\xdb\xe3", lazy},
    {"div with CR0.TS", FLAT, "\xf7\xf1", lazy_and_zero},
    {"mov to dr", LONG, "\x0f\x23\xc0", detecting_not},
    {"mov to dr under GD, long", LONG, "\x0f\x23\xc0", detecting},
    {"mov from dr under GD, ring 3", RING3, "\x0f\x21\xc0", detecting_not},
    {"int1, long", LONG, "\xf1", nothing},
    {"ud2, long", LONG, "\x0f\x0b", nothing},
    {"div, long", LONG, "\x48\xf7\xf1", zero},
    {"int, long", LONG, "\xcd\x30", nothing},
    {"absent segment, long", LONG, "\x8e\xd8", absent},
    {"write to no canonical address", LONG, "\x48\x89\x45\x00", bad_stack},
    {"movups with CR0.TS, long", LONG, "\x0f\x10\x04\x25\x00\x00\x03\x00", lazy},
    {"swapgs", LONG, "\x0f\x01\xf8", swapping},
    {"syscall", RING3, "\x0f\x05", kernel_entries},
    {"sysenter", RING3, "\x0f\x34", kernel_entries},
    {"syscall with a TF of its own", RING3, "\x0f\x05", own_step},
    {"int, ring 3", RING3, "\xcd\x30", nothing},
    {"ud2, ring 3", RING3, "\x0f\x0b", nothing},
    {"div, ring 3", RING3, "\x48\xf7\xf1", zero},
    {"privileged, ring 3", RING3, "\xf4", nothing},
    {"movups with CR0.TS, ring 3", RING3, "\x0f\x10\x04\x25\x00\x00\x03\x00", lazy},
    {"fld1 with CR0.TS, ring 3", RING3, "\xd9\xe8", lazy},
    {"fwait with an exception due", LONG, "\x9b", x87_due},
    {"fwait with an exception due, ring 3", RING3, "\x9b", x87_due},
    {"divps, unmasked", LONG, "\x0f\x5e\xc1", sse_unmasked},
    {"divps, unmasked, ring 3", RING3, "\x0f\x5e\xc1", sse_unmasked},
    {"misaligned, ring 3", RING3, "\x8b\x04\x25\x01\x00\x03\x00", aligned},
    {"read beyond memory's pages, ring 3", RING3, "\x48\xa1\x00\x00\x00\x00\x10\x00\x00\x00",
     nothing},
    {"sysretq", LONG, "\x48\x0f\x07", returning},
    {"iretq", LONG, "\x48\xcf", returning},
    {"fxsave", LONG, "\x0f\xae\x04\x25\x00\x00\x04\x00", saving},
    {"fxrstor64", LONG, "\x48\x0f\xae\x0c\x25\x00\x02\x04\x00", saving},
    {"fxrstor with CR0.TS", LONG, "\x0f\xae\x0c\x25\x00\x02\x04\x00", lazy},
    {"mfence", LONG, "\x0f\xae\xf0", nothing},
    {"endbr64", LONG, "\xf3\x0f\x1e\xfa", nothing},
    {"read beyond memory's pages", LONG, "\x48\xa1\x00\x00\x00\x00\x10\x00\x00\x00", nothing},
};

/* The guest's own TF, which it has, takes or leaves: so many steps. */
static const struct {
    struct row row;
    unsigned steps;
} traced_rows[] = {
    {{"nop, traced, real", REAL, "\x90\x90\xf4", traced_real}, 5},
    {{"pushf, traced, real", REAL, "\x9c\x90\xf4", traced_real}, 5},
    {{"popf that clears TF, real", REAL, "\x9d\x90\x90\xf4", traced_real}, 5},
    {{"popf that sets TF, real", REAL, "\x9d\x90\x90\xf4", flags_traced_real}, 6},
    {{"iret that sets TF, real", REAL, "\xcf", frame_traced_real}, 6},
    {{"sti, traced, real", REAL, "\xfb\x90\xf4", traced_real}, 5},
    {{"mov ss, traced, real", REAL, "\x8e\xd0\x90\xf4", traced_real}, 5},
    {{"rep movsb, traced, real", REAL, "\xf3\xa4\x90\xf4", traced_real}, 12},
    {{"out, traced, real", REAL, "\xe6\x80\x90\xf4", traced_real}, 5},
    {{"wbinvd, traced, real", REAL, "\x0f\x09\x90\xf4", traced_real}, 5},
    {{"int, traced, real", REAL, "\xcd\x30", traced_real}, 2},
    {{"int3, traced, real", REAL, "\xcc", traced_real}, 2},
    {{"into, traced, real", REAL, "\xce", traced_overflow}, 2},
    {{"ud2, traced, real", REAL, "\x0f\x0b", traced_real}, 2},
    {{"div, traced, real", REAL, "\xf7\xf1", traced_zero}, 2},
    {{"hlt, traced, real", REAL, "\xf4", traced_real}, 1},
    {{"nop, traced", LONG, "\x90\x90\xf4", traced}, 5},
    {{"pushf, traced", LONG, "\x9c\x90\xf4", traced}, 5},
    {{"popf that clears TF", LONG, "\x9d\x90\x90\xf4", traced}, 5},
    {{"popf that sets TF", LONG, "\x9d\x90\x90\xf4", flags_traced}, 6},
    {{"sti, traced", LONG, "\xfb\x90\xf4", traced}, 5},
    {{"mov ss, traced", LONG, "\x8e\xd0\x90\xf4", traced}, 5},
    {{"rep movsb, traced", LONG, "\xf3\xa4\x90\xf4", traced}, 12},
    {{"swapgs, traced", LONG, "\x0f\x01\xf8\x90\xf4", traced}, 5},
    {{"mfence, traced", LONG, "\x0f\xae\xf0\x90\xf4", traced}, 5},
    {{"fxsave, traced", LONG, "\x0f\xae\x04\x25\x00\x00\x04\x00\x90\xf4", traced}, 5},
    {{"out, traced", LONG, "\xe6\x80\x90\xf4", traced}, 5},
    {{"ud2, traced", LONG, "\x0f\x0b", traced}, 2},
    {{"int, traced", LONG, "\xcd\x30", traced}, 2},
    {{"div, traced", LONG, "\xf7\xf1", traced_zero}, 2},
    {{"absent segment, traced", LONG, "\xb8\x40\x00\x00\x00\x8e\xd8", traced}, 5},
    {{"iretq to ring 0", LONG, "\x48\xcf", to_ring0}, 2},
    {{"iretq to ring 0 that sets TF", LONG, "\x48\xcf", to_ring0_traced}, 5},
    {{"iretq that sets TF", LONG, "\x48\xcf", frame_traced}, 6},
    {{"sysretq that sets TF", LONG, "\x48\x0f\x07", returning_traced}, 6},
    {{"nop, traced, ring 3", RING3, "\x90\x90", traced}, 5},
    {{"pushf, traced, ring 3", RING3, "\x9c\x90", traced}, 5},
    {{"popf that sets TF, ring 3", RING3, "\x9d\x90\x90", flags_traced}, 6},
    {{"int, traced, ring 3", RING3, "\xcd\x30", traced}, 2},
    {{"ud2, traced, ring 3", RING3, "\x0f\x0b", traced}, 2},
    {{"syscall, traced", RING3, "\x0f\x05", traced}, 2},
    {{"syscall, traced into the kernel", RING3, "\x0f\x05", traced_kernel}, 5},
    {{"sysenter, traced", RING3, "\x0f\x34", traced_kernel}, 5},
};

static void put_handlers(struct rig *r, const struct row *row) {
    for (unsigned n = 0; n < 64; n++) {
        uint32_t at = HANDLERS_AT + HANDLER_SIZE * n;
        if (row->mode == REAL)
            rig_put32(r, 4 * n, (HANDLERS_AT >> 4) << 16 | HANDLER_SIZE * n);
        else if (row->mode == FLAT)
            rig_gate(r, n, 8, at, 0x8E);
        else
            rig_gate64(r, n, CODE64, at, n == 0x30 ? 0xEE : 0x8E, 0);
        rig_put(r, at, "\x90\xf4", 2);
    }
    rig_put(r, HANDLERS_AT + HANDLER_SIZE * VECTOR_DB + 1, row->mode >= LONG ? "\x48\xcf" : "\xcf",
            2);
}

/* The same beginning on both. */
static void prepare(struct rig *r, const struct row *row) {
    static const uint32_t data[] = {1, ABSENT << 16 | 5, ABSENT, 0};
    static const uint64_t frame[] = {HANDLERS_AT, USER64 | 3, 0x202, STACK_AT, USER_DATA | 3};
    static const uint64_t traced_frame[] = {HANDLERS_AT, USER64 | 3, 0x302, STACK_AT,
                                            USER_DATA | 3};
    static const uint64_t ring0_frame[] = {HANDLERS_AT, CODE64, 0x202, STACK_AT, DATA64};
    static const uint64_t ring0_traced_frame[] = {HANDLERS_AT, CODE64, 0x302, STACK_AT, DATA64};
    static const uint16_t traced_real_frame[] = {HANDLERS_AT & 15, HANDLERS_AT >> 4, 0x102};
    if (row->mode == REAL)
        rig_real(r, row->code, sizeof row->code, 0x1000);
    else if (row->mode == FLAT)
        rig_flat(r, row->code, sizeof row->code);
    else
        rig_long(r, row->code, sizeof row->code);
    put_handlers(r, row);
    rig_gdt(r, ABSENT, rig_descriptor(0, 0xFFFFF, 0x13, 0xC));
    rig_put(r, DATA_AT, data, sizeof data);
    rig_put(r, 0x3000, row->mode == REAL ? "\x01\x00\x02\x00" : "", row->mode == REAL ? 4 : 0);
    rig_put(r, DATA_AT + FRAME, frame, sizeof frame);
    rig_put(r, DATA_AT + TRACED_FRAME, traced_frame, sizeof traced_frame);
    rig_put(r, DATA_AT + RING0_FRAME, ring0_frame, sizeof ring0_frame);
    rig_put(r, DATA_AT + RING0_FRAME + 0x100, ring0_traced_frame, sizeof ring0_traced_frame);
    rig_put(r, 0x3010, traced_real_frame, sizeof traced_real_frame);
    struct cpu_state *s = rig_get(r);
    if (row->mode == RING3) {
        s->sregs.cs = x86_descriptor(USER64 | 3, rig_descriptor(0, 0xFFFFF, 0xFB, 0xA));
        s->sregs.ss = x86_descriptor(USER_DATA | 3, rig_descriptor(0, 0xFFFFF, 0xF3, 0xC));
    }
    s->debugregs = (struct kvm_debugregs){.dr6 = 0xffff0ff0, .dr7 = 0x400};
    row->set(s);
    rig_set(r);
}

static enum io_result port(void *context, uint16_t number, bool out, unsigned size, void *data) {
    (void)context, (void)number, (void)out, (void)size, (void)data;
    return IO_DONE;
}

static int open_kvm(struct cpu *cpu) {
    static const struct engine_options options = {.debugged = true};
    char error[320];
    return engine_kvm.open(cpu, &options, error, sizeof error);
}

/* One step of both; *ran says whether this KVM can do that instruction at all. false: they differ. */
static bool step_both(struct lockstep *l, struct rig *kvm, struct rig *soft, bool *ran) {
    *ran = rig_step(kvm) != CPU_EXIT_CANNOT;
    kvm->cpu.ops->store(&kvm->cpu, kvm->cpu.dirty); /* what the step has mended */
    rig_step(soft);
    l->steps++;
    return !*ran || (kvm->exit.kind == soft->exit.kind && lockstep_same(l, kvm, soft));
}

/* Watchpoints that no row sets off: they have all debug registers. */
static void watch_much(struct rig *r) {
    for (unsigned n = 0; n < DEBUG_REGISTERS; n++)
        breakpoints_add(&r->breakpoints, BP_WRITE, WATCHED_AT + 8 * n, 8);
}

/* Ring 3 of long mode is not every KVM's (kvm-quirks 18). */
static bool kvm_gets_right(const struct row *row) {
    bool user = row->mode == RING3 || row->set == returning || row->set == frame_traced ||
                row->set == returning_traced;
    return long_mode_is_right() || !user;
}

static void open_both(struct rig *kvm, struct rig *soft, const struct row *row) {
    rig_open(kvm, open_kvm, RAM);
    rig_open(soft, soft_open, RAM);
    kvm->cpu.host.io = soft->cpu.host.io = port;
    prepare(kvm, row);
    prepare(soft, row);
}

/* false: this KVM cannot run it. */
static bool alike(const struct row *row, unsigned steps, bool watching) {
    struct rig kvm, soft;
    open_both(&kvm, &soft, row);
    if (watching)
        watch_much(&kvm);
    struct lockstep l = {.parts = CPU_REGS | CPU_SREGS | CPU_DEBUGREGS | CPU_FPU | CPU_MSRS,
                         .ignore_flags = FLAG_RF,
                         .ignore_accessed = true,
                         .memory = true};
    bool ran = kvm_gets_right(row), same = true;
    for (unsigned n = 0; n < steps && ran && same; n++)
        same = step_both(&l, &kvm, &soft, &ran);
    if (!same)
        printf("%s%s: exit %d at %#llx and %d at %#llx %s; %s\n", row->name,
               watching ? ", with watchpoints" : "", kvm.exit.kind, rig_get(&kvm)->regs.rip,
               soft.exit.kind, rig_get(&soft)->regs.rip, kvm.exit.text, l.why);
    CHECK(same);
    rig_close(&kvm);
    rig_close(&soft);
    return ran;
}

/* A KVM that interprets does many iterations of a rep at once, whatever TF says. */
static bool is_beyond(const struct row *row) {
    return row->code[0] == '\xf3' && row->code[1] == '\xa4' && !probe_traits()->paging32;
}

/* In a run with a breakpoint at the handler of #DB, which INT1 and DR7.GD lead to, too. */
static void runs_alike(const struct row *row) {
    struct rig kvm, soft;
    struct lockstep l = {.parts = CPU_REGS | CPU_SREGS | CPU_DEBUGREGS,
                         .ignore_flags = FLAG_RF,
                         .ignore_accessed = true,
                         .memory = true};
    open_both(&kvm, &soft, row);
    breakpoints_add(&kvm.breakpoints, BP_HARD, HANDLERS_AT + HANDLER_SIZE * VECTOR_DB, 1);
    breakpoints_add(&soft.breakpoints, BP_HARD, HANDLERS_AT + HANDLER_SIZE * VECTOR_DB, 1);
    bool ran = kvm_gets_right(row) && rig_run(&kvm) != CPU_EXIT_CANNOT;
    bool same = rig_run(&soft) == kvm.exit.kind && lockstep_same(&l, &kvm, &soft);
    if (ran && !same)
        printf("%s, run: exit %d and %d; %s\n", row->name, kvm.exit.kind, soft.exit.kind, l.why);
    CHECK(!ran || same);
    rig_close(&kvm);
    rig_close(&soft);
}

/* Of guests that trace themselves (docs/kvm-quirks.md 25): not POPF, IRET, HLT. */
static bool run_is_right(const struct row *row) {
    unsigned char op = (unsigned char)row->code[row->code[0] == '\x48'];
    return probe_traits()->paging32 && op != 0x9d && op != 0xcf && op != 0xf4;
}

static unsigned count(const struct row *row, unsigned steps) {
    if (!is_beyond(row) && alike(row, steps, false)) {
        if (probe_traits()->data_bp)
            alike(row, steps, true);
        return 1;
    }
    printf("this KVM cannot run %s\n", row->name);
    return 0;
}

int main(void) {
    enum { ROWS = sizeof rows / sizeof *rows, TRACED = sizeof traced_rows / sizeof *traced_rows };
    unsigned ran = 0;
    if (!probe_traits()->exec_bp) {
        printf("no KVM with execution breakpoints\n");
        return 77;
    }
    for (unsigned n = 0; n < ROWS; n++) {
        ran += count(&rows[n], 1);
        bool detects = rows[n].set == detecting && probe_traits()->paging32;
        if (detects || rows[n].code[0] == '\xf1')
            runs_alike(&rows[n]);
    }
    for (unsigned n = 0; n < TRACED; n++) {
        ran += count(&traced_rows[n].row, traced_rows[n].steps);
        if (run_is_right(&traced_rows[n].row))
            runs_alike(&traced_rows[n].row);
    }
    CHECK(ran > (ROWS + TRACED) / 2);
    return unit_end();
}
