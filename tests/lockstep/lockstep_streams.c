/* Random instructions in random states on KVM and on the built-in CPU, all of
 * the state compared after each, and the memory; see streams.h for the machine.
 *
 * Each instruction runs up to the `hlt` that it ends at, not by a single step:
 * so what a KVM makes of TF, of `int n` or of a fault in a step plays no part.
 *
 * usage: lockstep_streams [--seed=N] [--count=N] [--mode=NAME] [--long] [--verbose]
 *   --seed    of the first stream; each after it has the next number (1)
 *   --count   streams in each mode (STREAMS in the environment, else enough for CI)
 *   --mode    only this one
 *   --long    for hours
 */
#include <signal.h>
#include <unistd.h>

#include "lockstep.h"
#include "streams.h"
#include "tests/unit/unit.h"
#include "vmm/memory/layout.h"
#include "vmm/x86/insn.h"
#include "vmm/engines/kvm/debug/debug.h"
#include "vmm/engines/soft/soft.h"
#include "vmm/x86/cpuid.h"
#include "vmm/x86/descriptor.h"
#include "vmm/x86/fpu.h"
#include "vmm/x86/mode.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STREAMS = 300 };
#else
enum { STREAMS = 1500 };
#endif
enum { STREAMS_LONG = 1000000, INSTRUCTIONS = 6, SHOWN = 5, KVM_SECONDS = 2 };
enum { SOFT_STEPS = 4 }; /* the instruction, its trap or fault, and `hlt`, which may fault */

struct options {
    uint64_t seed, count;
    const char *mode;
    bool verbose;
};

/* --- ports: what is read follows from the port; what was done is kept --- */

struct ports {
    uint64_t log; /* a hash */
};

static enum io_result port(void *context, uint16_t number, bool out, unsigned size, void *data) {
    struct ports *p = context;
    uint32_t value = 0;
    if (!out) {
        value = number * 0x9E3779B1u;
        memcpy(data, &value, size);
    }
    memcpy(&value, data, size);
    p->log = (p->log ^ value ^ (uint64_t)number << 32 ^ (uint64_t)size << 48 ^ out) *
             0x100000001B3;
    return IO_DONE;
}

/* --- the two machines --- */

struct pair {
    struct rig kvm, soft;
    struct ports kvm_ports, soft_ports;
    unsigned traits;
};

static char kvm_error[256];

static int open_kvm(struct cpu *cpu) {
    struct engine_options options = {0};
    return kvm_open(cpu, &options, kvm_error, sizeof kvm_error);
}

static struct cpu *running;

static void too_long(int signal_number) {
    (void)signal_number;
    running->engine->kick(running);
}

static void pair_open(struct pair *p) {
    rig_open(&p->soft, soft_open, RAM_SIZE);
    rig_open(&p->kvm, open_kvm, RAM_SIZE);
    p->soft.cpu.host.io = p->kvm.cpu.host.io = port;
    p->soft.cpu.host.context = &p->soft_ports;
    p->kvm.cpu.host.context = &p->kvm_ports;
}

static void kvm_anew(struct pair *p) {
    rig_close(&p->kvm);
    rig_open(&p->kvm, open_kvm, RAM_SIZE);
    p->kvm.cpu.host.io = port;
    p->kvm.cpu.host.context = &p->kvm_ports;
}

static enum cpu_exit_kind run_kvm(struct pair *p) {
    running = &p->kvm.cpu;
    unit_limit(KVM_SECONDS);
    rig_run(&p->kvm);
    unit_limit(0);
    return p->kvm.exit.kind;
}

/* One that could not go on may owe us an exit: let it come, at a `hlt`. */
static void kvm_settle(struct pair *p) {
    rig_real(&p->kvm, "\xF4", 1, HLT_AT);
    rig_get(&p->kvm)->mp.mp_state = KVM_MP_STATE_RUNNABLE;
    rig_set(&p->kvm);
    if (run_kvm(p) != CPU_EXIT_HALTED)
        kvm_anew(p);
}

/* All that a stream's machine consists of, from the built-in CPU's to KVM's. */
static void hand_over(struct pair *p) {
    const struct cpu_state *from = rig_get(&p->soft);
    struct cpu_state *to = rig_get(&p->kvm);
    struct kvm_sregs keep = to->sregs;
    memcpy(p->kvm.memory.ram, p->soft.memory.ram, RAM_SIZE);
    to->regs = from->regs;
    to->sregs = from->sregs;
    to->sregs.apic_base = keep.apic_base;
    to->sregs.cr8 = is_long(from) ? from->sregs.cr8 : keep.cr8;
    to->sregs.efer = is_long(from) ? from->sregs.efer : keep.efer;
    to->debugregs = from->debugregs;
    to->events = (struct kvm_vcpu_events){0};
    to->msrs = from->msrs;
    *fpu_of(to) = *fpu_in(from);
    xsave_of(to)->present |= XSTATE_X87 | XSTATE_SSE;
    to->mp = from->mp;
    if (!(p->traits & KVM_LIMITS)) /* QEMU's CPU aborts at a ring change with a busy task */
        to->sregs.tr.type &= ~2;
    rig_set(&p->kvm);
}

