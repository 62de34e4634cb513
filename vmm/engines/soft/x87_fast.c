/* x87 instructions when nothing can come of them but their result: all exceptions are masked, the
 * registers are here, the memory operand is within reach. Anything else is x87.c's.
 *
 * There is a handler for each opcode D8 to DF and each ModRM, for the host's instruction is a part
 * of it. Those of which there is no instruction are never called.
 */
#include "vmm/engines/soft/x87.h"

#include "vmm/engines/soft/flags.h"
#include "vmm/engines/soft/fpu_operand.h"

/* What is done with each opcode, and with each ModRM of it. */
#define EACH_OPCODE(each, do)                                                                      \
    each(do, D8) each(do, D9) each(do, DA) each(do, DB) each(do, DC) each(do, DD) each(do, DE)     \
    each(do, DF)
#define EACH_REGISTERS(do, o)                                                                      \
    do(o, C0) do(o, C1) do(o, C2) do(o, C3) do(o, C4) do(o, C5) do(o, C6) do(o, C7)                \
    do(o, C8) do(o, C9) do(o, CA) do(o, CB) do(o, CC) do(o, CD) do(o, CE) do(o, CF)                \
    do(o, D0) do(o, D1) do(o, D2) do(o, D3) do(o, D4) do(o, D5) do(o, D6) do(o, D7)                \
    do(o, D8) do(o, D9) do(o, DA) do(o, DB) do(o, DC) do(o, DD) do(o, DE) do(o, DF)                \
    do(o, E0) do(o, E1) do(o, E2) do(o, E3) do(o, E4) do(o, E5) do(o, E6) do(o, E7)                \
    do(o, E8) do(o, E9) do(o, EA) do(o, EB) do(o, EC) do(o, ED) do(o, EE) do(o, EF)                \
    do(o, F0) do(o, F1) do(o, F2) do(o, F3) do(o, F4) do(o, F5) do(o, F6) do(o, F7)                \
    do(o, F8) do(o, F9) do(o, FA) do(o, FB) do(o, FC) do(o, FD) do(o, FE) do(o, FF)
#define EACH_MEMORY(do, o) /* at (%rdi) */                                                         \
    do(o, 07) do(o, 0F) do(o, 17) do(o, 1F) do(o, 27) do(o, 2F) do(o, 37) do(o, 3F)

#define BYTES(opcode, modrm) ".byte 0x" #opcode ", 0x" #modrm

/* --- the host's instruction --- */

#define DO_REGISTERS(opcode, modrm)                                                                \
    ALWAYS void do_##opcode##_##modrm(void *none) {                                                \
        (void)none;                                                                                \
        __asm__ volatile(BYTES(opcode, modrm));                                                    \
    }
#define DO_MEMORY(opcode, modrm)                                                                   \
    ALWAYS void do_##opcode##_##modrm(void *memory) {                                              \
        __asm__ volatile(BYTES(opcode, modrm) : : "D"(memory) : "memory");                         \
    }
#define DO_COMPARE(opcode, modrm)                                                                  \
    ALWAYS uint32_t ah_##opcode##_##modrm(void) {                                                  \
        uint32_t ah;                                                                               \
        __asm__ volatile(BYTES(opcode, modrm) "\n\tlahf" : "=a"(ah) : : "cc");                     \
        return ah;                                                                                 \
    }
EACH_OPCODE(EACH_REGISTERS, DO_REGISTERS)
EACH_OPCODE(EACH_MEMORY, DO_MEMORY)
EACH_REGISTERS(DO_COMPARE, DB)
EACH_REGISTERS(DO_COMPARE, DF)

/* --- what is around it --- */

typedef void host_fn(void *memory);
typedef uint32_t host_compare_fn(void);

ALWAYS const struct op *on_registers(struct soft *s, const struct op *op, host_fn *run) {
    if (UNLIKELY(!s->x87_ready))
        return x87_carefully(s, op);
    run(NULL);
    x87_set_fip(s, op);
    return next_op(s, op);
}

ALWAYS const struct op *compare(struct soft *s, const struct op *op, host_compare_fn *run) {
    if (UNLIKELY(!s->x87_ready))
        return x87_carefully(s, op);
    set_compared(s, run() >> 8);
    x87_set_fip(s, op);
    return next_op(s, op);
}

