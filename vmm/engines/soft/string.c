/* String instructions, alone and repeated (Vol. 1 §7.3.9).
 *
 * A repeated one works in pieces: as many iterations as stay within the pages
 * that SI and DI point into, each piece counting as one instruction. Between
 * pieces it is an instruction that starts anew, with CX, SI and DI where they
 * are, so interrupts and kick() come in there.
 *
 * Rule: where pieces end depends on the guest's registers only, never on what
 * our caches hold or what is watched: else time would not be the same twice.
 */
#include "vmm/engines/soft/access.h"
#include "vmm/engines/soft/flags.h"
#include "vmm/engines/soft/handlers.h"

enum { USES_SI = 1, USES_DI = 2 };

typedef void once_fn(struct soft *, const struct op *);

static uint64_t si(const struct soft *s, const struct op *op) {
    return s->r[R_SI] & op->mask;
}
static uint64_t di(const struct soft *s, const struct op *op) {
    return s->r[R_DI] & op->mask;
}

static void step_register(struct soft *s, const struct op *op, unsigned n, uint64_t by) {
    set_counter(s, op, n, s->r[n] + by);
}

static void advance(struct soft *s, const struct op *op, unsigned uses, uint64_t times) {
    uint64_t by = (s->flags & FLAG_DF ? 0 - (uint64_t)op->size : op->size) * times;
    if (uses & USES_SI)
        step_register(s, op, R_SI, by);
    if (uses & USES_DI)
        step_register(s, op, R_DI, by);
}

/* --- one iteration each --- */

static void movs_once(struct soft *s, const struct op *op) {
    uint64_t value = load(s, op->seg, si(s, op), op->size);
    store(s, S_ES, di(s, op), op->size, value);
}

static void stos_once(struct soft *s, const struct op *op) {
    store(s, S_ES, di(s, op), op->size, s->r[R_AX]);
}

static void lods_once(struct soft *s, const struct op *op) {
    set_reg(s, REG(R_AX), op->size, load(s, op->seg, si(s, op), op->size));
}

static void compare_strings(struct soft *s, uint64_t a, uint64_t b, unsigned size) {
    flags_sub(s, a, b, a - b, size);
}

static void scas_once(struct soft *s, const struct op *op) {
    uint64_t b = load(s, S_ES, di(s, op), op->size);
    compare_strings(s, get_reg(s, REG(R_AX), op->size), b, op->size);
}

static void cmps_once(struct soft *s, const struct op *op) {
    uint64_t a = load(s, op->seg, si(s, op), op->size);
    compare_strings(s, a, load(s, S_ES, di(s, op), op->size), op->size);
}

/* The destination is checked before the device is read: a read may have side effects. */
static void ins_once(struct soft *s, const struct op *op) {
    uint16_t port = (uint16_t)s->r[R_DX];
    io_allow(s, port, op->size);
    check_write(s, S_ES, di(s, op), op->size);
    store(s, S_ES, di(s, op), op->size, io_read(s, port, op->size));
}

static void outs_once(struct soft *s, const struct op *op) {
    uint16_t port = (uint16_t)s->r[R_DX];
    io_allow(s, port, op->size);
    io_write(s, port, op->size, load(s, op->seg, si(s, op), op->size));
}

/* --- pieces --- */

/* Iterations from offset until the page, or the offset of 16, 32 or 64 bits, ends. An
 * element that lies on two pages is a piece of its own. */
static uint64_t in_page(const struct soft *s, const struct op *op, unsigned seg, uint64_t offset) {
    unsigned at = (s->seg[seg].base + offset) & 0xFFF, size = op->size;
    bool down = s->flags & FLAG_DF;
    uint64_t page = at + size > PAGE_SIZE ? 1 : down ? at / size + 1 : (PAGE_SIZE - at) / size;
    uint64_t behind = (down ? offset : op->mask - offset) / size; /* this one */
    return page <= behind ? page : behind + 1;
}

static uint64_t piece(const struct soft *s, const struct op *op, unsigned uses) {
    uint64_t n = s->r[R_CX] & op->mask, fits;
    if (uses & USES_SI && (fits = in_page(s, op, op->seg, si(s, op))) < n)
        n = fits;
    if (uses & USES_DI && (fits = in_page(s, op, S_ES, di(s, op))) < n)
        n = fits;
    return n;
}

/* Does the comparison's result say to stop? */
static bool found(const struct soft *s, const struct op *op, bool compares) {
    return compares && get_zf(s) != (op->rep == 0xF3);
}

/* After part of the work: the loop goes on with the same instruction, not
 * counted yet. */
static const struct op *rep_interrupted(struct soft *s, const struct op *op) {
    s->repeating = true;
    pend(s, PENDING_CHECK);
    return op;
}

static const struct op *finished(struct soft *s, const struct op *op) {
    s->repeating = false;
    return leave(s, op, after(s, op));
}

