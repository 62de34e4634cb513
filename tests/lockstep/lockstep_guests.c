/* Every guest and the 1K OS on KVM and on the built-in CPU, with the real loader and the real
 * devices, one instruction at a time; the state is compared after each, the memory
 * at intervals and at the end.
 *
 * Where the KVM at hand cannot go on (docs/kvm-quirks.md: no 32-bit paging, no gates outside real
 * mode), the comparison of that guest ends, and a line says where. Where it runs on
 * inside a step (kvm-quirks 6 and 7: a handler, or what follows MOV SS, if debug registers and
 * int3 do not hold it), the built-in CPU is stepped to the same place first.
 * `lockstep_guests [GUEST.elf…]`
 */
#include <glob.h>
#include <stdlib.h>

#include "side.h"
#include "tests/unit/unit.h"
#include "vmm/machine/engines.h"
#include "vmm/memory/layout.h"
#include "vmm/x86/insn.h"
#include "vmm/engines/kvm/debug/debug.h"

enum { STEPS = 20000, MEMORY_EVERY = 2048, RUN_ON = 20000 };

/* What ran inside a step had flags pushed with TF, and one CPU forgets RF: they
 * are the built-in CPU's from here on, or they would come back with an IRET. Each
 * is bit 0 of its byte. */
static void take_pushed_flags(struct side *kvm, struct side *soft) {
    const uint64_t flags = FLAG_TF | FLAG_RF;
    uint8_t *theirs = kvm->machine.memory.ram, *ours = soft->machine.memory.ram;
    if (!same_memory(kvm, soft))
        for (uint64_t at = 0; at < kvm->machine.memory.ram_size; at++)
            if ((theirs[at] ^ ours[at]) == 1)
                theirs[at] = ours[at];
    take_flags(soft, kvm, flags);
}

/* One step of the built-in CPU, and on to where this KVM's step has ended. */
static void follow(struct lockstep *l, struct side *kvm, struct side *soft, unsigned *run_ons) {
    const struct kvm_traits *t = probe_traits();
    bool exact = t->exec_bp && t->int3;
    step(soft);
    if (exact || same_place(kvm, soft))
        return;
    ++*run_ons;
    for (unsigned n = 0; n < RUN_ON && !same_place(kvm, soft) &&
                         soft->exit.kind == CPU_EXIT_STEPPED; n++) {
        l->ignore_flags |= unsure_flags(&soft->machine);
        step(soft);
    }
    take_pushed_flags(kvm, soft);
}

enum verdict { SAME, DIFFERENT, KVM_ENDS };

/* One step on both, compared. */
static enum verdict compare(struct lockstep *l, struct side *kvm, struct side *soft,
                            unsigned *run_ons) {
    l->ignore_flags = unsure_flags(&soft->machine);
    step(kvm);
    if (kvm->exit.kind == CPU_EXIT_CANNOT || kvm->exit.kind == CPU_EXIT_SHUTDOWN)
        return KVM_ENDS;
    follow(l, kvm, soft, run_ons);
    l->steps++;
    if (!lockstep_same_state(l, cpu_read(&kvm->machine.vcpu[0].cpu, CPU_ALL),
                             cpu_read(&soft->machine.vcpu[0].cpu, CPU_ALL)))
        return DIFFERENT;
    if (kvm->exit.kind != soft->exit.kind) {
        snprintf(l->why, sizeof l->why, "after %llu steps the exits are %d and %d",
                 (unsigned long long)l->steps, kvm->exit.kind, soft->exit.kind);
        return DIFFERENT;
    }
    if (l->steps % MEMORY_EVERY == 0 && !alike_memory(kvm, soft)) {
        snprintf(l->why, sizeof l->why, "after %llu steps the memory differs",
                 (unsigned long long)l->steps);
        return DIFFERENT;
    }
    if (l->ignore_flags)
        take_flags(kvm, soft, l->ignore_flags);
    return SAME;
}

