/* Steps beside KVM (vmm/machine/emulate_step.c) in real, protected and long mode, rings 0 and 3,
 * against a machine that the built-in CPU runs: the same state and the same memory, and KVM was not
 * entered. KVM itself executes nothing here, so a partial one will do.
 */
#include <unistd.h>

#include "tests/lockstep/lockstep.c"
#include "tests/lockstep/side.h"
#include "tests/unit/unit.h"
#include "vmm/machine/emulate_step.h"

enum { STEPS = 60000 };

/* The guest is where it is on the other machine, with the same memory. */
static void bring(struct side *to, struct side *from) {
    struct memory *m = &to->machine.memory;
    memcpy(m->ram, from->machine.memory.ram, m->ram_size);
    cpu_write(cpu_of(to), CPU_REGS | CPU_SREGS);
    cpu_of(to)->state.regs = cpu_read(cpu_of(from), CPU_REGS)->regs;
    cpu_of(to)->state.sregs = cpu_read(cpu_of(from), CPU_SREGS)->sregs;
    emulator_invalidate(&to->machine.vcpu[0]);
}

struct tally {
    unsigned long_mode, ring3, others;
};

static void count(struct tally *t, const struct cpu_state *s) {
    bool wide = s->sregs.efer & EFER_LMA;
    t->long_mode += wide;
    t->ring3 += wide && (s->sregs.cs.selector & 3) == 3;
    t->others += !wide;
}

/* One that is left to KVM is done on the other machine alone. */
static bool turn(struct side *kvm, struct side *soft, struct lockstep *l, struct tally *t) {
    struct cpu_state before = *cpu_read(cpu_of(soft), CPU_REGS | CPU_SREGS);
    bool done = emulate_step(&kvm->machine.vcpu[0]);
    step(soft);
    l->steps++;
    if (!done) {
        bring(kvm, soft);
        return true;
    }
    count(t, &before);
    return lockstep_same_state(l, cpu_read(cpu_of(kvm), CPU_REGS | CPU_SREGS),
                               cpu_read(cpu_of(soft), CPU_REGS | CPU_SREGS));
}

static void one_guest(const char *name, struct tally *t) {
    static struct side kvm, soft;
    struct lockstep l = {.parts = CPU_REGS | CPU_SREGS, .ignore_accessed = true};
    const char *build = getenv("BUILD");
    char path[256], error[256];
    snprintf(path, sizeof path, "%s/guests/%s.elf", build ? build : "build", name);
    CHECK(open_side(&kvm, path, ENGINE_KVM, IRQCHIP_NONE, error, sizeof error));
    CHECK(open_side(&soft, path, ENGINE_SOFT, IRQCHIP_NONE, error, sizeof error));
    bring(&kvm, &soft);
    uint64_t entered = engine_kvm.entries(cpu_of(&kvm));
    while (l.steps < STEPS && turn(&kvm, &soft, &l, t) && soft.exit.kind == CPU_EXIT_STEPPED)
        continue;
    CHECK(!*l.why && alike_memory(&kvm, &soft));
    if (*l.why)
        printf("%s: %s\n", name, l.why);
    CHECK(engine_kvm.entries(cpu_of(&kvm)) == entered);
    machine_close(&kvm.machine);
    machine_close(&soft.machine);
}

int main(void) {
    struct tally t = {0};
    if (access("/dev/kvm", R_OK | W_OK) != 0) {
        puts("no KVM here; skipped");
        return unit_end();
    }
    one_guest("long64", &t);
    one_guest("tasks64", &t);
    one_guest("pmode", &t);
    CHECK(t.long_mode > 300 && t.ring3 > 50 && t.others > 100);
    printf("%u steps in long mode, %u of them in ring 3, %u in other modes\n", t.long_mode, t.ring3, t.others);
    return unit_end();
}
