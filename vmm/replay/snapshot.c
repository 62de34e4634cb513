/* Snapshots: taking, loading and thinning; see snapshot.h. */
#include "vmm/replay/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/base/invariant.h"
#include "vmm/cpu/engine.h"

enum { KEEP_AT_LEAST = 24 }; /* fewer than these, and the start moves instead */

/* --- pages ------------------------------------------------------------------------------- */

static bool is_zero(const uint8_t *page) {
    return page[0] == 0 && !memcmp(page, page + 1, PAGE_SIZE - 1);
}

enum { CHUNK_PAGES = 256 };

struct page_chunk {
    struct page_chunk *next;
    size_t used;
    uint8_t pages[CHUNK_PAGES][PAGE_SIZE];
};

static uint8_t *page_new(struct page_pool *p) {
    void *page = p->freed;
    if (page) {
        memcpy(&p->freed, page, sizeof p->freed);
        return page;
    }
    if (!p->chunks || p->chunks->used == CHUNK_PAGES) {
        struct page_chunk *chunk = malloc(sizeof *chunk);
        if (!chunk)
            return NULL;
        chunk->next = p->chunks;
        chunk->used = 0;
        p->chunks = chunk;
    }
    return p->chunks->pages[p->chunks->used++];
}

static void page_free(struct page_pool *p, uint8_t *page) {
    if (!page)
        return;
    memcpy(page, &p->freed, sizeof p->freed);
    p->freed = page;
}

static void pool_close(struct page_pool *p) {
    while (p->chunks) {
        struct page_chunk *chunk = p->chunks;
        p->chunks = chunk->next;
        free(chunk);
    }
    p->freed = NULL;
}

static bool save_page(struct machine *m, struct snapshot *s, uint32_t number) {
    const uint8_t *from = m->memory.ram + (uint64_t)number * PAGE_SIZE;
    uint8_t *bytes = NULL;
    if (!is_zero(from)) {
        if (!(bytes = page_new(&m->history->pool)))
            return false;
        memcpy(bytes, from, PAGE_SIZE);
    }
    s->pages[s->page_count++] = (struct saved_page){number, bytes};
    s->bytes += sizeof *s->pages + (bytes ? PAGE_SIZE : 0);
    return true;
}

static size_t count_bits(const uint64_t *bits, size_t words) {
    size_t n = 0;
    for (size_t i = 0; i < words; i++)
        n += (size_t)__builtin_popcountll(bits[i]);
    return n;
}

size_t snapshot_dirty_pages(const struct history *h) { return count_bits(h->dirty, h->words); }

static bool save_pages(struct machine *m, struct snapshot *s) {
    const struct history *h = m->history;
    size_t count = snapshot_dirty_pages(h);
    s->pages = malloc((count + 1) * sizeof *s->pages);
    if (!s->pages)
        return false;
    for (size_t i = 0; i < h->words; i++)
        for (uint64_t bits = h->dirty[i]; bits; bits &= bits - 1)
            if (!save_page(m, s, (uint32_t)(i * 64 + (unsigned)__builtin_ctzll(bits))))
                return false;
    return true;
}

static void free_snapshot(struct history *h, struct snapshot *s) {
    for (size_t i = 0; i < s->page_count; i++)
        page_free(&h->pool, s->pages[i].bytes);
    h->bytes -= s->bytes < h->bytes ? s->bytes : h->bytes;
    free(s->pages);
    device_state_free(&s->devices);
    free(s->arrived);
    free(s->tlb);
    free(s);
}

/* --- thinning ---------------------------------------------------------------------------------- */

/* list[n] goes; list[n + 1] has all that a later one needs of it. */
static bool merge_into_next(struct history *h, size_t n) {
    struct snapshot *old = h->list[n], *next = h->list[n + 1];
    struct saved_page *pages =
        realloc(next->pages, (old->page_count + next->page_count + 1) * sizeof *pages);
    if (!pages)
        return false;
    next->pages = pages;
    memset(h->need, 0, h->words * sizeof *h->need);
    for (size_t i = 0; i < next->page_count; i++)
        h->need[pages[i].number / 64] |= 1ull << pages[i].number % 64;
    for (size_t i = 0; i < old->page_count; i++) {
        struct saved_page *p = &old->pages[i];
        if (h->need[p->number / 64] >> p->number % 64 & 1)
            continue;
        uint64_t bytes = sizeof *p + (p->bytes ? PAGE_SIZE : 0);
        pages[next->page_count++] = *p;
        next->bytes += bytes;
        old->bytes -= bytes;
        p->bytes = NULL;
    }
    free_snapshot(h, old);
    memmove(&h->list[n], &h->list[n + 1], (h->count - n - 1) * sizeof *h->list);
    h->count--;
    h->base -= h->base > n;
    return true;
}

