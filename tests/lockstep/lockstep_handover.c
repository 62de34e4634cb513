/* A guest that changes its engine, KVM and the built-in CPU in turn, beside one that stays on the
 * built-in CPU: the state with all of the FPU is compared after each instruction, output and
 * memory at the end. So nothing is lost at a hand-over, wherever it comes.
 *
 * A hand-over makes a VM, which takes a tenth of a second in a nested machine. So KVM does each
 * kind of instruction once, in each ring, and each way from ring 3 into the kernel (SYSCALL, #NM,
 * #PF); and one of the others once in a while. With --whole it does all of them, each right after
 * a hand-over: the even ones in a first run of the guest, the odd ones in a second; and the
 * built-in CPU does each right after the hand-over back. That takes a minute, in a nested machine
 * half an hour.
 *
 * What a partial KVM gets wrong (docs/kvm-quirks.md) is done by the built-in CPU on both sides;
 * a line says how many instructions KVM has done. `lockstep_handover [--whole] [GUEST.elf…]`
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "side.h"
#include "tests/unit/unit.h"
#include "vmm/engines/kvm/debug/debug.h"
#include "vmm/engines/soft/soft.h"
#include "vmm/memory/layout.h"
#include "vmm/x86/fpu.h"
#include "vmm/x86/mode.h"
#include "vmm/x86/page_walk.h"

enum { STEPS = 1000000 }; /* no guest has so many */

/* The two machines, and what KVM has done. */
struct pair {
    struct lockstep compare;
    struct side *changing, *staying;
    unsigned from, to;       /* rings, of the instruction that the staying one has just done */
    bool whole, odd;         /* which ones are KVM's */
    unsigned by_kvm, ran_on; /* instructions; ran_on: KVM did more than one */
    unsigned entered;        /* … from ring 3 to ring 0 */
};

static unsigned ring(struct side *s) { return x86_cpl(&cpu_read(cpu_of(s), CPU_SREGS)->sregs); }

static struct insn next_of(struct side *s) {
    const struct cpu_state *now = cpu_read(cpu_of(s), CPU_REGS | CPU_SREGS);
    struct insn in;
    insn_read(&s->machine.memory, now, x86_pc(&now->regs, &now->sregs), &in);
    return in;
}

/* A KVM that interprets cannot do all of protected mode, nor ring 3. */
static bool kvm_can(const struct pair *p) {
    struct side *s = p->changing;
    const struct cpu_state *now = cpu_read(cpu_of(s), CPU_REGS | CPU_SREGS);
    bool real = !(now->sregs.cr0 & CR0_PE), paging = now->sregs.cr0 & CR0_PG;
    bool wide = now->sregs.efer & EFER_LMA;
    if (long_mode_is_right() && probe_traits()->paging32)
        return true;
    struct insn in = next_of(s);
    bool turns_on = in.opcode == 0x0f && in.second == 0x22 && !paging && !(now->sregs.efer & EFER_LME);
    return !turns_on && (real || p->from + p->to == 0) && (!paging || wide);
}

/* One number for each kind of instruction: the opcode with what makes another instruction of it,
 * and the rings before and after it. */
static unsigned kind_of(const struct pair *p) {
    static const struct insn_span groups[] = {{0x80, 0x83}, {0xc0, 0xc1}, {0xd0, 0xd3}, {0xd8, 0xdf},
                                              {0xf6, 0xf7}, {0xfe, 0xff}, {0x0f00, 0x0f01}, {0x0fae, 0x0fae},
                                              {0x0fba, 0x0fba}, {0x0fc7, 0x0fc7}};
    struct insn in = next_of(p->changing);
    bool two = in.opcode == 0x0f, group = insn_in_any(&in, groups, sizeof groups / sizeof *groups);
    unsigned reg = group ? insn_modrm(&in) >> 3 & 7 : 0;
    return (two ? in.second : in.opcode) | reg << 8 | two << 11 | in.data16 << 12 | in.rep << 13 |
           (in.operand == 8) << 14 | (p->from == 3) << 15 | (p->to == 3) << 16;
}

