/* x87 instructions: see x87.h for how the host does them. */
#include "vmm/engines/soft/x87.h"

#include "vmm/cpu/engine.h"
#include "vmm/engines/soft/access.h"
#include "vmm/engines/soft/flags.h"
#include "vmm/engines/soft/fpu_operand.h"
#include "vmm/engines/soft/handlers.h"

/* --- the host's instructions ---
 *
 * Each is a function of four bytes, whose memory operand is at RDI. They are in the order of the
 * opcodes, so that an instruction's place among them is its own bytes. */
__asm__(".pushsection .text\n"
        ".p2align 2\n"
        ".globl x87_on_registers, x87_on_memory\n"
        ".hidden x87_on_registers, x87_on_memory\n"
        "x87_on_registers:\n"
        ".set x87_opcode, 0xd8\n"
        ".rept 8\n"
        ".set x87_modrm, 0xc0\n"
        ".rept 64\n"
        ".byte x87_opcode, x87_modrm\n ret\n .p2align 2\n"
        ".set x87_modrm, x87_modrm + 1\n"
        ".endr\n"
        ".set x87_opcode, x87_opcode + 1\n"
        ".endr\n"
        "x87_on_memory:\n"
        ".set x87_opcode, 0xd8\n"
        ".rept 8\n"
        ".set x87_modrm, 7\n"
        ".rept 8\n"
        ".byte x87_opcode, x87_modrm\n ret\n .p2align 2\n"
        ".set x87_modrm, x87_modrm + 8\n"
        ".endr\n"
        ".set x87_opcode, x87_opcode + 1\n"
        ".endr\n"
        ".popsection\n");
extern const uint8_t x87_on_registers[8][64][4], x87_on_memory[8][8][4];

/* SF, ZF, AF, PF and CF come and go in bits 8 to 15. A call that the compiler does not see must not
 * touch what it may have put below the stack's end. */
static uint32_t do_host(const struct op *op, const void *memory, uint32_t ah) {
    const uint8_t *code = op->memory ? x87_on_memory[op->opcode & 7][op->reg]
                                     : x87_on_registers[op->opcode & 7][op->modrm & 63];
    __asm__ volatile("lea -128(%%rsp), %%rsp\n sahf\n call *%[code]\n lahf\n lea 128(%%rsp), %%rsp"
                     : "+a"(ah) : [code] "r"(code), "D"(memory) : "memory", "cc");
    return ah;
}

/* --- the registers here, and away --- */

#define EVERY_XMM                                                                                  \
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",       \
        "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

static uint16_t host_fsw(void) {
    uint16_t fsw;
    __asm__ volatile("fnstsw %0" : "=a"(fsw));
    return fsw;
}

/* MXCSR stays as it is. */
void x87_bring(struct soft *s) {
    uint32_t mxcsr;
    __asm__ volatile("stmxcsr %0\n fxrstor64 %1\n ldmxcsr %0" : "=m"(mxcsr) : "m"(s->fpu) : EVERY_XMM);
    s->x87_here = true;
    s->mmx_ready = false;
}

void x87_take_back(struct soft *s) {
    struct fpu_image now;
    __asm__ volatile("fxsave64 %0\n fninit" : "=m"(now));
    s->fpu.fcw = now.fcw;
    s->fpu.fsw = now.fsw;
    s->fpu.ftw = now.ftw;
    for (unsigned n = 0; n < 8; n++)
        s->fpu.st[n].v = now.st[n].v & st_defined.v;
    s->x87_here = s->x87_ready = false;
}

/* The last exception that is pending has gone. */
static void drop_ferr(struct soft *s) {
    const struct engine_host *host = engine_host_of(s->cpu);
    s->ferr = false;
    if (!host->ferr)
        return;
    fpu_away(s);
    host->ferr(s->cpu->host.context, false);
}

void x87_control_changed(struct soft *s) {
    s->fpu.fcw = x87_host_fcw();
    s->x87_ready = (s->fpu.fcw & FCW_MASKS) == FCW_MASKS;
    if (UNLIKELY(s->ferr) && !(host_fsw() & FSW_ES))
        drop_ferr(s);
}

/* --- before an instruction --- */

/* With CR0.NE the exception is #MF. Without, the pin FERR# raises IRQ 13, and the CPU stands
 * still at this instruction until an interrupt comes or IGNNE# lets it go on (Vol. 1 §8.7.2). */