/* A count of 0. What 32-bit registers leave out is cleared all the same: of RCX, and by MOVS
 * and STOS (`uses`) of RSI and RDI, too (seen on an Intel processor). */
static const struct op *rep_zero_times(struct soft *s, const struct op *op, unsigned uses) {
    set_counter(s, op, R_CX, 0);
    advance(s, op, uses, 0);
    return finished(s, op);
}

static const struct op *next_piece(struct soft *s, const struct op *op) {
    s->repeating = true;
    return leave(s, op, here(s));
}

ALWAYS const struct op *string(struct soft *s, const struct op *op, once_fn *once, unsigned uses,
                               bool compares) {
    if (!op->rep) {
        once(s, op);
        advance(s, op, uses, 1);
        return op + 1;
    }
    uint64_t left = piece(s, op, uses);
    if (!left)
        return rep_zero_times(s, op, once == movs_once || once == stos_once ? uses : 0);
    for (;;) {
        once(s, op);
        advance(s, op, uses, 1);
        step_register(s, op, R_CX, ~0ull);
        if (!(s->r[R_CX] & op->mask) || found(s, op, compares))
            return finished(s, op);
        if (--left == 0)
            return next_piece(s, op);
        if (UNLIKELY(s->exiting || s->watch_hit || s->db_trap || s->flags & FLAG_TF))
            return rep_interrupted(s, op);
    }
}

/* --- MOVS and STOS in bulk: a whole piece, if all of it is plain memory --- */

/* Host address of n elements from offset on, upwards, by the fast path's rules. */
static uint8_t *plain_string(struct soft *s, unsigned seg, uint64_t offset, uint64_t bytes, bool write) {
    const struct segment *g = &s->seg[seg];
    uint64_t linear = g->base + offset;
    const struct tlb_entry *e = tlb_slot(s, linear);
    uint64_t end = write ? g->write_end : g->read_end, tag = write ? e->write : e->read;
    bool fast = offset + bytes <= end && tag == (linear & ~0xFFFull) &&
                (linear & 0xFFF) + bytes <= PAGE_SIZE;
    return fast ? (uint8_t *)(e->host + linear) : NULL;
}

/* Each element sees what the one before wrote. */
static void copy_up(uint8_t *to, const uint8_t *from, uint64_t bytes, unsigned size) {
    if (to <= from || to >= from + bytes)
        memmove(to, from, bytes);
    else
        for (uint64_t n = 0; n < bytes; n += size)
            store_host(to + n, size, fetch_host(from + n, size));
}

static void rep_fill(uint8_t *to, uint64_t value, uint64_t bytes, unsigned size) {
    if (size == 1)
        memset(to, (uint8_t)value, bytes);
    else
        for (uint64_t n = 0; n < bytes; n += size)
            store_host(to + n, size, value);
}

static const struct op *bulk_done(struct soft *s, const struct op *op, unsigned uses, uint64_t n) {
    advance(s, op, uses, n);
    step_register(s, op, R_CX, 0 - n);
    return s->r[R_CX] & op->mask ? next_piece(s, op) : finished(s, op);
}

static bool bulk_possible(const struct soft *s, const struct op *op) {
    return op->rep && !(s->flags & (FLAG_DF | FLAG_TF));
}

const struct op *movs(struct soft *s, const struct op *op) {
    uint64_t n = bulk_possible(s, op) ? piece(s, op, USES_SI | USES_DI) : 0;
    uint8_t *from = n ? plain_string(s, op->seg, si(s, op), n * op->size, false) : NULL;
    uint8_t *to = from ? plain_string(s, S_ES, di(s, op), n * op->size, true) : NULL;
    if (!to)
        return string(s, op, movs_once, USES_SI | USES_DI, false);
    copy_up(to, from, n * op->size, op->size);
    return bulk_done(s, op, USES_SI | USES_DI, n);
}

const struct op *stos(struct soft *s, const struct op *op) {
    uint64_t n = bulk_possible(s, op) ? piece(s, op, USES_DI) : 0;
    uint8_t *to = n ? plain_string(s, S_ES, di(s, op), n * op->size, true) : NULL;
    if (!to)
        return string(s, op, stos_once, USES_DI, false);
    rep_fill(to, s->r[R_AX], n * op->size, op->size);
    return bulk_done(s, op, USES_DI, n);
}

const struct op *lods(struct soft *s, const struct op *op) {
    return string(s, op, lods_once, USES_SI, false);
}
const struct op *scas(struct soft *s, const struct op *op) {
    return string(s, op, scas_once, USES_DI, true);
}
const struct op *cmps(struct soft *s, const struct op *op) {
    return string(s, op, cmps_once, USES_SI | USES_DI, true);
}
const struct op *ins(struct soft *s, const struct op *op) {
    return string(s, op, ins_once, USES_DI, false);
}
const struct op *outs(struct soft *s, const struct op *op) {
    return string(s, op, outs_once, USES_SI, false);
}
