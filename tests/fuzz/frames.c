/* Mutations of what clients send (client.h) that keep packets packets: libFuzzer's own
 * within one payload, whole frames that come, go and repeat, events in between; then
 * checksums are made right, mostly.
 *
 * Packet names come from the stub's table: a new row is fuzzed at once.
 */
#include <stdio.h>
#include <stdlib.h>

#include "client.h"
#include "gdbstub/gdbstub.h"

enum { PAYLOAD_MAX = 4096 };

struct text {
    uint8_t *bytes;
    size_t size, max;
};

/* [start, end): a payload, between its $ and its #. */
struct frame {
    size_t start, end;
};

static unsigned below(size_t n) { return n ? (unsigned)rand() % (unsigned)n : 0; }

/* The first one whose $ is at or behind `from`. */
static bool frame_from(const struct text *t, size_t from, struct frame *f) {
    const uint8_t *end = t->bytes + t->size;
    const uint8_t *dollar = from < t->size ? memchr(t->bytes + from, '$', t->size - from) : NULL;
    const uint8_t *hash = dollar ? memchr(dollar, '#', (size_t)(end - dollar)) : NULL;
    if (hash)
        *f = (struct frame){(size_t)(dollar + 1 - t->bytes), (size_t)(hash - t->bytes)};
    return hash;
}

static bool frame_any(const struct text *t, struct frame *f) {
    return frame_from(t, below(t->size), f) || frame_from(t, 0, f);
}

static size_t frame_end(const struct text *t, struct frame f) {
    return f.end + 3 < t->size ? f.end + 3 : t->size;
}

/* Puts bytes in place of [start, end), if they fit. */
static void replace(struct text *t, size_t start, size_t end, const void *with, size_t size) {
    if (t->size - (end - start) + size > t->max)
        return;
    memmove(t->bytes + start + size, t->bytes + end, t->size - end);
    memcpy(t->bytes + start, with, size);
    t->size += size - (end - start);
}

/* Puts bytes behind a frame, or at the start. */
static void insert(struct text *t, const void *bytes, size_t size) {
    struct frame f;
    size_t at = below(16) && frame_any(t, &f) ? frame_end(t, f) : 0;
    replace(t, at, at, bytes, size);
}

/* --- the mutations: a row is one ------------------------------------------------ */

static void mutate_all(struct text *t) { t->size = LLVMFuzzerMutate(t->bytes, t->size, t->max); }

static void mutate_payload(struct text *t) {
    uint8_t payload[PAYLOAD_MAX];
    struct frame f;
    if (!frame_any(t, &f) || f.end - f.start > sizeof payload)
        return;
    size_t size = f.end - f.start;
    memcpy(payload, t->bytes + f.start, size);
    size = LLVMFuzzerMutate(payload, size, sizeof payload);
    replace(t, f.start, f.end, payload, size);
}

static void new_frame(struct text *t) {
    static const char *const arguments[] = {
        "", ":", ";", "0", "1,1:", "p1.1", "p-1.-1", "p2", "1000,4", "7c00,10", ":0,fff",
        "ffffffff", "0,8000000000000000", "::0,1000", ";c:p1.-1", "0,7c00,1", "2,1000,4", "-1"};
    struct gdb_packet_doc doc;
    size_t count = 0;
    while (gdb_packet_doc(&gdb_tracepoints, count, &doc))
        count++;
    gdb_packet_doc(&gdb_tracepoints, below(count), &doc);
    const char *name = doc.name;
    char frame[256];
    int size = snprintf(frame, sizeof frame, "$%.*s%s%s#00", (int)strcspn(name, "-, "), name,
                        below(2) ? ":" : "",
                        arguments[below(sizeof arguments / sizeof *arguments)]);
    insert(t, frame, (size_t)size);
}

static void copy_frame(struct text *t) {
    uint8_t copy[PAYLOAD_MAX];
    struct frame f;
    if (!frame_any(t, &f) || f.end - f.start + 4 > sizeof copy)
        return;
    size_t size = frame_end(t, f) - (f.start - 1);
    memcpy(copy, t->bytes + f.start - 1, size);
    insert(t, copy, size);
}

static void drop_frame(struct text *t) {
    struct frame f;
    if (frame_any(t, &f))
        replace(t, f.start - 1, frame_end(t, f), "", 0);
}

static void new_event(struct text *t) {
    static const uint8_t events[] = {EVENT_CONNECT, EVENT_NEXT,  EVENT_HANG_UP, EVENT_DEAF,
                                     EVENT_HEARS,   EVENT_TIME, EVENT_TIME,    EVENT_TIME};
    uint8_t event[] = {ESCAPE, events[below(sizeof events)]};
    if (below(4) == 0)
        insert(t, "\x03", 1);
    else
        insert(t, event, sizeof event);
}

/* The command of a qRcmd, which is in hexadecimal. */
static void mutate_command(struct text *t) {
    static const char name[] = "qRcmd,";
    uint8_t command[128];
    char hex[2 * sizeof command + 1];
    struct frame f;
    size_t size = 0, skip = sizeof name - 1;
    if (!frame_any(t, &f) || f.end - f.start < skip || memcmp(t->bytes + f.start, name, skip))
        return;
    for (size_t at = f.start + skip; at + 2 <= f.end && size < sizeof command; at += 2) {
        char digits[] = {(char)t->bytes[at], (char)t->bytes[at + 1], 0};
        command[size++] = (uint8_t)strtoul(digits, NULL, 16);
    }
    size = LLVMFuzzerMutate(command, size, sizeof command);
    for (size_t i = 0; i < size; i++)
        snprintf(hex + 2 * i, 3, "%02x", command[i]);
    replace(t, f.start + skip, f.end, hex, 2 * size);
}

static void (*const mutations[])(struct text *) = {
    mutate_all, mutate_payload, mutate_payload, mutate_payload, mutate_command, mutate_command,
    new_frame,  copy_frame,     drop_frame,     new_event};

/* --- the whole ------------------------------------------------ */

static void right_sum(struct text *t, struct frame f) {
    char digits[3];
    uint8_t sum = 0;
    for (size_t i = f.start; i < f.end; i++)
        sum = (uint8_t)(sum + t->bytes[i]);
    snprintf(digits, sizeof digits, "%02x", sum);
    if (f.end + 3 > t->max)
        return;
    memcpy(t->bytes + f.end + 1, digits, 2);
    if (t->size < f.end + 3)
        t->size = f.end + 3;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max, unsigned seed) {
    struct text t = {bytes, size, max};
    struct frame f = {0, 0};
    srand(seed);
    for (unsigned n = 1 + below(4); n; n--)
        mutations[below(sizeof mutations / sizeof *mutations)](&t);
    for (bool right = below(16); right && frame_from(&t, f.end, &f);)
        right_sum(&t, f);
    return t.size;
}
