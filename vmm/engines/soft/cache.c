/* Decoded code: blocks of ops by address, and the pages they came from.
 *
 * A block holds for one ip, one linear and one physical address; so breakpoints, which
 * are linear, can end it, and where its jumps lead is always the same. It ends with the
 * page; an instruction that lies on two is a block of its own, of two physical pages.
 * Everything lies in one arena; when that is full, or a breakpoint comes or goes, all is
 * dropped and decoded again as it is met.
 *
 * Rule: whoever writes to memory calls cache_written(), unless a TLB entry's
 * write tag says that the page holds no code.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/engines/soft/access.h"
#include "vmm/engines/soft/handlers.h"

#define ARENA_SIZE  (2u << 20)
#define BLOCK_HASH  4096u
#define PAGE_HASH   512u
#define BLOCK_ROOM  (sizeof(struct block) + (BLOCK_OPS + 1) * sizeof(struct op))

struct cache {
    size_t used;
    struct block *blocks[BLOCK_HASH];
    struct code_page *pages[PAGE_HASH];
    _Alignas(16) uint8_t arena[ARENA_SIZE];
};

const struct block no_block;

static void forget_jumps(struct soft *s) {
    for (unsigned n = 0; n < JUMPS; n++)
        s->jumps[n] = &no_block;
}

int cache_open(struct soft *s) {
    forget_jumps(s);
    s->cache = calloc(1, sizeof *s->cache);
    return s->cache ? 0 : -ENOMEM;
}

void cache_close(struct soft *s) {
    free(s->cache);
}

void cache_flush(struct soft *s) {
    s->cache->used = 0;
    memset(s->cache->blocks, 0, sizeof s->cache->blocks);
    memset(s->cache->pages, 0, sizeof s->cache->pages);
    forget_jumps(s);
    new_epoch(s);
    pend(s, PENDING_CHECK);
}

/* make_block() has seen to it that there is room. */
static void *take_block(struct soft *s, size_t size) {
    size = (size + 15) & ~(size_t)15;
    void *at = s->cache->arena + s->cache->used;
    s->cache->used += size;
    return at;
}

static struct block **block_slot(struct soft *s, uint64_t phys) {
    return &s->cache->blocks[(phys ^ phys >> 12) & (BLOCK_HASH - 1)];
}

/* --- pages that hold code --- */

static struct code_page *page_of(struct soft *s, uint64_t phys) {
    struct code_page *p = s->cache->pages[phys >> 12 & (PAGE_HASH - 1)];
    while (p && p->phys != (phys & ~0xFFFull))
        p = p->next;
    return p;
}

bool cache_has_code(struct soft *s, uint64_t phys) {
    struct code_page *p = page_of(s, phys);
    return p && (p->blocks || p->rest);
}

static struct code_page *page_make(struct soft *s, uint64_t phys) {
    struct code_page **slot = &s->cache->pages[phys >> 12 & (PAGE_HASH - 1)];
    struct code_page *p = take_block(s, sizeof *p);
    *p = (struct code_page){.next = *slot, .phys = phys & ~0xFFFull};
    *slot = p;
    return p;
}

static void mark_bytes(struct code_page *p, unsigned from, unsigned length) {
    for (unsigned n = from; n < from + length && n < PAGE_SIZE; n++)
        p->bytes[n / 8] |= (uint8_t)(1 << n % 8);
}

static void mark_block(struct code_page *p, const struct block *b) {
    mark_bytes(p, b->phys & 0xFFF, b->bytes);
}

static bool any_marked(const struct code_page *p, unsigned from, unsigned length) {
    for (unsigned n = from; n < from + length; n++)
        if (p->bytes[n / 8] & 1 << n % 8)
            return true;
    return false;
}

static void unhash(struct soft *s, struct block *dead) {
    struct block **at = block_slot(s, dead->phys);
    while (*at != dead)
        at = &(*at)->next_hash;
    *at = dead->next_hash;
}

/* Drops the blocks that [from, from + length) of the page touches. */
static void kill_blocks(struct soft *s, struct code_page *p, unsigned from, unsigned length) {
    struct block **at = &p->blocks;
    memset(p->bytes, 0, sizeof p->bytes);
    while (*at) {
        struct block *b = *at;
        unsigned start = b->phys & 0xFFF;
        if (start < from + length && from < start + b->bytes) {
            unhash(s, b);
            *at = b->next_page;
        } else {
            mark_block(p, b);
            at = &b->next_page;
        }
    }
    mark_bytes(p, 0, p->rest);
    new_epoch(s);
    pend(s, PENDING_CHECK); /* the block in progress may be among them */
}