/* Index of the snapshot that is missed least: its gap is small, and it is long ago. 0: none
 * may go. */
static size_t least_missed(const struct history *h, uint64_t now) {
    size_t best = 0;
    double least = 0;
    for (size_t n = 1; n + 1 < h->count; n++) {
        if (h->list[n]->pinned || n == h->base)
            continue;
        double gap = (double)(h->list[n + 1]->ticks - h->list[n - 1]->ticks);
        double cost = gap / ((double)(now - h->list[n]->ticks) + HISTORY_EVERY);
        if (!best || cost < least) {
            best = n;
            least = cost;
        }
    }
    return best;
}

/* With what disks keep for snapshots. */
static uint64_t bytes_in_use(const struct machine *m) {
    const struct history *h = m->history;
    uint64_t logs = (h->inputs.room + h->clocks.room + h->holds.room) * sizeof(struct event);
    return h->bytes + logs + devices_shared(&m->board.devices);
}

static void thin_snapshots(struct machine *m, uint64_t now) {
    struct history *h = m->history;
    if (bytes_in_use(m) <= h->bound)
        return;
    /* Makes more room than is needed now, so that this is not done at every snapshot. */
    while (bytes_in_use(m) > h->bound - h->bound / 16 && h->count > 2) {
        size_t n = h->count > KEEP_AT_LEAST ? least_missed(h, now) : 0;
        if ((!n && h->base == 0) || !merge_into_next(h, n))
            return;
    }
}

/* --- taking --------------------------------------------------------------------------------------- */

static bool grow_list(struct history *h) {
    if (h->count < h->room)
        return true;
    size_t room = h->room ? 2 * h->room : 64;
    struct snapshot **list = realloc(h->list, room * sizeof *list);
    if (!list)
        return false;
    h->list = list;
    h->room = room;
    return true;
}

static bool save_arrived(const struct arrived *a, struct snapshot *s) {
    s->arrived_end = a->ended;
    s->arrived_count = a->count;
    s->arrived = a->count ? malloc(a->count) : NULL;
    if (a->count && !s->arrived)
        return false;
    for (unsigned i = 0; i < a->count; i++)
        s->arrived[i] = a->bytes[(a->head + i) % INPUT_ROOM];
    return true;
}

static bool save_tlb(struct cpu *cpu, struct snapshot *s) {
    size_t size = 0;
    s->tlb = cpu->engine->save_tlb(cpu, &size);
    s->bytes += size;
    return s->tlb;
}

static struct snapshot *make_snapshot(struct machine *m, bool pinned) {
    struct history *h = m->history;
    struct snapshot *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->ticks = history_vcpu(m)->cpu.ticks;
    s->slept = history_vcpu(m)->cpu.slept;
    s->pinned = pinned;
    s->mid_rep = history_vcpu(m)->cpu.mid_rep;
    s->cpu = *cpu_read(&history_vcpu(m)->cpu, CPU_ALL);
    s->irqchip = m->irqchip;
    s->intr = history_vcpu(m)->cpu.intr;
    s->cursor = h->cursor;
    s->notice_at = h->notice_at;
    s->noticed_at = h->noticed_at;
    s->taken_at = h->taken_at;
    s->grid_at = h->grid_at;
    s->bytes = sizeof *s + h->arrived.count;
    bool good = devices_save(&m->board.devices, &s->devices) && save_tlb(&history_vcpu(m)->cpu, s) &&
                save_arrived(&h->arrived, s) && save_pages(m, s);
    s->bytes += s->devices.room;
    h->bytes += s->bytes;
    if (good && grow_list(h))
        return s;
    free_snapshot(h, s);
    return NULL;
}

static void insert_snapshot(struct machine *m, struct snapshot *s, size_t at) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    struct history *h = m->history;
    memmove(&h->list[at + 1], &h->list[at], (h->count - at) * sizeof *h->list);
    h->list[at] = s;
    h->count++;
    INVARIANT(at == 0 || h->list[at - 1]->ticks <= s->ticks);
    INVARIANT(at + 1 == h->count || s->ticks <= h->list[at + 1]->ticks);
    h->base = at;
    memset(h->dirty, 0, h->words * sizeof *h->dirty);
    cpu->engine->see_writes(cpu);
}

bool snapshot_take_first(struct machine *m) {
    struct history *h = m->history;
    for (uint64_t n = 0; n < (m->memory.ram_size + m->memory.vram_used) / PAGE_SIZE; n++)
        if (!is_zero(m->memory.ram + n * PAGE_SIZE))
            h->dirty[n / 64] |= 1ull << n % 64;
    struct snapshot *s = make_snapshot(m, false);
    if (s)
        insert_snapshot(m, s, 0);
    return s;
}

