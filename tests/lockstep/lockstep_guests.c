/* Every guest on KVM and on the built-in CPU, with the real loader and the real
 * devices, one instruction at a time; the state is compared after each, the memory
 * at intervals and at the end.
 *
 * Where the KVM at hand cannot go on (facts: no 32-bit paging, no gates outside real
 * mode), the comparison of that guest ends, and a line says where.
 * `lockstep_guests [GUEST.elf…]`
 */
#include <glob.h>
#include <stdlib.h>

#include "lockstep.h"
#include "tests/unit/unit.h"
#include "vmm/engines.h"
#include "vmm/insn.h"
#include "vmm/kvm/kvm.h"

enum { STEPS = 20000, MEMORY_EVERY = 2048, OUTPUT = 4096 };

struct side {
    struct machine machine;
    struct machine_options options;
    struct cpu_exit exit;
    char output[OUTPUT];
    size_t length;
};

static void keep(void *context, unsigned number, const char *text, size_t length) {
    struct side *s = context;
    (void)number;
    if (length > OUTPUT - s->length)
        length = OUTPUT - s->length;
    memcpy(s->output + s->length, text, length);
    s->length += length;
}
static void ignore(void *context) { (void)context; }
static void hear(void *context, unsigned number, const char *text) {
    (void)context, (void)number, (void)text;
}

static bool open_side(struct side *s, const char *path, enum engine_choice engine, char *error,
                      size_t size) {
    struct machine_owner owner = {s, keep, ignore, hear};
    s->options = (struct machine_options){.engine = engine, .debugged = true};
    if (machine_open(&s->machine, 1, path, &s->options, &owner, error, size) < 0)
        return false;
    machine_end_input(&s->machine);
    return true;
}

static void step(struct side *s) {
    s->exit = (struct cpu_exit){0};
    s->machine.cpu.engine->step(&s->machine.cpu, &s->exit);
}

static bool same_memory(const struct side *a, const struct side *b) {
    const struct memory *m = &a->machine.memory;
    return !memcmp(m->ram, b->machine.memory.ram, m->ram_size);
}

/* What MUL and IMUL leave in these the manual does not say, and parts differ (see
 * test_soft_native); the guest must not care. */
enum { MUL_UNSURE = FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF };

static uint64_t unsure_flags(struct machine *m) {
    const struct cpu_state *s = cpu_read(&m->cpu, CPU_REGS | CPU_SREGS);
    struct insn i;
    insn_look(&m->memory, s, x86_pc(&s->regs, &s->sregs), &i);
    unsigned reg = insn_modrm(&i) >> 3 & 7;
    bool group = (i.opcode == 0xF6 || i.opcode == 0xF7) && (reg == 4 || reg == 5);
    bool mul = group || i.opcode == 0x69 || i.opcode == 0x6B ||
               (i.opcode == 0x0F && i.second == 0xAF);
    return mul ? MUL_UNSURE : 0;
}

/* What is undefined goes on as the KVM has it, so that later pushes agree. */
static void take_flags(struct side *from, struct side *to, uint64_t flags) {
    uint64_t have = cpu_read(&from->machine.cpu, CPU_REGS)->regs.rflags;
    __u64 *own = &cpu_write(&to->machine.cpu, CPU_REGS)->regs.rflags;
    *own = (*own & ~flags) | (have & flags);
}

enum verdict { SAME, DIFFERENT, KVM_ENDS };

/* One step on both, compared. */
static enum verdict compare(struct lockstep *l, struct side *kvm, struct side *soft) {
    l->ignore_flags = unsure_flags(&soft->machine);
    step(kvm);
    if (kvm->exit.kind == CPU_EXIT_CANNOT || kvm->exit.kind == CPU_EXIT_SHUTDOWN)
        return KVM_ENDS;
    step(soft);
    l->steps++;
    if (!lockstep_same_state(l, cpu_read(&kvm->machine.cpu, CPU_ALL),
                             cpu_read(&soft->machine.cpu, CPU_ALL)))
        return DIFFERENT;
    if (kvm->exit.kind != soft->exit.kind) {
        snprintf(l->why, sizeof l->why, "after %llu steps the exits are %d and %d",
                 (unsigned long long)l->steps, kvm->exit.kind, soft->exit.kind);
        return DIFFERENT;
    }
    if (l->steps % MEMORY_EVERY == 0 && !same_memory(kvm, soft)) {
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
    const struct cpu_state *s = cpu_read(&soft->machine.cpu, CPU_REGS | CPU_SREGS);
    bool same = v != DIFFERENT && same_memory(kvm, soft) && kvm->length == soft->length &&
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

static void one_guest(const char *path) {
    static struct side kvm, soft;
    char error[256];
    struct lockstep l = {.parts = CPU_REGS | CPU_SREGS | CPU_DEBUGREGS, .ignore_accessed = true};
    enum verdict v = SAME;
    memset(&kvm, 0, sizeof kvm);
    memset(&soft, 0, sizeof soft);
    bool opened = open_side(&kvm, path, ENGINE_KVM, error, sizeof error) &&
                  open_side(&soft, path, ENGINE_SOFT, error, sizeof error);
    CHECK(opened);
    if (!opened) {
        printf("%s: %s\n", name_of(path), error);
        return;
    }
    do
        v = compare(&l, &kvm, &soft);
    while (v == SAME && kvm.exit.kind == CPU_EXIT_STEPPED && l.steps < STEPS);
    judge(path, &l, v, &kvm, &soft);
    machine_close(&kvm.machine);
    machine_close(&soft.machine);
}

/* long64 is for a CPU with long mode, which the built-in one is not. */
static bool wanted(const char *path) { return strcmp(name_of(path), "long64.elf") != 0; }

static bool has_kvm(char *error, size_t size) {
    struct rig r = {0};
    struct kvm_options options = {0};
    if (memory_open(&r.memory, 1 << 20) < 0)
        return false;
    r.cpu.memory = &r.memory;
    r.cpu.points = &r.points;
    bool has = kvm_open(&r.cpu, &options, error, size) == 0;
    if (has)
        r.cpu.engine->close(&r.cpu);
    memory_close(&r.memory);
    return has;
}

int main(int argc, char **argv) {
    char error[256], pattern[512];
    glob_t found = {0};
    const char *build = getenv("BUILD");
    if (!has_kvm(error, sizeof error)) {
        printf("no KVM to compare with: %s\n", error);
        return 77;
    }
    snprintf(pattern, sizeof pattern, "%s/guests/*.elf", build ? build : "build");
    for (int n = 1; n < argc; n++)
        one_guest(argv[n]);
    if (argc == 1 && glob(pattern, 0, NULL, &found) == 0)
        for (size_t n = 0; n < found.gl_pathc; n++)
            if (wanted(found.gl_pathv[n]))
                one_guest(found.gl_pathv[n]);
    globfree(&found);
    return unit_end();
}