/* A KVM that interprets runs this by the processor, with shadow page tables. */
static bool by_shadows(const struct pair *p, const struct stream_mode *m) {
    return m->user && m->long_mode && !(p->traits & KVM_PAGING);
}

/* Another CR3 in between makes a KVM forget what it has translated, but shadows only go with
 * the VM. */
static void kvm_flush(struct pair *p, const struct stream_mode *m) {
    if (by_shadows(p, m)) {
        kvm_anew(p);
        hand_over(p);
    }
    rig_get(&p->kvm)->sregs.cr3 ^= 0x1000;
    rig_set(&p->kvm);
}

/* --- one instruction --- */

enum outcome { ALIKE, SKIPPED, WANDERED, KVM_CANNOT, DIFFERENT, OUTCOMES };
static const char *const outcome_names[] = {"alike", "not for comparison", "led on",
                                            "this KVM cannot", "different"};

static enum cpu_exit_kind run_soft(struct pair *p) {
    enum cpu_exit_kind kind = CPU_EXIT_STEPPED;
    for (unsigned n = 0; kind == CPU_EXIT_STEPPED && n < SOFT_STEPS; n++)
        kind = rig_step(&p->soft);
    return kind;
}

static bool same_outcome(struct pair *p, struct trial *t) {
    struct lockstep l = {.parts = CPU_REGS | CPU_SREGS | CPU_DEBUGREGS | CPU_MSRS | CPU_FPU, .memory = true,
                          .ignore_null = is_long(&t->soft)};
    excuse_apply(t);
    bool same = t->kvm_exit == t->soft_exit;
    if (!same)
        snprintf(l.why, sizeof l.why, "the exits: %d (%.100s) and %d", t->kvm_exit,
                 p->kvm.exit.text, t->soft_exit);
    else if (t->kvm_exit == CPU_EXIT_HALTED)
        same = lockstep_same_state(&l, &t->kvm, &t->soft) &&
               lockstep_same_memory(&l, &p->kvm.memory, &p->soft.memory);
    if (same && t->kvm_exit == CPU_EXIT_HALTED && !t->ignore_ports &&
        p->kvm_ports.log != p->soft_ports.log)
        same = !snprintf(l.why, sizeof l.why, "what went through ports");
    memcpy(t->why, l.why, sizeof t->why);
    p->soft.cpu.state = t->soft;
    rig_set(&p->soft);
    return same;
}

static enum outcome one_instruction(struct pair *p, struct trial *t) {
    t->soft_exit = run_soft(p);
    t->soft = *rig_get(&p->soft);
    const char *skip = excuse_skips(t);
    snprintf(t->why, sizeof t->why, "%s", skip ? skip : "");
    t->ignore_ports = false;
    if (skip)
        return SKIPPED;
    if (t->soft_exit == CPU_EXIT_STEPPED)
        return WANDERED;
    t->kvm_exit = run_kvm(p);
    t->kvm = *rig_get(&p->kvm);
    if (excuse_gives_up(t))
        return KVM_CANNOT;
    return same_outcome(p, t) ? ALIKE : DIFFERENT;
}

/* --- what is told of a difference --- */

static void show_state(const char *who, const struct cpu_state *s) {
    const struct kvm_regs *r = &s->regs;
    printf("  %s eax=%08llx ebx=%08llx ecx=%08llx edx=%08llx esi=%08llx edi=%08llx ebp=%08llx "
           "esp=%08llx\n      eip=%08llx eflags=%06llx cr0=%08llx cr2=%llx cr3=%llx cr4=%llx",
           who, r->rax, r->rbx, r->rcx, r->rdx, r->rsi, r->rdi, r->rbp, r->rsp, r->rip, r->rflags,
           s->sregs.cr0, s->sregs.cr2, s->sregs.cr3, s->sregs.cr4);
    if (is_long(s))
        printf("\n      r8=%llx r9=%llx r10=%llx r11=%llx r12=%llx r13=%llx r14=%llx r15=%llx", r->r8,
               r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15);
    for (unsigned n = 0; n < 6; n++) {
        struct cpu_state copy = *s;
        const struct kvm_segment *k = state_segment(&copy, n);
        printf("%s%cs=%04x:%x+%x", n % 6 ? " " : "\n      ", "ecsdfg"[n], k->selector,
               (unsigned)k->base, k->limit);
    }
    printf("\n");
}

