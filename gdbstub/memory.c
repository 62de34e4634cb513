/* Memory: m, M, x, X (GDB manual, "Packets").
 *
 * Rule: a length from the client is never trusted: it is cut to what a reply can
 * hold (reads), or must equal the length of the data (writes).
 */
#include "gdbstub/extension.h"
#include "gdbstub/hex.h"
#include "gdbstub/layout.h"
#include "gdbstub/reply.h"
#include "gdbstub/threads.h"

/* As hex this fills a packet; it is what gdb asks for at most. */
enum { READ_MAX = FRAMING_PACKET_SIZE / 2 };

/* --- reading ---------------------------------------------------------------- */

static size_t read_for_client(struct session *s, uint64_t address, uint64_t length, uint8_t *to) {
    struct gdb_thread thread;
    if (!thread_current(s, &thread))
        return 0;
    size_t size = length < READ_MAX ? (size_t)length : READ_MAX;
    if (extension_frame_selected(s))
        return s->extension->read_memory(s, thread, address, to, size);
    layout_memory_read(s, thread, address, length);
    size_t done = s->target->ops->read_memory(s->target->context, thread, address, to, size);
    return done < size ? done : size;
}

void packet_m(struct session *s, struct cursor arguments) {
    uint64_t address, length;
    uint8_t bytes[READ_MAX];
    size_t done = 0;
    if (cursor_range(&arguments, &address, &length) && cursor_done(&arguments))
        done = read_for_client(s, address, length, bytes);
    if (done)
        buffer_hex(&s->reply, bytes, done);
    else
        reply_failure(s);
}

/* gdb 16 sends x when qSupported told it "binary-upload+", and wants a 'b' before
 * the data. An lldb that does not know that feature probes with `x0,0`, and
 * then wants the data alone; nobody else sends this probe. */
void packet_x(struct session *s, struct cursor arguments) {
    uint64_t address, length;
    uint8_t bytes[READ_MAX];
    if (!cursor_range(&arguments, &address, &length) || !cursor_done(&arguments)) {
        reply_failure(s);
        return;
    }
    if (!address && !length) {
        s->client.bare_x = true;
        reply_ok(s);
        return;
    }
    size_t done = read_for_client(s, address, length, bytes);
    if (!done && length) {
        reply_failure(s);
        return;
    }
    if (!s->client.bare_x)
        buffer_char(&s->reply, 'b');
    buffer_binary(&s->reply, bytes, done);
}

/* --- writing ---------------------------------------------------------------- */

static void write_for_client(struct session *s, uint64_t address, const void *bytes,
                             size_t length) {
    struct gdb_thread thread;
    if (thread_current(s, &thread) && !extension_frame_selected(s) &&
        s->target->ops->write_memory(s->target->context, thread, address, bytes, length) == length)
        reply_ok(s);
    else
        reply_failure(s);
}

void packet_M(struct session *s, struct cursor arguments) {
    uint64_t address, length;
    uint8_t bytes[FRAMING_ROOM / 2];
    if (!cursor_range(&arguments, &address, &length) || !cursor_char(&arguments, ':') ||
        cursor_left(&arguments) % 2 || cursor_left(&arguments) / 2 != length ||
        !hex_decode(bytes, arguments.at, (size_t)length)) {
        reply_failure(s);
        return;
    }
    write_for_client(s, address, bytes, (size_t)length);
}

/* With length 0 this is how a client asks whether X exists. */
void packet_X(struct session *s, struct cursor arguments) {
    uint64_t address, length;
    if (!cursor_range(&arguments, &address, &length) || !cursor_char(&arguments, ':') ||
        cursor_left(&arguments) != length)
        reply_failure(s);
    else if (!length)
        reply_ok(s);
    else
        write_for_client(s, address, arguments.at, (size_t)length);
}
