/* Run-length encoding: what is sent reads back as the payload, for a client that undoes
 * runs before escapes (gdb) and for one that undoes escapes before runs (lldb). */
#include "tests/unit/test_stub_client.h"

#include "gdbstub/buffer.h"
#include "gdbstub/framing.h"

enum { PAYLOAD_MAX = 4096 };

/* The last character that was put is repeated; '}' with `inner` undoes escapes at once. */
static size_t undo_runs(const char *from, size_t length, char *to, bool inner) {
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        if (from[i] == '*') {
            unsigned count = (unsigned char)from[++i] - 29u;
            CHECK(n && count >= 3 && count <= 97);
            for (; count; count--, n++)
                to[n] = to[n - 1];
        } else if (inner && from[i] == '}') {
            to[n++] = (char)(from[++i] ^ 0x20);
        } else {
            to[n++] = from[i];
        }
    }
    return n;
}

static size_t undo_escapes(const char *from, size_t length, char *to) {
    size_t n = 0;
    for (size_t i = 0; i < length; i++)
        to[n++] = from[i] == '}' ? (char)(from[++i] ^ 0x20) : from[i];
    return n;
}

static void check_frame(const char *frame, size_t size) {
    uint8_t sum = 0;
    char told[4];
    for (size_t i = 1; i < size - 3; i++) {
        sum = (uint8_t)(sum + (uint8_t)frame[i]);
        CHECK(frame[i] != '#' && frame[i] != '$');
    }
    snprintf(told, sizeof told, "#%02x", sum);
    CHECK(!memcmp(frame + size - 3, told, 3));
}

/* Bytes, escaped and sent; both ways of reading give them back. Returns the frame's size. */
static size_t round_trip(struct framing *l, const char *bytes, size_t length) {
    static char once[4 * PAYLOAD_MAX], twice[4 * PAYLOAD_MAX];
    struct buffer b;
    size_t size;
    buffer_init(&b, 4 * PAYLOAD_MAX);
    buffer_binary(&b, bytes, length);
    framing_send(l, b.data, b.length);
    const char *frame = framing_output(l, &size);
    check_frame(frame, size);
    size_t n = undo_runs(frame + 1, size - 4, once, false);
    CHECK(n == b.length && !memcmp(once, b.data, n));
    n = undo_escapes(once, n, twice);
    CHECK(n == length && !memcmp(twice, bytes, n));
    n = undo_runs(frame + 1, size - 4, once, true);
    CHECK(n == length && !memcmp(once, bytes, n));
    framing_sent(l, size);
    buffer_free(&b);
    return size;
}

/* Every length of a run, of every kind of byte, behind one of another kind. */
static void test_every_run(struct framing *l) {
    static const char kinds[] = "0a#$}*+-\x03\x04\n]\xff ";
    char bytes[PAYLOAD_MAX];
    for (const char *k = kinds; k < kinds + sizeof kinds; k++)
        for (const char *before = kinds; before < kinds + sizeof kinds; before++)
            for (unsigned run = 1; run <= 210; run += before == kinds ? 1 : 13) {
                memset(bytes, 'x', 200);
                for (unsigned i = 0; i < 200; i += 2)
                    bytes[i] = 'y';
                bytes[200] = *before;
                memset(bytes + 201, *k, run);
                bytes[201 + run] = 'z';
                round_trip(l, bytes, 202 + run);
            }
}

static void test_random_bytes(struct framing *l) {
    char bytes[PAYLOAD_MAX];
    unsigned seed = 1;
    for (unsigned turn = 0; turn < 500; turn++) {
        size_t length = 0, wanted = 150 + turn * 7;
        while (length < wanted) {
            seed = seed * 1103515245 + 12345;
            char c = "0f}#$*\x03 ab"[seed >> 16 & 7];
            for (unsigned n = seed >> 20 & 15; n && length < wanted; n--)
                bytes[length++] = c;
        }
        round_trip(l, bytes, length);
    }
}

static void test_zeros_are_short(struct framing *l) {
    char bytes[PAYLOAD_MAX] = {0};
    CHECK(round_trip(l, bytes, sizeof bytes) < PAYLOAD_MAX / 30);
    CHECK(round_trip(l, bytes, 100) == 104); /* a short one stays as it is */
    l->runs = false;
    CHECK(round_trip(l, bytes, sizeof bytes) == PAYLOAD_MAX + 4);
    l->runs = true;
}

/* '-' has the same bytes come again. */
static void test_sent_again(struct framing *l) {
    struct cursor packet;
    char payload[1000], first[64];
    size_t size, again, room;
    memset(payload, '0', sizeof payload);
    framing_send(l, payload, sizeof payload);
    const char *frame = framing_output(l, &size);
    CHECK(size < sizeof first);
    memcpy(first, frame, size);
    framing_sent(l, size);
    *framing_room(l, &room) = '-';
    framing_received(l, 1);
    CHECK(framing_next(l, &packet) == FRAMING_NOTHING);
    frame = framing_output(l, &again);
    CHECK(again == size && !memcmp(frame, first, size));
    framing_sent(l, again);
}

/* Only who says what gdb alone says; and then to the end of the connection. */
static void test_who_gets_them(void) {
    struct gdb_target target;
    struct fake *f = world_open(&target);
    struct client *c = client_new(f);
    CHECK(strlen(ask(c, "m1000,100")) == 0x200);
    ask(c, "qSupported:multiprocess+;xmlRegisters=i386;vContSupported+");
    CHECK(strlen(ask(c, "m1000,100")) == 0x200);
    ask(c, "qSupported:multiprocess+;qRelocInsn+;xmlRegisters=i386");
    CHECK(strchr(ask(c, "g"), '*'));
    CHECK(!strchr(ask(c, "p8"), '*'));
    ask(c, "qSupported"); /* in the middle of a session: nothing is taken back */
    CHECK(strchr(ask(c, "g"), '*'));
    client_free(c);
    c = client_new(f);
    CHECK(!strchr(ask(c, "g"), '*'));
    client_free(c);
    world_close(f);
}

int main(void) {
    static struct framing l;
    framing_init(&l);
    l.runs = true;
    test_every_run(&l);
    test_random_bytes(&l);
    test_zeros_are_short(&l);
    test_sent_again(&l);
    framing_free(&l);
    test_who_gets_them();
    return unit_end();
}