static void show_instruction(const struct trial *t, const struct stream_mode *m, uint64_t seed,
                             unsigned n) {
    printf("%s, seed %llu, instruction %u:", m->name, (unsigned long long)seed, n + 1);
    for (unsigned b = 0; b < t->i.length; b++)
        printf("%s%02x", b == t->i.prefixes ? "  " : " ", t->i.bytes[b]);
}

static void show_difference(const struct trial *t, const struct stream_mode *m, uint64_t seed) {
    printf("  KVM and the built-in CPU differ in %s\n", t->why);
    show_state("was ", &t->before);
    show_state("KVM ", &t->kvm);
    show_state("soft", &t->soft);
    printf("  again: lockstep_streams --mode=%s --seed=%llu --count=1 --verbose\n", m->name,
           (unsigned long long)seed);
}

/* --- streams --- */

struct tally {
    uint64_t of[OUTCOMES];
};

/* May the next instruction start from here? Behind the last one, in the same mode. */
static bool goes_on(const struct pair *p, const struct trial *t) {
    const struct cpu_state *a = &t->before, *b = &p->soft.cpu.state;
    uint64_t kept = FLAG_VM;
    return t->soft_exit == CPU_EXIT_HALTED && b->regs.rip == a->regs.rip + t->i.length + 1 &&
           a->sregs.cs.selector == b->sregs.cs.selector &&
           !((a->sregs.cr0 ^ b->sregs.cr0) & (CR0_PE | CR0_PG | CR0_EM)) &&
           !((a->regs.rflags ^ b->regs.rflags) & kept);
}

static void wipe_instruction(struct pair *p, const struct trial *t) {
    static const uint8_t halts[16] = {0xF4, 0xF4, 0xF4, 0xF4, 0xF4, 0xF4, 0xF4, 0xF4,
                                      0xF4, 0xF4, 0xF4, 0xF4, 0xF4, 0xF4, 0xF4, 0xF4};
    rig_put(&p->soft, (uint32_t)(t->before.sregs.cs.base + t->before.regs.rip), halts,
            t->i.length);
}

static void one_stream(struct pair *p, const struct stream_mode *m, uint64_t seed,
                       const struct options *o, struct tally *tally) {
    static struct trial t;
    t.kvm_memory = &p->kvm.memory;
    t.soft_memory = &p->soft.memory;
    t.traits = p->traits;
    struct chance c;
    enum outcome outcome;
    chance_start(&c, seed);
    machine_make(&p->soft, m, &c);
    hand_over(p);
    kvm_flush(p, m);
    for (unsigned n = 0; n < INSTRUCTIONS; n++) {
        instruction_make(&p->soft, &t.i, &c);
        t.before = *rig_get(&p->soft);
        p->kvm_ports.log = p->soft_ports.log = 0;
        hand_over(p);
        outcome = one_instruction(p, &t);
        tally->of[outcome]++;
        bool differs = outcome == DIFFERENT && (tally->of[DIFFERENT] <= SHOWN || o->verbose);
        if (differs || o->verbose) {
            show_instruction(&t, m, seed, n);
            printf("  %s %s\n", outcome_names[outcome],
                   outcome == KVM_CANNOT ? p->kvm.exit.text : outcome == SKIPPED ? t.why : "");
        }
        if (differs)
            show_difference(&t, m, seed);
        if (outcome != ALIKE || !goes_on(p, &t))
            break;
        wipe_instruction(p, &t);
    }
    if (outcome != ALIKE || t.kvm_exit != CPU_EXIT_HALTED)
        kvm_settle(p);
}

static void one_mode(struct pair *p, const struct stream_mode *m, const struct options *o) {
    static const struct cpuid_choice with_sse3 = {.on = FEATURE_BIT(SSE3)};
    struct tally tally = {0};
    if (m->needs & ~p->traits) {
        unsigned lack = m->needs & ~p->traits;
        printf("%s: this KVM has no %s\n", m->name,
               lack & KVM_PAGING ? "32-bit paging"
               : lack & KVM_VM86 ? "virtual-8086 mode" : "checks of segments");
        return;
    }
    p->soft.cpu.cpuid = m->fpu ? &with_sse3 : NULL;
    soft_choose_features(&p->soft.cpu);
    uint64_t count = by_shadows(p, m) ? o->count / 16 : o->count; /* each needs a VM */
    for (uint64_t n = 0; n < count; n++)
        one_stream(p, m, o->seed + n, o, &tally);
    printf("%s:", m->name);
    for (unsigned n = 0; n < OUTCOMES; n++)
        printf(" %llu %s%s", (unsigned long long)tally.of[n], outcome_names[n],
               n + 1 < OUTCOMES ? "," : "\n");
    CHECK(tally.of[DIFFERENT] == 0);
    CHECK(count < 100 || tally.of[ALIKE] > count / 4);
}

