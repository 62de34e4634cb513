/* Saving a run, and reading one; see replay.h. */
#include "vmm/replay/replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/cpu/engine.h"
#include "vmm/host/files.h"
#include "vmm/memory/layout.h"
#include "vmm/replay/snapshot.h"
#include "vmm/replay/reverse.h"
#include "vmm/x86/x86.h"

/* 2: events by the virtual clock, and input that came while the CPU stood a tick later. */
enum { VERSION = 2, LOGS = 3, EVENTS_MAX = 4 << 20 };

/* All little-endian, as the host is. */
struct header {
    char magic[16];
    uint64_t version, memory, irqchip;
    uint64_t start;      /* hash of memory, ROM and CPU before the first instruction */
    uint64_t end, end_slept; /* of the virtual clock, and its ticks without an instruction */
    uint64_t result;         /* the hash of memory then */
    uint64_t counts[LOGS];
    uint64_t sum;        /* of the events */
};
_Static_assert(sizeof(struct header) == 104, "no holes in the file");

static const char magic[16] = "minikvm replay\n";

/* The processor that it was made on is the last thing in the file. Older ones have none. */
struct recording {
    struct header header;
    char host[CPUID_HOST_SIZE];
    struct events logs[LOGS];
};

/* FNV-1a by words: it finds mistakes, not malice. */
static uint64_t hash_words(uint64_t hash, const uint64_t *words, size_t count) {
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ words[i]) * 0x100000001b3ull;
    return hash;
}

static uint64_t sum_events(const struct events logs[LOGS]) {
    uint64_t sum = 0xcbf29ce484222325ull;
    for (int i = 0; i < LOGS; i++)
        for (size_t j = 0; j < logs[i].count; j++) {
            const struct event *e = &logs[i].list[j];
            sum = hash_words(sum, (uint64_t[]){e->ticks, e->value, e->kind}, 3);
        }
    return sum;
}

static uint64_t hash_bytes(uint64_t hash, const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3ull;
    return hash;
}

/* What the image and the options have made of the machine. */
static uint64_t start_of(struct machine *m) {
    const struct cpu_state *s = cpu_read(&history_vcpu(m)->cpu, CPU_REGS | CPU_SREGS);
    uint64_t words[] = {s->regs.rip, s->regs.rsp, s->regs.rax, s->regs.rbx, s->sregs.cs.base,
                        s->sregs.cs.selector, s->sregs.cr0 & CR0_PE, s->sregs.cr3, m->memory.rom_size};
    uint64_t hash = hash_words(memory_hash(&m->memory), words, sizeof words / sizeof *words);
    hash = hash_bytes(hash, m->memory.rom, m->memory.rom_size);
    hash = hash_bytes(hash, m->memory.option_rom, m->memory.option_rom_size);
    const struct cpuid_choice *c = &m->options->cpuid;
    if (c->on || c->off || c->vendor)
        hash = hash_words(hash, (uint64_t[]){c->on, c->off, c->vendor}, 3);
    uint64_t disks = drives_sum(&m->board.drives); /* 0: there are none */
    return disks ? hash_words(hash, &disks, 1) : hash;
}

/* --- saving ------------------------------------------------------------------------------ */

static bool write_events(FILE *f, const struct events *e) {
    for (size_t i = 0; i < e->count; i++) {
        uint64_t words[] = {e->list[i].ticks, e->list[i].value, e->list[i].kind};
        if (fwrite(words, sizeof words, 1, f) != 1)
            return false;
    }
    return true;
}

static bool write_host(FILE *f) {
    char host[CPUID_HOST_SIZE] = "";
    cpuid_host(host);
    return fwrite(host, sizeof host, 1, f) == 1;
}