void cache_written(struct soft *s, uint64_t phys, uint64_t length) {
    while (length) {
        unsigned from = phys & 0xFFF;
        unsigned part = length < PAGE_SIZE - from ? (unsigned)length : PAGE_SIZE - from;
        struct code_page *p = page_of(s, phys);
        if (p && from < p->rest)
            cache_flush(s);
        else if (p && any_marked(p, from, part))
            kill_blocks(s, p, from, part);
        phys += part;
        length -= part;
    }
}

/* --- making blocks --- */

/* Where a block falls through to: the op before this one was its last. */
static const struct op *next_block(struct soft *s, const struct op *op) {
    const struct op *to = enter_at(s, op - 1, here(s));
    return LIKELY(to) ? hand_on(s, to) : leave(s, op - 1, here(s));
}

/* Where a single instruction ends: run_one() goes no further. */
static const struct op *stay(struct soft *s, const struct op *op) {
    (void)s;
    return op;
}

static void seal(struct op *op, op_fn *run, unsigned start, unsigned index) {
    *op = (struct op){.run = run, .start = (uint8_t)start, .end = (uint8_t)start,
                      .index = (uint8_t)index};
}

static bool fill_block(struct soft *s, struct block *b, const struct code *code) {
    unsigned at = 0, count = 0, most = b->second == NO_PAGE ? BLOCK_OPS : 1;
    enum decoded how = DECODED;
    while (count < most && at < 255 - 15 && how == DECODED) {
        struct op *op = &b->ops[count];
        if (count && code_stops_at(s, wrap_linear(s, code->linear + at)))
            break;
        op->start = (uint8_t)at;
        op->index = (uint8_t)count;
        how = at < code->length ? decode(s, code, op) : DECODED_NOT;
        if (how == DECODED_NOT)
            break;
        op_fn *pair = count ? pair_of(op - 1, op) : NULL;
        if (pair)
            op[-1].run = pair;
        at = op->end;
        count++;
    }
    if (count && b->second == NO_PAGE && are_zeros(code->bytes, code->length))
        b->ops[0].run = zeros;
    seal(&b->ops[count], next_block, at, count);
    b->bytes = (uint8_t)at;
    b->count = (uint8_t)count;
    return count;
}

/* What lies on its second page. */
static void add_rest(struct soft *s, const struct block *b) {
    struct code_page *p = page_of(s, b->second);
    unsigned rest = (unsigned)(b->phys & 0xFFF) + b->bytes - PAGE_SIZE;
    if (!cache_has_code(s, b->second))
        tlb_protect_code(s, b->second);
    if (!p)
        p = page_make(s, b->second);
    p->rest = rest > p->rest ? rest : p->rest;
    mark_bytes(p, 0, rest);
}

static void add_block(struct soft *s, struct code_page *p, struct block *b) {
    struct block **slot = block_slot(s, b->phys);
    if (!cache_has_code(s, p->phys))
        tlb_protect_code(s, p->phys);
    b->next_hash = *slot;
    *slot = b;
    b->next_page = p->blocks;
    p->blocks = b;
    mark_block(p, b);
    if (b->second != NO_PAGE)
        add_rest(s, b);
}

static struct block *make_block(struct soft *s, uint64_t phys, uint64_t second,
                                const struct code *code) {
    if (s->cache->used + BLOCK_ROOM + 2 * sizeof(struct code_page) + 48 > ARENA_SIZE)
        cache_flush(s);
    struct code_page *p = page_of(s, phys);
    if (!p)
        p = page_make(s, phys);
    size_t before = s->cache->used;
    struct block *b = take_block(s, BLOCK_ROOM);
    *b = (struct block){.ip = code->ip, .linear = code->linear, .phys = phys, .second = second,
                        .mode = (uint8_t)code_mode(s)};
    bool made = fill_block(s, b, code);
    s->cache->used = before;
    if (!made)
        return NULL;
    take_block(s, sizeof *b + (b->count + 1u) * sizeof(struct op)); /* what it really needs */
    add_block(s, p, b);
    return b;
}

/* --- finding what to run --- */

/* Where the page after that of `linear` is, for code: NO_PAGE where the TLB has no entry. */
static uint64_t second_page(struct soft *s, uint64_t linear) {
    const struct tlb_entry *e = tlb_find_code(s, wrap_linear(s, (linear | 0xFFF) + 1));
    return e ? e->phys : NO_PAGE;
}

static struct block *find_block(struct soft *s, uint64_t ip, uint64_t linear, uint64_t phys) {
    struct block *b = *block_slot(s, phys);
    while (b && (b->phys != phys || b->linear != linear || b->ip != ip ||
                 b->mode != code_mode(s) ||
                 (b->second != NO_PAGE && b->second != second_page(s, linear))))
        b = b->next_hash;
    return b;
}

