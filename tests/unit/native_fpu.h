/* x87, MMX and SSE instructions on the built-in CPU and on the host's own: what
 * test_soft_native_fpu.c (32-bit code) and test_soft_native_fpu64.c have in common. All
 * registers, status and control words, tags and memory are compared after each instruction,
 * and whether it faulted.
 *
 * Opcodes are random, so what is no instruction is met as well; operands are mostly at the
 * edges of their formats. IN_64BIT is 0 or 1; host_child() is the includer's.
 */
#ifndef MINIKVM_NATIVE_FPU_H
#define MINIKVM_NATIVE_FPU_H

#include <cpuid.h>

#include "native_host.h"
#include "vmm/x86/fpu.h"
#include "vmm/engines/soft/soft.h"

/* The stubs know these, too. */
#define FPU_IN  0x102000
#define FPU_OUT 0x102200
#define MXCSR   0x102400 /* the host's own */
enum { DATA_SIZE = 512 };
enum { AX, CX, DX, BX, SP, BP, SI, DI };

struct registers {
    uint64_t flags, r[16];
};

struct test {
    uint8_t code[32], length;
    uint8_t led; /* bytes of lead[] before the instruction */
    uint8_t rex_end;
    uint8_t fxsave; /* 0, or 1 and ModRM's reg field */
    bool in_data; /* it has a memory operand there, at: */
    uint32_t operand;
    struct registers in, out;
    struct fpu_image fpu;
    uint8_t data[DATA_SIZE];
    bool faulted;
};

static uint32_t any(void) { return (uint32_t)(next_random() >> 16); }
static bool one_in(unsigned n) { return any() % n == 0; }
static uint64_t any64(void) { return (uint64_t)any() << 32 | any(); }

#include "native_fpu_rows.h"
#include "native_fpu_operands.h"

/* --- the registers --- */

static bool plain_x87; /* nothing is pending: for instructions of SSE */
static void make_x87(struct fpu_image *f) {
    static const uint8_t tags[] = {0xFF, 0xFF, 0, 0x7F, 0xFE};
    f->fcw = (uint16_t)(0x40 | (any() & 0xF00) | (one_in(2) ? 0x3F : any() & 0x3F));
    f->fsw = (uint16_t)(any() & 0x7F7F);
    if (plain_x87 || !one_in(4))
        f->fsw &= (uint16_t)~(~f->fcw & 0x3F);
    if (f->fsw & ~f->fcw & 0x3F)
        f->fsw |= FSW_ES | FSW_B;
    f->ftw = one_in(3) ? (uint8_t)any() : tags[any() % sizeof tags];
    f->fop = any() & 0x7FF;
    f->fip = any();
    f->fdp = any();
    for (unsigned n = 0; n < 8; n++)
        put_extended(f->st[n].b);
}

static void make_sse(struct fpu_image *f) {
    f->mxcsr = (one_in(3) ? any() & 0x1F80 : 0x1F80) | (any() & 0xE040) | (any() & any() & 0x3F);
    f->mxcsr &= one_in(2) ? ~0x8040u : ~0u;
    for (unsigned n = 0; n < (IN_64BIT ? 16 : 8); n++)
        fill(f->xmm[n].b, 16);
}

/* --- instructions --- */

static void emit(struct test *t, unsigned byte) {
    t->code[t->length++] = (uint8_t)byte;
}

/* Memory operands are [esi + disp8] or an absolute address in DATA; most are aligned. */
static void emit_modrm(struct test *t, unsigned reg, bool memory) {
    uint32_t at = DATA + any() % (DATA_SIZE - 128);
    if (!memory) {
        emit(t, 0xC0 | reg << 3 | any() % 8);
        return;
    }
    at &= one_in(8) ? ~0u : ~15u;
    if (t->rex_end)
        t->code[t->rex_end - 1] &= 0xFC;
    t->in_data = true;
    t->operand = at;
    if (one_in(2)) {
        uint32_t distance = any() % 64;
        t->in.r[SI] = at - distance;
        emit(t, 0x46 | reg << 3);
        emit(t, distance);
    } else {
        emit(t, (IN_64BIT ? 0x04 : 0x05) | reg << 3);
        if (IN_64BIT) /* 05 would be relative to RIP */
            emit(t, 0x25);
        for (int n = 0; n < 4; n++)
            emit(t, at >> 8 * n);
    }
}

static void emit_rex(struct test *t) {
    if (IN_64BIT && one_in(2)) /* without REX.B in an address: that would be another register */
        emit(t, 0x40 | any() % 16), t->rex_end = t->length;
}

static bool only_x87, only_sse;