/* Has KVM not done one of its kind? */
static bool is_new(const struct pair *p, bool take) {
    enum { KINDS = 1 << 17 };
    static bool seen[KINDS];
    if (p->compare.steps == 0)
        memset(seen, 0, sizeof seen);
    bool *seen_here = &seen[kind_of(p)];
    bool is = !*seen_here;
    *seen_here |= take;
    return is;
}

static bool kvm_turn(const struct pair *p) {
    enum { WHILE = 256 };
    uint64_t n = p->compare.steps;
    bool due = p->whole ? n % 2 == p->odd : is_new(p, false) || n % WHILE == 0;
    due = due && kvm_can(p);
    if (due)
        is_new(p, true);
    return due;
}

/* The next instruction by this engine; false: it cannot be had. */
static bool change_to(struct side *s, enum engine_choice engine) {
    char error[256];
    bool soft = cpu_can(cpu_of(s), ENGINE_DETERMINISTIC);
    if (soft == (engine == ENGINE_SOFT))
        return true;
    return engines_change(&s->machine, engine, error, sizeof error);
}

/* --- a way into the kernel on a KVM whose step runs on there -------------------------- */

/* The page of memory where the staying one is now, in the other's memory. */
static uint8_t *page_entered(const struct pair *p) {
    const struct cpu_state *s = cpu_read(cpu_of(p->staying), CPU_REGS | CPU_SREGS);
    const struct memory *m = &p->changing->machine.memory;
    struct page_walk w;
    if (!x86_walk(&p->staying->machine.memory, &s->sregs, x86_pc(&s->regs, &s->sregs), &w))
        return NULL;
    return memory_at(m, w.phys & ~(uint64_t)(PAGE_SIZE - 1), PAGE_SIZE, true);
}

/* A fault's frame has RF in its flags (17.3.1.1), but not by QEMU's CPU, whose KVM has no execution
 * breakpoints. Both go on with what KVM's guest has there. */
static void take_resume_flag(const struct pair *p, unsigned offset) {
    struct side *from = p->changing, *to = p->staying;
    const struct cpu_state *s = cpu_read(cpu_of(to), CPU_REGS | CPU_SREGS);
    uint64_t at = s->regs.rsp + offset, theirs = 0, own = 0;
    if (x86_read(&from->machine.memory, &s->sregs, at, &theirs, 8) == 8 &&
        x86_read(&to->machine.memory, &s->sregs, at, &own, 8) == 8 && (theirs ^ own) == FLAG_RF)
        x86_write(&to->machine.memory, &s->sregs, at, &theirs, 8);
}

/* Its first instruction is on a page that ring 3 does not execute. Without that page KVM_RUN ends
 * right before it, and no TF is needed (kvm-quirks 21). */
static void run_to_entry(const struct pair *p) {
    struct side *s = p->changing;
    uint8_t *page = page_entered(p);
    s->exit = (struct cpu_exit){0};
    if (!page || mprotect(page, PAGE_SIZE, PROT_NONE) < 0)
        return;
    cpu_of(s)->ops->run(cpu_of(s), &s->exit);
    mprotect(page, PAGE_SIZE, PROT_READ | PROT_WRITE);
    if (!same_place(s, p->staying))
        return;
    s->exit.kind = CPU_EXIT_STEPPED;
    take_resume_flag(p, 2 * 8);
    take_resume_flag(p, 3 * 8);
}

/* By CPUID's word QEMU's CPU is AMD's, whose SYSRET leaves SS as it was but for the selector; there it
 * makes it flat, as Intel's do. */
static void take_stack_segment(const struct pair *p) {
    struct kvm_segment ss = cpu_read(cpu_of(p->changing), CPU_SREGS)->sregs.ss;
    cpu_write(cpu_of(p->staying), CPU_SREGS)->sregs.ss = ss;
}

static void step_on_kvm(struct pair *p) {
    struct insn in = next_of(p->changing);
    bool sysret = in.opcode == 0x0f && in.second == 0x07;
    if (p->from > p->to && !probe_traits()->exec_bp)
        run_to_entry(p);
    else
        step(p->changing);
    if (sysret && !probe_traits()->exec_bp)
        take_stack_segment(p);
    p->by_kvm += p->changing->exit.kind != CPU_EXIT_CANNOT;
    p->entered += p->from > p->to;
}

