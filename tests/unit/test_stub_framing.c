/* Framing: hex, cursors, buffers, checksums, acks, escapes. */
#include "tests/unit/test_stub_client.h"

#include "gdbstub/buffer.h"
#include "gdbstub/cursor.h"
#include "gdbstub/hex.h"

static struct cursor of(const char *text) {
    return (struct cursor){text, text + strlen(text)};
}

static void test_hex(void) {
    char text[9] = "";
    unsigned char bytes[4];
    hex_encode(text, "\x00\x9f\xff\x12", 4);
    CHECK_STR(text, "009fff12");
    CHECK(hex_decode(bytes, "009FfF12", 4) && !memcmp(bytes, "\x00\x9f\xff\x12", 4));
    CHECK(!hex_decode(bytes, "0g", 1) && !hex_decode(bytes, "-1", 1));
    CHECK(hex_digit('f') == 15 && hex_digit('g') == -1 && hex_digit('\0') == -1);
    CHECK(hex_digit((char)0xff) == -1);
}

static void test_cursor(void) {
    uint64_t a, b;
    char text[4];
    struct cursor c = of("ffffffffffffffff,1");
    CHECK(cursor_range(&c, &a, &b) && a == UINT64_MAX && b == 1 && cursor_done(&c));
    c = of("10000000000000000");
    CHECK(!cursor_number(&c, &a));
    c = of("00000000000000000000012");
    CHECK(cursor_number(&c, &a) && a == 0x12);
    c = of("");
    CHECK(!cursor_number(&c, &a) && !cursor_char(&c, 'x'));
    CHECK(cursor_done(&(struct cursor){cursor_until(&c, ';').at, c.end}));
    c = of("414");
    CHECK(!cursor_hex_text(&c, text, sizeof text));
    c = of("41424344");
    CHECK(!cursor_hex_text(&c, text, sizeof text));
    c = of("410042");
    CHECK(!cursor_hex_text(&c, text, sizeof text));
    c = of("414243");
    CHECK(cursor_hex_text(&c, text, sizeof text));
    CHECK_STR(text, "ABC");
}

static void test_buffer(void) {
    struct buffer b;
    buffer_init(&b, 2000);
    buffer_binary(&b, "a}#$*b", 6);
    buffer_xml(&b, "<&\x01>");
    buffer_char(&b, 0);
    CHECK_STR(b.data, "a}]}\x03}\x04}\nb&lt;&amp;&gt;");
    buffer_printf(&b, "%01000d", 7);
    CHECK(!b.overflow && b.data[b.length - 1] == '7');
    buffer_printf(&b, "%01000d", 7);
    CHECK(b.overflow && b.length <= 2000);
    buffer_clear(&b);
    buffer_hex(&b, "x", SIZE_MAX / 2 + 2);
    CHECK(b.overflow && b.length == 0);
    buffer_free(&b);
}

static void test_acks(struct client *c) {
    client_raw(c, "$qC#b4", 6);
    CHECK_STR(c->received, "+$QC1#c5");
    client_raw(c, "-", 1);
    CHECK_STR(c->received, "$QC1#c5");
    client_raw(c, "--", 2); /* the second is about a packet that is on its way */
    CHECK_STR(c->received, "$QC1#c5");
    client_raw(c, "+$qC#b5", 7);
    CHECK_STR(c->received, "-");
    client_raw(c, "$qC#zz", 6);
    CHECK_STR(c->received, "-");
    client_raw(c, "+-\r\n\x03+$qC#b4", 12);
    CHECK_STR(c->received, "+$QC1#c5");
    client_raw(c, "$m1000,$m$qC#b4", 15); /* two that were never finished */
    CHECK_STR(c->received, "+$QC1#c5");
    client_raw(c, "+$#00", 5);
    CHECK_STR(c->received, "+$#00");
    client_raw(c, "$qC#b4$qC#b4", 12);
    CHECK_STR(c->received, "+$QC1#c5+$QC1#c5");
    for (const char *at = "$qC#b"; *at; at++) {
        client_raw(c, at, 1);
        CHECK_STR(c->received, "");
    }
    client_raw(c, "4", 1);
    CHECK_STR(c->received, "+$QC1#c5");
}

static void test_no_ack(struct client *c) {
    client_raw(c, "$QStartNoAckMode#b0", 19);
    CHECK_STR(c->received, "+$OK#9a");
    client_raw(c, "+$qC#b4", 7);
    CHECK_STR(c->received, "$QC1#c5");
    client_raw(c, "-", 1);
    CHECK_STR(c->received, "");
    client_raw(c, "$qC#00", 6);
    CHECK_STR(c->received, "$QC1#c5");
}

static void test_escapes(struct client *c) {
    c->acks = false;
    client_send(c, "X1000,3:}\x03}\x04}]", 14);
    CHECK_STR(client_packet(c), "OK");
    CHECK(!memcmp(c->fake->process[0].memory, "#$}", 3));
    CHECK_STR(ask(c, "x1000,4"), "b}\x03}\x04}]\x90");
    CHECK_STR(ask(c, "X1000,1:}"), "E01");
    CHECK_STR(ask(c, "X1000,2:a}"), "E01");
    CHECK_STR(ask(c, "}"), "");
    client_send(c, "X1000,2:\0\xff", 10);
    CHECK_STR(client_packet(c), "OK");
    CHECK_STR(ask(c, "m1000,2"), "00ff");
}

int main(void) {
    struct gdb_target target;
    test_hex();
    test_cursor();
    test_buffer();
    struct fake *f = world_open(&target);
    struct client *c = client_new(f);
    CHECK(!f->connected && !gdb_server_connected(f->server)); /* it has said nothing yet */
    test_acks(c);
    CHECK(f->connected && gdb_server_connected(f->server));
    test_no_ack(c);
    test_escapes(c);
    client_free(c);
    CHECK(!f->connected && !gdb_server_connected(f->server));
    world_close(f);
    return unit_end();
}