static void make_x87_instruction(struct test *t) {
    if (one_in(10))
        emit(t, 0x66);
    emit_rex(t);
    if (one_in(60)) {
        emit(t, 0x9B);
        return;
    }
    emit(t, 0xD8 + any() % 8);
    emit_modrm(t, any() % 8, one_in(2));
    if (t->in_data)
        (one_in(2) ? put_extended : put_packed_decimal)(t->data + (t->operand - DATA));
}

/* Of all three maps, with any prefix or none: many are no instruction. */
static void make_sse_instruction(struct test *t) {
    static const uint8_t prefixes[] = {0, 0x66, 0xF3, 0xF2};
    static const struct {
        uint8_t first, last;
    } spans[] = {{0x10, 0x17}, {0x28, 0x2F}, {0x50, 0x7F}, {0xC2, 0xC6}, {0xD0, 0xFE}};
    uint8_t prefix = prefixes[any() % 4];
    unsigned map = any() % 8, span = any() % 8;
    span = span < 5 ? span : span < 6 ? 2 : 4;
    if (one_in(40) && prefix)
        emit(t, 0x66);
    if (prefix)
        emit(t, prefix);
    emit_rex(t);
    emit(t, 0x0F);
    if (map == 0) {
        emit(t, 0x38);
        emit(t, one_in(20) && prefix == 0xF2 ? 0xF0 | any() % 2 : any() % 0x48);
    } else if (map == 1) {
        emit(t, 0x3A);
        emit(t, one_in(2) ? 0x08 + any() % 0x10 : one_in(2) ? 0x20 + any() % 4 : 0x40 + any() % 0x24);
        if (t->code[t->length - 1] == 0x44) /* PCLMULQDQ is not built */
            t->code[t->length - 1] = 0x42;
    } else if (one_in(100)) {
        emit(t, 0xB8);
    } else {
        emit(t, spans[span].first + any() % (spans[span].last - spans[span].first + 1u));
    }
    bool no_modrm = map > 1 && t->code[t->length - 1] == 0x77;
    uint8_t opcode = t->code[t->length - 1];
    if (!no_modrm) /* of shifts by an immediate, few reg fields are any, and none with memory */
        emit_modrm(t, any() % 8, one_in(map > 1 && opcode > 0x70 && opcode < 0x74 ? 12 : 2));
    if (map == 1 || (map > 1 && ((opcode >= 0x70 && opcode <= 0x73) || opcode == 0xC2 ||
                                 (opcode >= 0xC4 && opcode <= 0xC6))))
        emit(t, any());
}

/* One that is not yet executed often enough. */
static void make_row(struct test *t, const struct fpu_row *row) {
    bool memory = row->flags & MEM || (!(row->flags & ONLY_REG) && one_in(2));
    bool fixed = row->map == MAP_X87 || is_shift(row->map, row->opcode);
    if (row->prefix > PREFIX_66 && one_in(8))
        emit(t, 0x66);
    if (row->prefix)
        emit(t, prefix_bytes[row->prefix]);
    emit_rex(t);
    if (row->map != MAP_X87)
        emit(t, 0x0F);
    if (row->map == MAP_0F38 || row->map == MAP_0F3A)
        emit(t, row->map == MAP_0F38 ? 0x38 : 0x3A);
    emit(t, row->opcode);
    if (fixed && !memory)
        emit(t, row->map == MAP_X87 ? row->modrm : row->modrm | any() % 8);
    else
        emit_modrm(t, fixed ? row->modrm : any() % 8, memory);
    if (row->immediate)
        emit(t, any());
    if (row->map == MAP_X87 && memory)
        (one_in(2) ? put_extended : put_packed_decimal)(t->data + (t->operand - DATA));
}

/* FXSAVE, FXRSTOR, LDMXCSR, STMXCSR, each at DATA: the area is as long. */
static void make_state_instruction(struct test *t) {
    uint32_t mxcsr = any() & 0xFFFF, reserved = one_in(10) ? any() : 0;
    emit_rex(t);
    if (t->rex_end)
        t->code[t->rex_end - 1] &= 0xFC;
    emit(t, 0x0F);
    emit(t, 0xAE);
    t->fxsave = any() % 4 << 3;
    emit(t, 0x06 | t->fxsave); /* [esi] */
    t->fxsave |= 1;
    t->in_data = true;
    t->operand = DATA;
    memcpy(t->data + (t->fxsave == 0x11 ? 0 : 24), &mxcsr, 4);
    if (reserved)
        memcpy(t->data + 26, &reserved, 2);
}

/* What has the registers where the built-in CPU keeps them between two instructions, and the
 * operand's page where it needs no look at rights: or byte [esi], 0; fnop; maxps xmm0, xmm0. */
static const uint8_t lead[] = {0x80, 0x0E, 0x00, 0xD9, 0xD0, 0x0F, 0x5F, 0xC0};

static void lead_in(struct test *t) {
    memcpy(t->code, lead, sizeof lead);
    t->led = t->length = sizeof lead;
}