static const char *name_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Both have been stepped to the end of what is compared. */
static void judge(const char *path, struct lockstep *l, enum verdict v, struct side *kvm,
                  struct side *soft) {
    const struct cpu_state *s = cpu_read(&soft->machine.vcpu[0].cpu, CPU_REGS | CPU_SREGS);
    bool same = v != DIFFERENT && alike_memory(kvm, soft) && kvm->length == soft->length &&
                !memcmp(kvm->output, soft->output, kvm->length);
    if (v == DIFFERENT)
        printf("%s: %s\n", name_of(path), l->why);
    else
        printf("%s: %llu steps alike%s, to %04x:%08llx%s%s\n", name_of(path),
               (unsigned long long)l->steps, same ? "" : " but for memory or output",
               s->sregs.cs.selector, (unsigned long long)s->regs.rip,
               v == KVM_ENDS ? "; there this KVM ends: " : "", v == KVM_ENDS ? kvm->exit.text : "");
    CHECK(same);
}

/* A guest that turns out to use interrupts starts again, with KVM's own chips. */
static void one_guest(const char *path, enum irqchip_choice chips) {
    static struct side kvm, soft;
    char error[256];
    struct lockstep l = {.parts = CPU_REGS | CPU_SREGS | CPU_DEBUGREGS,
                         .ignore_accessed = true, .ignore_null = true};
    enum verdict v = SAME;
    unsigned run_ons = 0;
    memset(&kvm, 0, sizeof kvm);
    memset(&soft, 0, sizeof soft);
    bool opened = open_side(&kvm, path, ENGINE_KVM, chips, error, sizeof error) &&
                  open_side(&soft, path, ENGINE_SOFT, chips, error, sizeof error);
    CHECK(opened);
    if (!opened) {
        printf("%s: %s\n", name_of(path), error);
        return;
    }
    do
        v = compare(&l, &kvm, &soft, &run_ons);
    while (v == SAME && kvm.exit.kind == CPU_EXIT_STEPPED && l.steps < STEPS);
    bool again = kvm.machine.wants_irqchip && chips != IRQCHIP_ON;
    if (!again)
        judge(path, &l, v, &kvm, &soft);
    if (!again && run_ons)
        printf("  %u times KVM ran on inside a step; compared where it ended\n", run_ons);
    machine_close(&kvm.machine);
    machine_close(&soft.machine);
    if (again)
        one_guest(path, IRQCHIP_ON);
}

/* keyboard waits for keys; a partial KVM gets system calls of 64-bit code wrong. */
static bool wanted(const char *path) {
    const char *name = name_of(path);
    bool ring3 = !strcmp(name, "tasks64.elf") || !strcmp(name, "kinds64.elf");
    return strcmp(name, "keyboard.elf") && (!ring3 || long_mode_is_right());
}

static bool has_kvm(char *error, size_t size) {
    struct rig r = {0};
    struct engine_options options = {0};
    if (memory_open(&r.memory, 1 << 20) < 0)
        return false;
    r.cpu.memory = &r.memory;
    r.cpu.breakpoints = &r.breakpoints;
    bool has = kvm_open(&r.cpu, &options, error, size) == 0;
    if (has)
        r.cpu.engine->close(&r.cpu);
    memory_close(&r.memory);
    return has;
}

int main(int argc, char **argv) {
    static const char *const folders[] = {"guests/*.elf", "os-1k/kernel.elf"};
    char error[256], pattern[512];
    glob_t found = {0};
    const char *build = getenv("BUILD");
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!has_kvm(error, sizeof error)) {
        printf("no KVM to compare with: %s\n", error);
        return 77;
    }
    build = build ? build : "build";
    for (int n = 1; n < argc; n++)
        one_guest(argv[n], IRQCHIP_AUTO);
    for (size_t n = 0; argc == 1 && n < sizeof folders / sizeof *folders; n++) {
        snprintf(pattern, sizeof pattern, "%s/%s", build, folders[n]);
        glob(pattern, n ? GLOB_APPEND : 0, NULL, &found);
    }
    for (size_t n = 0; n < found.gl_pathc; n++)
        if (wanted(found.gl_pathv[n]))
            one_guest(found.gl_pathv[n], IRQCHIP_AUTO);
    globfree(&found);
    return unit_end();
}
