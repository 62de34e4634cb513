/* Looking through memory on the target's side: qSearch:memory and qCRC (GDB
 * manual, "General Query Packets").
 *
 * Rule: a request looks at no more than LOOK_MAX bytes and stops at the first
 * that cannot be read, so that no client keeps the server from its work.
 */
#include "gdbstub/packets.h"
#include "gdbstub/reply.h"
#include "gdbstub/threads.h"

#include <string.h>

enum { PIECE = 64 * 1024, PATTERN_MAX = 4096 };
#define LOOK_MAX (64ull << 20)

static size_t read_piece(struct session *s, struct gdb_thread thread, uint64_t address, void *to,
                         size_t size) {
    size_t done = s->target->ops->read_memory(s->target->context, thread, address, to, size);
    return done < size ? done : size;
}

/* Pieces overlap by the pattern's length less one, so that none falls between. */
static bool search_memory(struct session *s, struct gdb_thread thread, uint64_t from,
                          uint64_t length, const struct cursor *pattern, uint64_t *found) {
    uint8_t bytes[PIECE];
    size_t wanted = cursor_left(pattern);
    for (uint64_t done = 0; length - done >= wanted;) {
        size_t size = length - done < sizeof bytes ? (size_t)(length - done) : sizeof bytes;
        size_t got = read_piece(s, thread, from + done, bytes, size);
        const uint8_t *at = got >= wanted ? memmem(bytes, got, pattern->at, wanted) : NULL;
        if (at) {
            *found = from + done + (uint64_t)(at - bytes);
            return true;
        }
        if (got < size || size < sizeof bytes)
            break;
        done += size - (wanted - 1);
    }
    return false;
}

/* "ADDRESS;LENGTH;PATTERN", the pattern in binary. */
void packet_search(struct session *s, struct cursor arguments) {
    uint64_t address, length, found;
    struct gdb_thread thread;
    if (!cursor_number(&arguments, &address) || !cursor_char(&arguments, ';') ||
        !cursor_number(&arguments, &length) || !cursor_char(&arguments, ';') ||
        cursor_done(&arguments) || cursor_left(&arguments) > PATTERN_MAX || length > LOOK_MAX ||
        !thread_current(s, &thread)) {
        reply_failure(s);
        return;
    }
    if (search_memory(s, thread, address, length, &arguments, &found))
        buffer_printf(&s->reply, "1,%llx", (unsigned long long)found);
    else
        buffer_char(&s->reply, '0');
}

/* The polynomial is 04c11db7, the start all ones, nothing reflected. */
static uint32_t crc_step(uint32_t crc, uint8_t byte) {
    crc ^= (uint32_t)byte << 24;
    for (int i = 0; i < 8; i++)
        crc = crc << 1 ^ (crc >> 31 ? 0x04c11db7u : 0);
    return crc;
}

/* "ADDRESS,LENGTH", for `compare-sections`. */
void packet_crc(struct session *s, struct cursor arguments) {
    uint8_t bytes[4096];
    uint64_t address, length;
    uint32_t crc = 0xffffffff;
    struct gdb_thread thread;
    if (!cursor_range(&arguments, &address, &length) || !cursor_done(&arguments) ||
        length > LOOK_MAX || !thread_current(s, &thread)) {
        reply_failure(s);
        return;
    }
    for (uint64_t done = 0; done < length;) {
        size_t size = length - done < sizeof bytes ? (size_t)(length - done) : sizeof bytes;
        if (read_piece(s, thread, address + done, bytes, size) < size) {
            reply_failure(s);
            return;
        }
        for (size_t i = 0; i < size; i++)
            crc = crc_step(crc, bytes[i]);
        done += size;
    }
    buffer_printf(&s->reply, "C%x", crc);
}