/* A new file: nobody's file is lost to a client's slip. */
static bool write_recording(const char *path, const struct header *header, const struct events logs[LOGS]) {
    int fd = file_create(path);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "wb");
    if (!f && fd >= 0)
        close(fd);
    if (!f)
        return false;
    bool good = fwrite(header, sizeof *header, 1, f) == 1;
    for (int i = 0; good && i < LOGS; i++)
        good = write_events(f, &logs[i]);
    good = good && write_host(f);
    int saved = errno;
    bool closed = fclose(f) == 0;
    errno = good ? errno : saved;
    if (good && closed)
        return true;
    saved = errno;
    file_discard(path); /* half a run is none */
    errno = saved;
    return false;
}

static const char *why_not(const struct machine *m) {
    const struct history *h = m->history;
    if (!h)
        return "no history is kept; --cpu=soft with --gdb has one";
    if (!h->unmodified)
        return "somebody changed the machine, or its history does not begin at power-on";
    if (!history_vcpu(m)->cpu.ticks)
        return "nothing has run yet";
    if (h->list[0]->ticks)
        return "the history is full and its start has moved; use a larger --history";
    return NULL;
}

/* The log as far as it was used up to here. */
static void logs_until_now(const struct machine *m, struct events logs[LOGS]) {
    const struct cpu *cpu = &history_vcpu(m)->cpu;
    const struct history *h = m->history;
    logs[0] = h->inputs;
    logs[0].count = h->cursor;
    logs[1] = events_before(&h->clocks, cpu->ticks);
    logs[2] = events_before(&h->holds, cpu->ticks);
}

bool replay_save(struct machine *m, const char *path, char *error, size_t size) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    struct header header = {.version = VERSION, .memory = memory_size(&m->memory),
                            .irqchip = m->options->irqchip, .end = cpu->ticks,
                            .end_slept = cpu->slept};
    struct events logs[LOGS];
    const char *why = why_not(m);
    if (!why && !reverse_look_at_start(m, start_of, &header.start))
        why = "no memory";
    if (why) {
        snprintf(error, size, "cannot save: %s", why);
        return false;
    }
    memcpy(header.magic, magic, sizeof magic);
    header.result = memory_hash(&m->memory);
    logs_until_now(m, logs);
    for (int i = 0; i < LOGS; i++)
        header.counts[i] = logs[i].count;
    header.sum = sum_events(logs);
    if (write_recording(path, &header, logs))
        return true;
    snprintf(error, size, "cannot save: %s: %s", path, file_error(errno));
    return false;
}

/* --- reading: everything is checked ---------------------------------------------------------- */

static bool event_is_good(int log, const struct event *e, uint64_t last, uint64_t end) {
    static const uint64_t kinds[LOGS] = {INPUT_KINDS, 1, 2};
    static const uint64_t values[LOGS] = {256, UINT64_MAX, 1};
    return e->ticks >= last && e->ticks <= end && e->kind < kinds[log] &&
           e->value < values[log];
}

static const char *read_events(FILE *f, struct recording *r) {
    uint64_t words[3];
    for (int i = 0; i < LOGS; i++) {
        uint64_t last = 0;
        for (uint64_t n = 0; n < r->header.counts[i]; n++) {
            if (fread(words, sizeof words, 1, f) != 1)
                return "it is cut short";
            struct event e = {words[0], words[1], words[2] < INPUT_KINDS ? (uint32_t)words[2] : ~0u};
            if (!event_is_good(i, &e, last, r->header.end))
                return "an event in it is impossible";
            if (!events_add(&r->logs[i], e.ticks, e.kind, e.value))
                return "no memory";
            last = e.ticks;
        }
    }
    return sum_events(r->logs) == r->header.sum ? NULL : "its checksum is wrong";
}

static const char *read_host(FILE *f, struct recording *r) {
    size_t length = fread(r->host, 1, sizeof r->host, f);
    bool good = length == 0 || (length == sizeof r->host && !r->host[length - 1]);
    for (const char *c = r->host; good && *c; c++)
        good = *c >= ' ' && *c <= '~';
    if (!good || fgetc(f) != EOF)
        return "there is more in it than there should be";
    return NULL;
}