static void raise_pending(struct soft *s) {
    const struct engine_host *host = engine_host_of(s->cpu);
    if (s->cr0 & CR0_NE)
        raise_plain(s, VECTOR_MF);
    fpu_away(s);
    s->ferr = true;
    s->deadline = 0; /* the interrupt's line has changed */
    s->halted = !(host->ferr && host->ferr(s->cpu->host.context, true));
    pend(s, PENDING_CHECK);
    if (s->halted)
        longjmp(s->unwind, UNWIND_EXIT);
}

static bool x87_is_pending(const struct soft *s) {
    return (s->x87_here ? host_fsw() : s->fpu.fsw) & FSW_ES;
}

void x87_wait(struct soft *s) {
    if (x87_is_pending(s))
        raise_pending(s);
}

void x87_begin(struct soft *s, bool waits) {
    if (s->cr0 & (CR0_EM | CR0_TS)) /* Vol. 3A 2.5 */
        raise_plain(s, VECTOR_NM);
    if (waits)
        x87_wait(s);
    if (!s->x87_here)
        x87_bring(s);
    s->x87_ready = (s->fpu.fcw & FCW_MASKS) == FCW_MASKS;
}

/* --- after it --- */

static void set_fdp(struct soft *s, const struct op *op) {
    uint64_t dp = address(s, op);
    s->fpu.fdp = (uint32_t)dp;
    s->fpu.fds = code64(s) ? (uint16_t)(dp >> 32) : s->seg[op->seg].k.selector;
    s->fpu.fdp_high = code64(s) ? (uint16_t)(dp >> 48) : 0;
}

static void finish(struct soft *s, const struct op *op, const struct x87_row *row) {
    if (row->flags & X87_CONTROL) {
        x87_control_changed(s);
        return;
    }
    x87_set_fip(s, op);
    if (s->x87_ready || !(host_fsw() & FSW_ES))
        return;
    s->fpu.fop = (uint16_t)((op->opcode & 7) << 8 | op->modrm); /* an exception is pending now */
    if (op->memory)
        set_fdp(s, op);
}

/* --- the instruction, whatever the state --- */

static const struct x87_row *row_of(const struct op *op) {
    return op->memory ? &x87_memory_rows[op->opcode & 7][op->reg]
                      : &x87_register_rows[op->opcode & 7][op->modrm & 63];
}

/* One that goes on by IGNNE#, though an exception is pending: the host would not. */
static uint32_t do_ignoring(const struct op *op, void *memory, uint32_t ah) {
    uint8_t environment[28];
    uint16_t fcw = x87_host_fcw();
    __asm__ volatile("fnstenv %0" : "=m"(environment)); /* masks all exceptions */
    ah = do_host(op, memory, ah);
    __asm__ volatile("fldcw %0" : : "m"(fcw));
    return ah;
}

static uint32_t do_carefully(struct soft *s, const struct op *op, const struct x87_row *row,
                             void *memory) {
    uint32_t ah = row->flags & X87_USES_EFLAGS ? flags_get(s) << 8 : 0;
    bool ignores = !s->x87_ready && !(row->flags & X87_NO_WAIT) && x87_is_pending(s);
    return ignores ? do_ignoring(op, memory, ah) : do_host(op, memory, ah);
}

static const struct op *with_registers(struct soft *s, const struct op *op,
                                       const struct x87_row *row) {
    uint32_t ah = do_carefully(s, op, row, NULL);
    if (row->flags & X87_EFLAGS)
        set_compared(s, ah >> 8);
    finish(s, op, row);
    return op + 1;
}

static const struct op *load_operand(struct soft *s, const struct op *op,
                                     const struct x87_row *row) {
    uint8_t operand[16];
    operand_load(s, op->seg, address(s, op), operand, op->size);
    if (!s->x87_here) /* a device was asked */
        x87_begin(s, false);
    do_carefully(s, op, row, operand);
    finish(s, op, row);
    return op + 1;
}

/* With an exception that is not masked nothing is stored, but for a result that is inexact. */
static bool is_stored(const struct soft *s) {
    return s->x87_ready || !(host_fsw() & ~s->fpu.fcw & X87_NO_STORE);
}

/* An exception that is not masked goes before the faults of a store that it keeps from being
 * done (seen on an Intel processor). To find out, the instruction is done and undone. */
