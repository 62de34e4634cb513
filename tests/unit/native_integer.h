/* Batches of instructions without the FPU, on the host and on the built-in CPU: what
 * test_soft_native.c (32-bit code) and test_soft_native64.c have in common.
 *
 * The includer's struct test has code and length, in and out (registers with flags), data and
 * `faulted`; it makes one, puts it onto the built-in CPU and takes what came of it from there,
 * and shows its registers. Its lead[] is code that changes nothing but has accessed the data.
 */
#ifndef MINIKVM_NATIVE_INTEGER_H
#define MINIKVM_NATIVE_INTEGER_H

#include "native_host.h"
#include "tests/lockstep/undefined.h"
#include "vmm/engines/soft/soft.h"

static uint64_t count_register(const struct test *); /* CX before the instruction */
static void make(struct test *);
static void soft_put(struct cpu_state *, const struct test *); /* all registers */
static void soft_take(struct test *, const struct cpu_state *);
static void show(const char *who, const struct test *, bool after);

/* By a step, or amid other code: where it meets what that has left in the CPU, and goes on. */
static void soft_test(struct rig *r, struct test *t, bool amid) {
    rig_put(r, DATA, t->data, DATA_SIZE);
    rig_put(r, CODE - sizeof lead, lead, sizeof lead);
    rig_put(r, CODE, t->code, sizeof t->code);
    rig_put(r, CODE + t->length, "\xF4", 1);
    struct cpu_state *s = rig_get(r);
    soft_put(s, t);
    s->regs.rip = amid ? CODE - sizeof lead : CODE;
    s->sregs.idt.limit = 0; /* any fault is a triple one */
    s->mp.mp_state = KVM_MP_STATE_RUNNABLE;
    rig_set(r);
    t->faulted = (amid ? rig_run(r) : rig_step(r)) == CPU_EXIT_SHUTDOWN; /* up to the HLT */
    soft_take(t, rig_get(r));
    memory_read(&r->memory, DATA, t->data, DATA_SIZE);
}

static bool same(struct rig *r, const struct test *host, const struct test *soft) {
    struct test a = *host, b = *soft;
    struct insn in; /* as it stands in the guest's memory, where the last one has been run */
    insn_read(&r->memory, rig_get(r), CODE, &in);
    if (host->faulted != soft->faulted || undefined_result(&in, count_register(host)))
        return host->faulted == soft->faulted;
    uint32_t flags = FLAGS & ~undefined_flags(&in, count_register(host));
    a.out.flags &= flags;
    b.out.flags &= flags;
    return !memcmp(host->data, soft->data, DATA_SIZE) && (host->faulted || !memcmp(&a.out, &b.out, sizeof a.out));
}

static void explain(const struct test *in, const struct test *host, const struct test *soft) {
    for (unsigned n = 0; n < in->length; n++)
        fprintf(stderr, "%02x ", in->code[n]);
    fprintf(stderr, "%s%s%s\n", host->faulted ? "host faulted " : "",
            soft->faulted ? "soft faulted" : "",
            memcmp(host->data, soft->data, DATA_SIZE) ? "memory differs" : "");
    show("in  ", in, false);
    show("host", host, true);
    show("soft", soft, true);
}

/* false: the host has no memory there. */
static bool compare_batch(struct rig *r, struct test *host) {
    static struct test soft[BATCH], in[BATCH];
    static unsigned shown;
    for (unsigned n = 0; n < BATCH; n++)
        make(&host[n]);
    memcpy(soft, host, sizeof soft);
    memcpy(in, host, sizeof in);
    int status = host_batch(host);
    CHECK(status == 0 || status == NO_MEMORY);
    for (unsigned n = 0; status == 0 && n < BATCH; n++) {
        soft_test(r, &soft[n], n & 1);
        bool ok = same(r, &host[n], &soft[n]);
        CHECK(ok);
        if (!ok && shown++ < 12)
            explain(&in[n], &host[n], &soft[n]);
    }
    return status != NO_MEMORY;
}

/* [cases] [seed] */
static int native_integer(int argc, char **argv, void (*flat)(struct rig *, const void *, size_t)) {
    unsigned batches = (argc > 1 ? (unsigned)atoi(argv[1]) : 40000) / BATCH + 1;
    seed = argc > 2 ? strtoull(argv[2], NULL, 0) : seed;
    struct test *host =
        mmap(NULL, BATCH * sizeof *host, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct rig r;
    rig_open(&r, soft_open, 4 << 20);
    flat(&r, "", 0);
    while (batches--)
        if (!compare_batch(&r, host)) {
            puts("no memory below 2 GiB to be had here; skipped");
            break;
        }
    rig_close(&r);
    return unit_end();
}

#endif