static uint64_t code_linear(struct soft *s, uint64_t ip) {
    if (!ip_exists(s, ip))
        raise_gp0(s);
    return wrap_linear(s, s->seg[S_CS].base + ip);
}

const struct op *single_at(struct soft *s, uint64_t ip) {
    uint8_t bytes[PAGE_SIZE > 16 ? 16 : 1];
    uint64_t linear = code_linear(s, ip);
    uint64_t phys = translate(s, linear, ACCESS_FETCH, s->rights)->phys | (linear & 0xFFF);
    unsigned room = PAGE_SIZE - (linear & 0xFFF);
    if (!memory_read(s->cpu->memory, phys, bytes, room < 16 ? room : 16))
        leave_if_astray(s);
    struct code code = {bytes, room < 16 ? room : 16, ip, linear, true};
    s->scratch[0] = (struct op){0};
    decode(s, &code, &s->scratch[0]);
    if (are_zeros(bytes, code.length))
        s->scratch[0].run = zeros;
    seal(&s->scratch[1], stay, s->scratch[0].end, 1);
    return s->scratch;
}

/* An instruction that `first`, all of its page, has only the beginning of. */
static struct block *block_on_two(struct soft *s, uint64_t phys, const struct code *first) {
    uint8_t bytes[2 * LENGTH_MAX];
    uint64_t second = second_page(s, first->linear);
    if (second == NO_PAGE || first->length >= LENGTH_MAX ||
        memory_read(s->cpu->memory, second, bytes + first->length, LENGTH_MAX) < LENGTH_MAX)
        return NULL;
    memcpy(bytes, first->bytes, first->length);
    struct code code = *first;
    code.bytes = bytes;
    code.length += LENGTH_MAX;
    return make_block(s, phys, second, &code);
}

/* NULL: it goes by a single instruction. So it does where the TLB has no entry: that is
 * made, and the page marked as accessed, when it is certain that the instruction comes. */
static struct block *block_at(struct soft *s, uint64_t ip, uint64_t linear) {
    const struct tlb_entry *e = tlb_find_code(s, linear);
    uint64_t phys = e ? e->phys | (linear & 0xFFF) : 0;
    struct block *b = e ? find_block(s, ip, linear, phys) : NULL;
    if (b || !e)
        return b;
    unsigned room = PAGE_SIZE - (linear & 0xFFF);
    const uint8_t *bytes = memory_at(s->cpu->memory, phys, room, false);
    struct code code = {bytes, room, ip, linear, false};
    if (!bytes)
        return NULL;
    b = make_block(s, phys, NO_PAGE, &code);
    return b ? b : block_on_two(s, phys, &code);
}

static void begin_turn(struct soft *s) {
    uint64_t end = s->ticks + TURN < s->horizon ? s->ticks + TURN : s->horizon;
    s->turn_end = end > BLOCK_OPS ? end - BLOCK_OPS : 0; /* one that begins now has room */
}

const struct op *ops_at(struct soft *s, uint64_t ip) {
    s->op = s->nothing;
    if (s->ticks >= s->horizon) /* what is due comes before a fault of the fetch */
        pend(s, PENDING_CHECK);
    if (pending(s))
        return s->nothing;
    uint64_t linear = code_linear(s, ip);
    struct block *b = NULL;
    if (!code_stops_at(s, linear))
        b = block_at(s, ip, linear);
    else
        pend(s, PENDING_CAREFUL);
    if (pending(s))
        return s->nothing;
    if (!b || !ip_exists(s, ip + b->bytes - 1) || s->ticks + b->count > s->horizon) {
        pend(s, PENDING_CAREFUL);
        return s->nothing;
    }
    b->epoch = s->epoch;
    *jump_slot(s, ip) = b;
    begin_turn(s);
    return b->ops;
}

const struct op *leave(struct soft *s, const struct op *op, uint64_t ip) {
    const struct op *to = enter_at(s, op, ip);
    if (LIKELY(to))
        return to;
    s->ticks += op->index + 1u;
    s->ip = ip;
    return ops_at(s, ip);
}

/* When a new block took the place of all, `op` is no more; but then there is nothing to run. */
const struct op *leave_and_remember(struct soft *s, const struct op *op, uint64_t ip) {
    const struct op *to = leave(s, op, ip);
    if (to != s->nothing)
        ((struct op *)op)->target = *jump_slot(s, ip);
    return to;
}

void retire_block(struct soft *s, uint64_t ip) {
    s->ticks += s->op->index + 1u;
    s->ip = ip;
    s->op = s->nothing;
}

const struct op *resume_at(struct soft *s) {
    return ops_at(s, s->ip);
}