/* KVM's instruction comes right after a hand-over. One that this KVM cannot run is done by the
 * other engine, from where it stands. */
static bool step_changing(struct pair *p, bool kvm) {
    struct side *s = p->changing;
    if (!change_to(s, ENGINE_SOFT) || (kvm && !change_to(s, ENGINE_KVM)))
        return false;
    if (kvm)
        step_on_kvm(p);
    if (kvm && s->exit.kind != CPU_EXIT_CANNOT)
        return true;
    if (!change_to(s, ENGINE_SOFT))
        return false;
    step(s);
    return true;
}

static bool same_end(const struct side *a, const struct side *b) {
    return a->length == b->length && !memcmp(a->output, b->output, a->length) &&
           alike_memory(a, b);
}

/* Within the kernel a KVM without execution breakpoints runs on behind MOV SS, and into handlers
 * (kvm-quirks 6, 7). */
static void catch_up(struct pair *p) {
    enum { RUN_ON = 8 };
    bool on = !same_place(p->changing, p->staying);
    for (unsigned n = 0; n < RUN_ON && !same_place(p->changing, p->staying); n++) {
        p->compare.ignore_flags |= unsure_flags(&p->staying->machine);
        step(p->staying);
    }
    p->ran_on += on;
}

enum { HALVES = 256 };

/* Registers that the built-in CPU only keeps: AVX's upper halves, behind the header of the area.
 * A KVM without AVX refuses them. */
static void give_avx(struct side *s) {
    struct cpu_state *state = cpu_write(cpu_of(s), CPU_FPU);
    state->xcr0 = xsave_of(state)->present = XSTATE_X87 | XSTATE_SSE | XSTATE_AVX;
    for (unsigned n = 0; n < HALVES; n++)
        xsave_of(state)->beyond[n] = (uint8_t)(n * 37 + 1);
}

static bool same_avx(struct lockstep *l, struct side *a, struct side *b) {
    const struct cpu_state *one = cpu_read(cpu_of(a), CPU_FPU), *other = cpu_read(cpu_of(b), CPU_FPU);
    if (memcmp(xsave_in(one)->beyond, xsave_in(other)->beyond, HALVES))
        snprintf(l->why, sizeof l->why, "after %llu steps AVX's upper halves differ", (unsigned long long)l->steps);
    return !*l->why;
}

/* QEMU's CPU, again, has arithmetic flags of 0 behind SYSCALL; only those of FMASK should go. */
static uint64_t flags_lost(struct side *s) {
    struct insn in = next_of(s);
    return in.opcode == 0x0f && in.second == 0x05 && !probe_traits()->exec_bp ? UNDEFINED_ALL : 0;
}

/* Before LGDT: which descriptors are marked as accessed in the old table (is_accessed_bit()). */
static void take_accessed(const struct pair *p) {
    struct insn in = next_of(p->staying);
    const struct kvm_dtable *gdt = &cpu_read(cpu_of(p->staying), CPU_SREGS)->sregs.gdt;
    const struct memory *m = &p->staying->machine.memory;
    if (in.opcode != 0x0f || in.second != 0x01 || (insn_modrm(&in) >> 3 & 7) != 2)
        return;
    for (uint64_t at = gdt->base + 5; at < gdt->base + gdt->limit && at < m->ram_size; at += 8)
        if ((p->changing->machine.memory.ram[at] ^ m->ram[at]) == 1)
            p->changing->machine.memory.ram[at] = m->ram[at];
}

/* KVM ends a load of SS at an int3, and with that the shadow behind it. */
static unsigned parts_lost(struct side *s) {
    struct insn in = next_of(s);
    bool loads = in.opcode == 0x17 || (in.opcode == 0x8e && (insn_modrm(&in) >> 3 & 7) == 2);
    return loads && probe_traits()->int3 ? CPU_EVENTS : 0;
}

static bool compare(struct pair *p, unsigned without) {
    struct lockstep l = p->compare;
    l.parts &= ~without;
    bool same = lockstep_same_state(&l, cpu_read(cpu_of(p->changing), CPU_ALL),
                                    cpu_read(cpu_of(p->staying), CPU_ALL)) &&
                same_avx(&l, p->changing, p->staying);
    snprintf(p->compare.why, sizeof p->compare.why, "%s", l.why);
    return same;
}

