/* A guest that changes its engine, KVM and the built-in CPU in turn, beside one that stays on the
 * built-in CPU: the state with all of the FPU is compared after each instruction, output and
 * memory at the end. So nothing is lost at a hand-over, wherever it comes. KVM does every
 * instruction of the guest, but one that it has done before only once in a while: a hand-over
 * makes a VM, which takes a tenth of a second in a nested machine.
 *
 * What a partial KVM gets wrong (docs/kvm-quirks.md) is done by the built-in CPU on both sides;
 * a line says how many instructions KVM has done. `lockstep_handover [GUEST.elf…]`
 */
#include <stdlib.h>
#include <unistd.h>

#include "side.h"
#include "tests/unit/unit.h"
#include "vmm/engines/kvm/debug/debug.h"
#include "vmm/x86/fpu.h"
#include "vmm/x86/mode.h"
#include "vmm/x86/page_walk.h"

enum { STEPS = 4000 };

/* A KVM that interprets cannot do all of protected mode, nor ring 3. */
static bool kvm_can(struct side *s) {
    const struct cpu_state *now = cpu_read(cpu_of(s), CPU_REGS | CPU_SREGS);
    bool real = !(now->sregs.cr0 & CR0_PE), paging = now->sregs.cr0 & CR0_PG;
    bool wide = now->sregs.efer & EFER_LMA;
    struct insn in;
    if (long_mode_is_right() && probe_traits()->paging32)
        return true;
    insn_read(&s->machine.memory, now, x86_pc(&now->regs, &now->sregs), &in);
    bool turns_on = in.opcode == 0x0f && in.second == 0x22 && !paging && !(now->sregs.efer & EFER_LME);
    return !turns_on && (real || x86_cpl(&now->sregs) == 0) && (!paging || wide);
}

/* Every other one, if KVM has not done the instruction here before, or not for a while. */
static bool kvm_turn(struct side *s, uint64_t steps, bool *done) {
    enum { WHILE = 128, PLACES = 1 << 16 };
    const struct cpu_state *now = cpu_read(cpu_of(s), CPU_REGS | CPU_SREGS);
    bool *here = &done[x86_pc(&now->regs, &now->sregs) % PLACES];
    bool due = steps % 2 == 0 && (!*here || steps % WHILE == 0) && kvm_can(s);
    *here |= due;
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

/* One that this KVM cannot run is done by the other engine, from where it stands. */
static bool step_by(struct side *s, bool kvm, unsigned *by_kvm) {
    if (!change_to(s, kvm ? ENGINE_KVM : ENGINE_SOFT))
        return false;
    step(s);
    *by_kvm += kvm && s->exit.kind != CPU_EXIT_CANNOT;
    if (s->exit.kind != CPU_EXIT_CANNOT || !kvm)
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

/* A KVM without exact breakpoints runs on behind MOV SS, and into handlers (kvm-quirks 6, 7). */
static void catch_up(struct lockstep *l, struct side *changing, struct side *staying) {
    enum { RUN_ON = 8 };
    for (unsigned n = 0; n < RUN_ON && !same_place(changing, staying); n++) {
        l->ignore_flags |= unsure_flags(&staying->machine);
        step(staying);
    }
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

/* true: the guest goes on, alike on both. */
static bool turn(struct lockstep *l, struct side *changing, struct side *staying, unsigned *by_kvm) {
    static bool done[1 << 16];
    if (l->steps == 0)
        memset(done, 0, sizeof done);
    l->ignore_flags = unsure_flags(&staying->machine);
    step(staying);
    if (!step_by(changing, kvm_turn(changing, l->steps, done), by_kvm)) {
        snprintf(l->why, sizeof l->why, "after %llu steps the engine cannot be changed", (unsigned long long)l->steps);
        return false;
    }
    if (!probe_traits()->exec_bp)
        catch_up(l, changing, staying);
    l->steps++;
    if (!lockstep_same_state(l, cpu_read(cpu_of(changing), CPU_ALL), cpu_read(cpu_of(staying), CPU_ALL)) ||
        !same_avx(l, changing, staying))
        return false;
    if (l->ignore_flags)
        take_flags(staying, changing, l->ignore_flags);
    return staying->exit.kind == CPU_EXIT_STEPPED && changing->exit.kind == CPU_EXIT_STEPPED;
}

static void one_guest(const char *path) {
    static struct side changing, staying;
    struct lockstep l = {.parts = CPU_REGS | CPU_SREGS | CPU_DEBUGREGS | CPU_FPU | CPU_MSRS,
                         .ignore_accessed = true, .ignore_null = true};
    unsigned by_kvm = 0;
    char error[256];
    bool opened = open_side(&changing, path, ENGINE_SOFT, IRQCHIP_NONE, error, sizeof error) &&
                  open_side(&staying, path, ENGINE_SOFT, IRQCHIP_NONE, error, sizeof error);
    CHECK(opened);
    if (!opened)
        return;
    if (__builtin_cpu_supports("avx"))
        give_avx(&changing), give_avx(&staying);
    while (l.steps < STEPS && turn(&l, &changing, &staying, &by_kvm))
        continue;
    bool same = !*l.why && same_end(&changing, &staying);
    if (!same && !*l.why)
        snprintf(l.why, sizeof l.why, "output, or memory at %#llx, differs at the end",
                 (unsigned long long)first_difference(&changing, &staying));
    printf("%s: %llu instructions, %u of them by KVM%s%s\n", path, (unsigned long long)l.steps, by_kvm,
           same ? "" : ": ", l.why);
    CHECK(same && by_kvm);
    machine_close(&changing.machine);
    machine_close(&staying.machine);
}

int main(int argc, char **argv) {
    const char *build = getenv("BUILD");
    char path[256];
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (access("/dev/kvm", R_OK | W_OK) != 0) {
        printf("no KVM to hand over to\n");
        return 77;
    }
    for (int i = 1; i < argc; i++)
        one_guest(argv[i]);
    static const char *const guests[] = {"guests/long64.elf", "guests/tasks64.elf", "guests/pmode.elf"};
    for (unsigned i = 0; argc < 2 && i < sizeof guests / sizeof *guests; i++) {
        snprintf(path, sizeof path, "%s/%s", build ? build : "build", guests[i]);
        one_guest(path);
    }
    return unit_end();
}