ALWAYS const struct op *with_memory(struct soft *s, const struct op *op, void *memory,
                                    host_fn *run) {
    if (UNLIKELY(!memory || !s->x87_ready))
        return x87_carefully(s, op);
    run(memory);
    x87_set_fip(s, op);
    return next_op(s, op);
}

/* --- control: FIP stays as it is --- */

ALWAYS const struct op *store_control(struct soft *s, const struct op *op, host_fn *run) {
    void *memory = operand_to_write(s, op, 2);
    if (UNLIKELY(!memory || !s->x87_ready))
        return x87_carefully(s, op);
    run(memory);
    return next_op(s, op);
}

static const struct op *fnstcw(struct soft *s, const struct op *op) {
    return store_control(s, op, do_D9_3F);
}

static const struct op *fnstsw(struct soft *s, const struct op *op) {
    return store_control(s, op, do_DD_3F);
}

/* With an exception that is masked no more all is done with care. */
static const struct op *fldcw(struct soft *s, const struct op *op) {
    void *memory = operand_to_read(s, op, 2);
    if (UNLIKELY(!memory || !s->x87_ready || s->ferr))
        return x87_carefully(s, op);
    do_D9_2F(memory);
    s->fpu.fcw = x87_host_fcw();
    s->x87_ready = (s->fpu.fcw & FCW_MASKS) == FCW_MASKS;
    return next_op(s, op);
}

static op_fn *control(const struct x87_row *row, const struct op *op) {
    if (row->flags & X87_LOAD)
        return fldcw;
    return op->opcode == 0xD9 ? fnstcw : fnstsw;
}

/* --- the handlers --- */

#define HANDLER(name, call)                                                                        \
    static const struct op *name(struct soft *s, const struct op *op) { return call; }
#define ON_REGISTERS(opcode, modrm)                                                                \
    HANDLER(registers_##opcode##_##modrm, on_registers(s, op, do_##opcode##_##modrm))
#define COMPARES(opcode, modrm)                                                                    \
    HANDLER(compares_##opcode##_##modrm, compare(s, op, ah_##opcode##_##modrm))
#define LOADS(opcode, modrm)                                                                       \
    HANDLER(loads_##opcode##_##modrm,                                                              \
            with_memory(s, op, operand_to_read(s, op, op->size), do_##opcode##_##modrm))
#define STORES(opcode, modrm)                                                                      \
    HANDLER(stores_##opcode##_##modrm,                                                             \
            with_memory(s, op, operand_to_write(s, op, op->size), do_##opcode##_##modrm))
EACH_OPCODE(EACH_REGISTERS, ON_REGISTERS)
EACH_REGISTERS(COMPARES, DB)
EACH_REGISTERS(COMPARES, DF)
EACH_OPCODE(EACH_MEMORY, LOADS)
EACH_OPCODE(EACH_MEMORY, STORES)

#define REGISTERS_NAME(opcode, modrm) registers_##opcode##_##modrm,
#define COMPARES_NAME(opcode, modrm)  compares_##opcode##_##modrm,
#define LOADS_NAME(opcode, modrm)     loads_##opcode##_##modrm,
#define STORES_NAME(opcode, modrm)    stores_##opcode##_##modrm,

op_fn *x87_fast(const struct x87_row *row, const struct op *op) {
    static op_fn *const registers[] = {EACH_OPCODE(EACH_REGISTERS, REGISTERS_NAME)},
                 *const loads[] = {EACH_OPCODE(EACH_MEMORY, LOADS_NAME)},
                 *const stores[] = {EACH_OPCODE(EACH_MEMORY, STORES_NAME)},
                 *const compares_db[] = {EACH_REGISTERS(COMPARES_NAME, DB)},
                 *const compares_df[] = {EACH_REGISTERS(COMPARES_NAME, DF)};
    unsigned opcode = op->opcode & 7, modrm = op->modrm & 63;
    if (row->flags & X87_CONTROL)
        return control(row, op);
    if (row->flags & X87_EFLAGS)
        return op->opcode == 0xDB ? compares_db[modrm] : compares_df[modrm];
    if (!op->memory)
        return registers[opcode * 64 + modrm];
    return row->flags & X87_LOAD ? loads[opcode * 8 + op->reg] : stores[opcode * 8 + op->reg];
}