static void make(struct test *t) {
    memset(t, 0, sizeof *t);
    if (one_in(2))
        lead_in(t);
    fill(t->data, DATA_SIZE);
    t->in.flags = (any() & FLAGS) | 0x202;
    for (unsigned n = 0; n < 16; n++)
        t->in.r[n] = IN_64BIT ? any64() : any();
    t->in.r[SI] = DATA;
    t->in.r[DI] = DATA + 128;
    t->in.r[SP] = DATA + 128 + 4 * (any() % 16);
    plain_x87 = one_in(2);
    const struct fpu_row *row = one_in(5) ? NULL : next_row();
    if (row)
        make_row(t, row);
    else if (only_x87 || (!only_sse && one_in(3)))
        make_x87_instruction(t), plain_x87 = false;
    else if (one_in(20))
        make_state_instruction(t);
    else
        make_sse_instruction(t);
    make_x87(&t->fpu);
    make_sse(&t->fpu);
}

/* --- on the built-in CPU --- */

static void soft_test(struct rig *r, struct test *t) {
    rig_put(r, DATA, t->data, DATA_SIZE);
    rig_put(r, CODE, t->code, sizeof t->code);
    rig_put(r, CODE + t->length, "\xF4", 1);
    struct cpu_state *s = rig_get(r);
    s->mp.mp_state = KVM_MP_STATE_RUNNABLE;
    s->regs = (struct kvm_regs){.rip = CODE, .rflags = t->in.flags};
    for (unsigned n = 0; n < (IN_64BIT ? 16 : 8); n++)
        *kvm_register(&s->regs, n) = t->in.r[n];
    s->sregs.idt.limit = 0; /* any fault is a triple one */
    s->sregs.cr0 |= CR0_NE;
    s->sregs.cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
    *fpu_of(s) = t->fpu;
    rig_set(r);
    t->faulted = (t->led ? rig_run(r) : rig_step(r)) == CPU_EXIT_SHUTDOWN; /* up to the HLT */
    s = rig_get(r);
    t->out.flags = s->regs.rflags;
    for (unsigned n = 0; n < 16; n++)
        t->out.r[n] = *kvm_register(&s->regs, n);
    t->fpu = *fpu_in(s);
    memory_read(&r->memory, DATA, t->data, DATA_SIZE);
}

/* --- what is not the same, and need not be --- */

/* FDP and FOP are those of the last exception only, as here. On other processors they are not,
 * or FXSAVE has no pointers without an exception (AMD): then none are compared. */
static bool host_has_pointers;

static void ask_host(void) {
    unsigned a, b = 0, c, d;
    struct fpu_image f;
    __get_cpuid(0, &a, &b, &c, &d);
    bool intel = b == 0x756E6547, fdp; /* "Genu" */
    fdp = __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & 1 << 6;
    __asm__ volatile("fninit\n\tfld1\n\tfxsave64 %0\n\tfninit" : "=m"(f));
    host_has_pointers = intel && fdp && !f.fop;
}

/* The host's FCS and FDS are always 0, where the built-in CPU has selectors; so they are in
 * what FNSTENV and FNSAVE write. */
static void drop_selectors(struct test *t, const struct test *in) {
    const uint8_t *code = in->code + in->led;
    unsigned wide = *code == 0x66 ? 2 : 4;
    code += wide == 2;
    if (IN_64BIT && (*code & 0xF0) == 0x40)
        wide = *code++ & 8 ? 4 : wide;
    bool stores = in->in_data && (*code & 0xFB) == 0xD9 && (code[1] >> 3 & 7) == 6;
    if (!stores || t->faulted)
        return;
    uint8_t *environment = t->data + (in->operand - DATA);
    memset(environment + 4 * wide, 0, 2);
    memset(environment + 6 * wide, 0, 2);
    if (!host_has_pointers)
        memset(environment + 3 * wide, 0, 4 * wide);
}

/* FXSAVE's mask of MXCSR is the host's, too. */
static void drop_fxsave(struct test *t, const struct test *in) {
    if (in->fxsave != 1 || t->faulted)
        return;
    memset(t->data + 12, 0, 4);
    memset(t->data + 20, 0, 4);
    memset(t->data + 28, 0, 4);
    if (!host_has_pointers)
        memset(t->data + 6, 0, 18);
}

static void drop_what_differs(struct test *t, const struct test *in) {
    t->fpu.fcs = t->fpu.fds = t->fpu.fip_high = t->fpu.fdp_high = 0;
    t->fpu.mxcsr_mask = 0;
    for (unsigned n = IN_64BIT ? 16 : 8; n < 16; n++)
        t->fpu.xmm[n] = (union xmm){0};
    memset(t->fpu.unused, 0, sizeof t->fpu.unused);
    if (!host_has_pointers)
        t->fpu.fdp = t->fpu.fip = t->fpu.fop = 0;
    t->out.flags &= FLAGS;
    for (unsigned n = 0; n < 16; n++)
        t->out.r[n] = IN_64BIT ? t->out.r[n] : (uint32_t)t->out.r[n];
    if (t->faulted)
        memset(&t->out, 0, sizeof t->out);
    drop_selectors(t, in);
    drop_fxsave(t, in);
}