void snapshot_take(struct machine *m, bool pinned) {
    struct history *h = m->history;
    struct snapshot *s = make_snapshot(m, pinned);
    if (!s)
        return;
    insert_snapshot(m, s, snapshot_before(h, s->ticks) + 1);
    thin_snapshots(m, h->end > s->ticks ? h->end : s->ticks);
}

/* --- loading ----------------------------------------------------------------------------------------- */

static void need_pages(struct history *h, const struct snapshot *s) {
    for (size_t i = 0; i < s->page_count; i++)
        h->need[s->pages[i].number / 64] |= 1ull << s->pages[i].number % 64;
}

/* Only what differs is written, so that decoded code stays. */
static void load_page(struct machine *m, uint32_t number, const uint8_t *bytes) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    static const uint8_t zeros[PAGE_SIZE];
    uint8_t *to = m->memory.ram + (uint64_t)number * PAGE_SIZE;
    const uint8_t *from = bytes ? bytes : zeros;
    if (!memcmp(to, from, PAGE_SIZE))
        return;
    memcpy(to, from, PAGE_SIZE);
    cpu->engine->memory_changed(cpu, memory_phys_of_page(&m->memory, number), PAGE_SIZE);
}

static void load_pages(struct machine *m, size_t n) {
    struct history *h = m->history;
    size_t low = n < h->base ? n : h->base, high = n < h->base ? h->base : n;
    memcpy(h->need, h->dirty, h->words * sizeof *h->need);
    for (size_t i = low + 1; i <= high; i++)
        need_pages(h, h->list[i]);
    size_t left = count_bits(h->need, h->words);
    for (size_t i = n + 1; i-- > 0 && left;) {
        const struct snapshot *s = h->list[i];
        for (size_t j = 0; j < s->page_count && left; j++) {
            uint64_t *word = &h->need[s->pages[j].number / 64];
            uint64_t bit = 1ull << s->pages[j].number % 64;
            if (!(*word & bit))
                continue;
            *word &= ~bit;
            left--;
            load_page(m, s->pages[j].number, s->pages[j].bytes);
        }
    }
    for (size_t i = 0; i < h->words && left; i++) /* zeros from the beginning */
        for (uint64_t bits = h->need[i]; bits; bits &= bits - 1)
            load_page(m, (uint32_t)(i * 64 + (unsigned)__builtin_ctzll(bits)), NULL);
    memset(h->dirty, 0, h->words * sizeof *h->dirty);
}

void snapshot_load(struct machine *m, size_t n) {
    struct history *h = m->history;
    INVARIANT(n < h->count && h->base < h->count);
    struct snapshot *s = h->list[n];
    load_pages(m, n);
    h->base = n;
    history_vcpu(m)->cpu.ticks = s->ticks;
    history_vcpu(m)->cpu.slept = s->slept;
    history_vcpu(m)->cpu.mid_rep = s->mid_rep;
    cpu_arrives(&history_vcpu(m)->cpu);
    devices_load(&m->board.devices, &s->devices);
    board_memory_as_devices(&m->board); /* before the TLB goes by it */
    history_vcpu(m)->cpu.state = s->cpu;
    history_vcpu(m)->cpu.ops->store(&history_vcpu(m)->cpu, CPU_ALL);
    history_vcpu(m)->cpu.engine->load_tlb(&history_vcpu(m)->cpu, s->tlb);
    history_vcpu(m)->cpu.valid = CPU_ALL;
    history_vcpu(m)->cpu.dirty = 0;
    m->irqchip = s->irqchip;
    history_vcpu(m)->cpu.intr = s->intr;
    history_vcpu(m)->dead = history_vcpu(m)->ended = history_vcpu(m)->caught = false;
    h->cursor = s->cursor;
    h->notice_at = s->notice_at;
    h->noticed_at = s->noticed_at;
    h->taken_at = s->taken_at;
    h->grid_at = s->grid_at;
    h->arrived.head = 0;
    h->arrived.count = s->arrived_count;
    h->arrived.ended = s->arrived_end;
    if (s->arrived_count)
        memcpy(h->arrived.bytes, s->arrived, s->arrived_count);
}

size_t snapshot_before(const struct history *h, uint64_t ticks) {
    size_t low = 0, high = h->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (h->list[middle]->ticks <= ticks)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? low - 1 : 0;
}

size_t snapshot_before_count(const struct history *h, uint64_t count) {
    size_t low = 0, high = h->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (snapshot_icount(h->list[middle]) < count)
            low = middle + 1;
        else
            high = middle;
    }
    while (low > 1 && h->list[low - 1]->mid_rep)
        low--;
    return low ? low - 1 : 0;
}

void snapshots_cut(struct history *h, size_t count) {
    while (h->count > count)
        free_snapshot(h, h->list[--h->count]);
}

void snapshots_free(struct history *h) {
    snapshots_cut(h, 0);
    pool_close(&h->pool);
    free(h->list);
    h->list = NULL;
}