/* --- what this KVM has --- */

/* Does this, at the machine's instruction slot, end in the vector's handler? */
static bool ends_in(struct pair *p, const struct stream_mode *m, const void *code, size_t length,
                    unsigned vector) {
    struct chance c;
    chance_start(&c, 0);
    machine_make(&p->soft, m, &c);
    struct cpu_state *s = rig_get(&p->soft);
    s->regs.rip = SLOT_AT;
    s->regs.rflags = 2 | (m->vm86 ? FLAG_VM : 0);
    if (!m->vm86)
        s->sregs.ds = x86_descriptor(0x48, rig_descriptor(0, 0xFF, 0x93, 4));
    rig_put(&p->soft, SLOT_AT, code, length);
    rig_set(&p->soft);
    hand_over(p);
    bool halted = run_kvm(p) == CPU_EXIT_HALTED;
    const struct cpu_state *after = rig_get(&p->kvm);
    uint64_t frame = m->vm86 ? RING0_TOP - 40 : after->regs.rsp; /* with the segments */
    bool does = halted && x86_pc(&after->regs, &after->sregs) == HANDLERS_AT + 16 * vector + 1 &&
                after->regs.rsp == frame;
    kvm_settle(p);
    return does;
}

static const struct stream_mode *mode_named(const char *name) {
    const struct stream_mode *m = stream_modes;
    while (strcmp(m->name, name))
        m++;
    return m;
}

static unsigned measure(struct pair *p) {
    static const uint8_t beyond[] = {0xA0, 0x00, 0x01, 0x00, 0x00}; /* mov 0x100, %al */
    unsigned traits = probe_traits()->paging32 ? KVM_PAGING : 0;
    p->traits = KVM_LIMITS; /* a busy task, then: a CPU that checks wants it so */
    if (ends_in(p, mode_named("prot32"), beyond, sizeof beyond, VECTOR_GP))
        traits |= KVM_LIMITS;
    p->traits = traits;
    if (ends_in(p, mode_named("vm86"), "\xF4", 1, VECTOR_GP))
        traits |= KVM_VM86;
    return traits;
}

/* --- the rest --- */

static bool option(const char *arg, const char *name, const char **value) {
    size_t length = strlen(name);
    if (strncmp(arg, name, length))
        return false;
    *value = arg + length;
    return true;
}

static void parse(int argc, char **argv, struct options *o) {
    const char *value, *streams = getenv("STREAMS");
    *o = (struct options){.seed = 1, .count = streams ? strtoull(streams, NULL, 0) : STREAMS};
    for (int n = 1; n < argc; n++) {
        if (option(argv[n], "--seed=", &value))
            o->seed = strtoull(value, NULL, 0);
        else if (option(argv[n], "--count=", &value))
            o->count = strtoull(value, NULL, 0);
        else if (option(argv[n], "--mode=", &value))
            o->mode = value;
        else if (!strcmp(argv[n], "--long"))
            o->count = STREAMS_LONG;
        else if (!strcmp(argv[n], "--verbose"))
            o->verbose = true;
    }
}

int main(int argc, char **argv) {
    static struct pair p;
    struct options o;
    struct memory memory;
    struct breakpoints points = {0};
    struct cpu cpu = {.memory = &memory, .breakpoints = &points};
    struct sigaction action = {.sa_handler = too_long};
    parse(argc, argv, &o);
    if (memory_open(&memory, RAM_SIZE) < 0 || open_kvm(&cpu)) {
        printf("no KVM to compare with: %s\n", kvm_error);
        return 77;
    }
    cpu.engine->close(&cpu);
    memory_close(&memory);
    sigaction(SIGPROF, &action, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    pair_open(&p);
    p.traits = measure(&p);
    for (unsigned n = 0; n < stream_mode_count; n++)
        if (!o.mode || !strcmp(o.mode, stream_modes[n].name))
            one_mode(&p, &stream_modes[n], &o);
    rig_close(&p.kvm);
    rig_close(&p.soft);
    return unit_end();
}