/* What floating point gives is the host's, in a few instructions to its vendor's taste. */
static void compare_hosts(struct machine *m) {
    char here[CPUID_HOST_SIZE], text[320];
    const char *then = m->recording->host;
    cpuid_host(here);
    if (!*then || !strcmp(then, here))
        return;
    snprintf(text, sizeof text,
             "%.100s was recorded on %s, and this is %s: the last bits of FSIN, FPATAN and their kind, "
             "RCPPS and RSQRTPS may be others",
             m->options->replay, then, here);
    m->owner.message(m->owner.context, m->number, text);
}

static const char *read_recording_header(FILE *f, struct recording *r) {
    struct header *h = &r->header;
    if (fread(h, sizeof *h, 1, f) != 1 || memcmp(h->magic, magic, sizeof magic))
        return "this is no recording of minikvm (monitor save makes one)";
    if (h->version != VERSION)
        return "it was made by another version of minikvm; replay it with that one, or record anew";
    for (int i = 0; i < LOGS; i++)
        if (h->counts[i] > EVENTS_MAX)
            return "it claims to hold more events than a recording can";
    if (h->end == 0 || h->end > UINT64_MAX / 32 || h->end_slept > h->end)
        return "its length is impossible";
    return NULL;
}

static const char *does_not_fit(struct machine *m, const struct header *h) {
    if (h->memory != memory_size(&m->memory))
        return m->options->memory ? "it was made with another --mem, or another image"
                                  : "it was made with another image, or with --mem";
    if (h->irqchip != m->options->irqchip)
        return "it was made with another --irqchip";
    if (h->start != start_of(m))
        return "it was made with another image, other disks, or other options for them";
    return NULL;
}

int replay_check(struct machine *m, char *error, size_t size) {
    const char *why = m->recording ? does_not_fit(m, &m->recording->header) : NULL;
    if (why)
        snprintf(error, size, "%s: cannot be replayed: %s", m->options->replay, why);
    return why ? -EINVAL : 0;
}

int replay_open(struct machine *m, char *error, size_t size) {
    const char *path = m->options->replay, *why = NULL;
    if (!path)
        return 0;
    FILE *f = file_open(path);
    m->recording = calloc(1, sizeof *m->recording);
    if (!f || !m->recording)
        why = f ? "no memory" : file_error(errno);
    if (!why)
        why = read_recording_header(f, m->recording);
    if (!why)
        why = read_events(f, m->recording);
    if (!why)
        why = read_host(f, m->recording);
    if (!why)
        why = does_not_fit(m, &m->recording->header);
    if (f)
        fclose(f);
    if (why)
        snprintf(error, size, "%s: cannot be replayed: %s", path, why);
    else
        compare_hosts(m);
    return why ? -EINVAL : 0;
}

void replay_close(struct machine *m) {
    for (int i = 0; m->recording && i < LOGS; i++)
        free(m->recording->logs[i].list);
    free(m->recording);
    m->recording = NULL;
}

static struct events copy_events(const struct events *from) {
    struct events to = {0};
    for (size_t i = 0; i < from->count; i++)
        events_add(&to, from->list[i].ticks, from->list[i].kind, from->list[i].value);
    return to;
}

/* A copy: after a reset it is wanted again. */
void replay_give(struct machine *m) {
    struct history *h = m->history;
    if (!m->recording || history_vcpu(m)->cpu.ticks || history_vcpu(m)->touched)
        return;
    h->inputs = copy_events(&m->recording->logs[0]);
    h->clocks = copy_events(&m->recording->logs[1]);
    h->holds = copy_events(&m->recording->logs[2]);
    h->end = m->recording->header.end;
    h->end_slept = m->recording->header.end_slept;
    h->replaying = true;
}

void replay_verdict(struct machine *m, char *text, size_t size) {
    bool same = m->recording && m->recording->header.result == memory_hash(&m->memory);
    snprintf(text, size, "the recording ends here, after %llu instructions%s",
             (unsigned long long)cpu_icount(&history_vcpu(m)->cpu),
             same ? "" : "; memory is not what it was then: another version of minikvm made it?");
}