static bool same(struct test *host, struct test *soft, const struct test *in) {
    drop_what_differs(host, in);
    drop_what_differs(soft, in);
    return host->faulted == soft->faulted && !memcmp(&host->out, &soft->out, sizeof host->out) &&
           !memcmp(&host->fpu, &soft->fpu, sizeof host->fpu) &&
           !memcmp(host->data, soft->data, DATA_SIZE);
}

static void show_bytes(const char *what, const void *bytes, unsigned size) {
    const uint8_t *b = bytes;
    fprintf(stderr, " %s=", what);
    for (unsigned n = size; n--;)
        fprintf(stderr, "%02x", b[n]);
}

static void show(const char *who, const struct test *t, const struct test *in) {
    const struct fpu_image *f = &t->fpu;
    fprintf(stderr, "  %s%s ax=%08x flags=%04x fcw=%04x fsw=%04x ftw=%02x fop=%03x fip=%08x fdp=%08x mxcsr=%04x\n   ", who,
            t->faulted ? " FAULT" : "", (unsigned)t->out.r[AX], (unsigned)t->out.flags & FLAGS, f->fcw, f->fsw, f->ftw,
            f->fop, f->fip, f->fdp, f->mxcsr);
    for (unsigned n = 0; n < 8; n++)
        if (memcmp(&t->fpu.st[n], &in->fpu.st[n], 10) || t == in)
            fprintf(stderr, " st%u", n), show_bytes("", f->st[n].b, 10);
    for (unsigned n = 0; n < 16; n++)
        if (memcmp(&t->fpu.xmm[n], &in->fpu.xmm[n], 16) || t == in)
            fprintf(stderr, "\n    xmm%u", n), show_bytes("", f->xmm[n].b, 16);
    if (in->in_data)
        show_bytes("\n    memory", t->data + (in->operand - DATA), 32);
    fprintf(stderr, "\n");
}

static void explain(const struct test *in, const struct test *host, const struct test *soft) {
    for (unsigned n = 0; n < in->length; n++)
        fprintf(stderr, "%02x ", in->code[n]);
    fprintf(stderr, "\n");
    show("in  ", in, in);
    show("host", host, in);
    show("soft", soft, in);
}

static void host_child(struct test *tests);

static bool compare_batch(struct rig *r, struct test *host) {
    static struct test soft[BATCH], in[BATCH];
    static unsigned shown;
    for (unsigned n = 0; n < BATCH; n++)
        make(&host[n]);
    memcpy(soft, host, sizeof soft);
    memcpy(in, host, sizeof in);
    int status = host_batch(host);
    if (status == NO_MEMORY)
        return false;
    CHECK(status == 0);
    for (unsigned n = 0; status == 0 && n < BATCH; n++) {
        soft_test(r, &soft[n]);
        if (!host[n].faulted)
            count_row(in[n].code + in[n].led, in[n].length - in[n].led);
        bool ok = same(&host[n], &soft[n], &in[n]);
        CHECK(ok);
        if (!ok && shown++ < 12)
            explain(&in[n], &host[n], &soft[n]);
    }
    return true;
}

/* [cases] [seed] [x87 or sse: these only]. Of 2.5 million cases each row is executed 1,000
 * times, of fewer so much less often. */
static int native_fpu(int argc, char **argv, void (*flat)(struct rig *, const void *, size_t)) {
    unsigned cases = argc > 1 ? (unsigned)atoi(argv[1]) : 40000, batches = cases / BATCH + 1;
    static const struct cpuid_choice all = {.on = ~0ull};
    seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 88172645463325252ull;
    only_x87 = argc > 3 && argv[3][0] == 'x';
    only_sse = argc > 3 && argv[3][0] == 's';
    ask_host();
    struct test *host =
        mmap(NULL, BATCH * sizeof *host, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct rig r;
    rig_open(&r, soft_open, 4 << 20);
    flat(&r, "", 0);
    r.cpu.cpuid = &all;
    list_rows(!only_sse, !only_x87, soft_choose_features(&r.cpu));
    goal = cases < 2500000 ? cases / 2500 : 1000;
    while (batches--)
        if (!compare_batch(&r, host)) {
            puts("no memory below 2 GiB to be had here; skipped");
            goal = 0;
            break;
        }
    rig_close(&r);
    printf("each of %u rows was executed %u times or more\n", fpu_row_count, check_rows());
    return unit_end();
}

#endif