/* true: the guest goes on, alike on both. */
static bool turn(struct pair *p) {
    struct lockstep *l = &p->compare;
    l->ignore_flags = unsure_flags(&p->staying->machine) | flags_lost(p->staying);
    unsigned without = parts_lost(p->staying);
    take_accessed(p);
    p->from = ring(p->staying);
    step(p->staying);
    p->to = ring(p->staying);
    if (!step_changing(p, kvm_turn(p))) {
        snprintf(l->why, sizeof l->why, "after %llu steps the engine cannot be changed", (unsigned long long)l->steps);
        return false;
    }
    if (!probe_traits()->exec_bp)
        catch_up(p);
    l->steps++;
    if (!compare(p, without))
        return false;
    if (l->ignore_flags)
        take_flags(p->staying, p->changing, l->ignore_flags);
    return p->staying->exit.kind == CPU_EXIT_STEPPED && p->changing->exit.kind == CPU_EXIT_STEPPED;
}

static void report(const struct pair *p, const char *path) {
    printf("%s: %llu instructions, %u of them by KVM", path, (unsigned long long)p->compare.steps, p->by_kvm);
    if (p->entered)
        printf(", %u of these from ring 3 to ring 0", p->entered);
    if (p->ran_on)
        printf("; %u ran on", p->ran_on);
    printf("%s%s\n", *p->compare.why ? ": " : "", p->compare.why);
}

static void run_pair(struct pair *p, const char *path) {
    struct lockstep *l = &p->compare;
    if (__builtin_cpu_supports("avx"))
        give_avx(p->changing), give_avx(p->staying);
    while (l->steps < STEPS && turn(p))
        continue;
    if (!*l->why && !same_end(p->changing, p->staying))
        snprintf(l->why, sizeof l->why, "output, or memory at %#llx, differs at the end",
                 (unsigned long long)first_difference(p->changing, p->staying));
    report(p, path);
    CHECK(!*l->why && p->by_kvm);
}

/* With the vendor and the features that a guest has that began on KVM: where vendors differ
 * (SYSRET's SS) the built-in CPU then does as this KVM's. */
static void as_from_kvm(struct side *s) {
    cpu_of(s)->host_features = true;
    soft_choose_features(cpu_of(s));
}

static void one_guest(const char *path, bool whole, bool odd) {
    static struct side changing, staying;
    struct pair p = {.compare = {.parts = CPU_REGS | CPU_SREGS | CPU_DEBUGREGS | CPU_FPU | CPU_MSRS | CPU_EVENTS | CPU_MP,
                                 .ignore_accessed = true, .ignore_null = true},
                     .changing = &changing, .staying = &staying, .whole = whole, .odd = odd};
    char error[256];
    bool opened = open_side(&changing, path, ENGINE_SOFT, IRQCHIP_NONE, error, sizeof error) &&
                  open_side(&staying, path, ENGINE_SOFT, IRQCHIP_NONE, error, sizeof error);
    CHECK(opened);
    if (!opened)
        return;
    as_from_kvm(&changing);
    as_from_kvm(&staying);
    run_pair(&p, path);
    machine_close(&changing.machine);
    machine_close(&staying.machine);
}

static void guest(const char *path, bool whole) {
    one_guest(path, whole, false);
    if (whole)
        one_guest(path, whole, true);
}

int main(int argc, char **argv) {
    const char *build = getenv("BUILD");
    char path[256];
    bool whole = argc > 1 && !strcmp(argv[1], "--whole");
    int first = whole ? 2 : 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (access("/dev/kvm", R_OK | W_OK) != 0) {
        printf("no KVM to hand over to\n");
        return 77;
    }
    for (int i = first; i < argc; i++)
        guest(argv[i], whole);
    static const char *const guests[] = {"guests/long64.elf", "guests/tasks64.elf", "guests/pmode.elf"};
    for (unsigned i = 0; first == argc && i < sizeof guests / sizeof *guests; i++) {
        snprintf(path, sizeof path, "%s/%s", build ? build : "build", guests[i]);
        guest(path, whole);
    }
    return unit_end();
}