static bool will_store(struct soft *s, const struct op *op, const struct x87_row *row) {
    uint8_t operand[16];
    if (s->x87_ready || row->flags & X87_CONTROL)
        return true;
    x87_take_back(s);
    x87_bring(s);
    do_carefully(s, op, row, operand);
    bool stores = is_stored(s);
    x87_bring(s);
    return stores;
}

static const struct op *store_operand(struct soft *s, const struct op *op,
                                      const struct x87_row *row) {
    uint8_t operand[16];
    uint64_t at = address(s, op);
    if (will_store(s, op, row))
        operand_check(s, op->seg, at, op->size);
    do_carefully(s, op, row, operand);
    bool stores = row->flags & X87_CONTROL || is_stored(s);
    finish(s, op, row);
    if (stores)
        operand_store(s, op->seg, at, operand, op->size);
    return op + 1;
}

const struct op *x87_carefully(struct soft *s, const struct op *op) {
    const struct x87_row *row = row_of(op);
    if (!s->x87_ready)
        x87_begin(s, !(row->flags & X87_NO_WAIT));
    if (row->flags & X87_LOAD)
        return load_operand(s, op, row);
    return row->flags & X87_STORE ? store_operand(s, op, row) : with_registers(s, op, row);
}

/* --- CPUID does not announce one --- */

/* The instructions by which software finds out whether there is an x87: a part without
 * one does not fault on them (Intel AP-485), and what it stores is an open bus. */
static bool asks_for_x87(const struct op *op) {
    bool control = !op->memory && op->opcode == 0xDB && op->modrm >= 0xE0 && op->modrm <= 0xE4;
    bool status_ax = op->opcode == 0xDF && op->modrm == 0xE0;
    bool stores = op->memory && op->reg == 7 && (op->opcode == 0xD9 || op->opcode == 0xDD);
    return control || status_ax || stores; /* FNINIT, FNCLEX …; FNSTSW, FNSTCW */
}

/* #NM if the system emulates it (2.5, CR0.EM and TS). */
static const struct op *x87_absent(struct soft *s, const struct op *op) {
    if (s->cr0 & (CR0_EM | CR0_TS))
        raise_plain(s, VECTOR_NM);
    if (!asks_for_x87(op))
        raise_plain(s, VECTOR_UD);
    if (op->memory)
        store(s, op->seg, address(s, op), 2, 0xFFFF);
    else if (op->opcode == 0xDF)
        set_reg(s, REG(R_AX), 2, 0xFFFF);
    return op + 1;
}

/* --- which handler: when it is decoded --- */

static const struct op *x87_special(struct soft *s, const struct op *op) {
    static op_fn *const own[] = {
        [X87_FNINIT] = x87_fninit,   [X87_FNSTSW_AX] = x87_fnstsw_ax, [X87_FLDENV] = x87_fldenv,
        [X87_FNSTENV] = x87_fnstenv, [X87_FRSTOR] = x87_frstor,       [X87_FNSAVE] = x87_fnsave,
    };
    const struct x87_row *row = row_of(op);
    if (!s->x87_ready)
        x87_begin(s, !(row->flags & X87_NO_WAIT));
    return own[row->own](s, op);
}

op_fn *x87_choose(const struct soft *s, struct op *op) {
    const struct x87_row *row = row_of(op);
    op->size = row->size;
    if (!has_feature(s, FEATURE_FPU) || !has_feature(s, row->feature))
        return x87_absent;
    if (!*row->name)
        return undefined;
    if (row->own)
        return x87_special;
    if (row->flags & X87_USES_EFLAGS || (row->flags & X87_CONTROL && !op->memory))
        return x87_carefully;
    return x87_fast(row, op);
}

const struct op *x87_fninit(struct soft *s, const struct op *op) {
    __asm__ volatile("fninit");
    s->fpu.fip = s->fpu.fdp = 0;
    s->fpu.fcs = s->fpu.fds = s->fpu.fip_high = s->fpu.fdp_high = s->fpu.fop = 0;
    x87_control_changed(s);
    return op + 1;
}

const struct op *x87_fnstsw_ax(struct soft *s, const struct op *op) {
    set_reg(s, REG(R_AX), 2, host_fsw());
    return op + 1;
}

const struct op *fwait(struct soft *s, const struct op *op) {
    if ((s->cr0 & (CR0_MP | CR0_TS)) == (CR0_MP | CR0_TS))
        raise_plain(s, VECTOR_NM);
    if (!s->x87_ready && has_feature(s, FEATURE_FPU))
        x87_wait(s);
    return op + 1;
}
