/* Connections that are no debugger's: what they send is not carried out, and guests do
 * not notice them. */
#include "tests/unit/test_stub_client.h"

static bool nothing_happened(struct fake *f) {
    bool still = true;
    for (int i = 0; i < FAKE_PROCESSES; i++)
        still &= !f->process[i].interrupted && !f->process[i].detached;
    return still && !f->connected && !gdb_server_connected(f->server);
}

static void test_silent(struct fake *f) {
    client_free(client_new(f)); /* a port scan */
    CHECK(nothing_happened(f));
    struct client *c = client_new(f);
    client_raw(c, "+\x03+-$qSup", 9); /* and half of a debugger */
    client_free(c);
    CHECK(nothing_happened(f));
}

/* Other protocols, with a right packet in their midst. */
static void test_foreign(struct fake *f) {
    static const char *const begins[] = {
        "POST / HTTP/1.1\r\nHost: 127.0.0.1:1234\r\nContent-Type: text/plain\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n", "OPTIONS * HTTP/1.1\r\n\r\n", "\r\n\r\nPRI * HTTP/2.0\r\n", "P",
        "SSH-2.0-OpenSSH\r\n", "\x16\x03\x01\x02", "+g", "#00", " ", "%Stop:#00", "}"};
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        for (int split = 0; split < 2; split++) {
            char bytes[256];
            struct client *c = client_new(f);
            int n = snprintf(bytes, sizeof bytes, "%s%s", begins[i], "$qRcmd,71756974#76");
            if (split)
                for (int at = 0; at < n; at++)
                    client_raw(c, bytes + at, 1);
            else
                client_raw(c, bytes, (size_t)n);
            CHECK_STR(c->received, "");
            CHECK(client_drain(c)); /* closed */
            CHECK(nothing_happened(f));
            client_free(c);
        }
}

/* The same in the middle of a session: what follows is not carried out. */
static void test_foreign_later(struct fake *f) {
    struct client *c = client_gdb(f);
    client_raw(c, "GET / HTTP/1.1\r\n\r\n$M1000,1:55#eb", 33);
    CHECK_STR(c->received, "");
    CHECK(!f->connected && f->process[0].memory[0] != 0x55);
    client_free(c);
}

static void test_garbled(struct fake *f) {
    struct client *c = client_new(f);
    client_raw(c, "+$qC#b5", 7);
    CHECK_STR(c->received, "-");
    client_raw(c, "$qC#xx$qC#1", 11);
    CHECK_STR(c->received, "-");
    CHECK(!f->connected);
    client_raw(c, "$$qC#b4", 7);
    CHECK(f->connected);
    client_free(c);
}

/* As much as the link has room for, and not a packet. */
static void test_endless(struct fake *f) {
    static char bytes[1 << 16];
    struct client *c = client_new(f);
    memset(bytes, '+', sizeof bytes);
    for (int i = 0; i < 5; i++)
        client_raw(c, bytes, sizeof bytes);
    CHECK(client_drain(c));
    CHECK(nothing_happened(f));
    client_free(c);
}

/* Nobody is in a debugger's way, and a debugger's place is not taken. */
static void test_crowd(struct fake *f) {
    struct client *silent[20], *c;
    for (int i = 0; i < 20; i++)
        silent[i] = client_new(f);
    c = client_gdb(f);
    CHECK(f->connected);
    for (int i = 0; i < 20; i++)
        client_free(silent[i]);
    silent[0] = client_new(f);
    client_free(silent[0]);
    ask(c, "?");
    CHECK(f->connected && gdb_server_connected(f->server));
    client_free(c);
    CHECK(!f->connected);
}

/* gdb's `set remote interrupt-sequence` BREAK, over TCP, and BREAK-g. */
static void test_break(struct fake *f) {
    struct client *c = client_gdb(f);
    ask(c, "?");
    ask(c, "vCont;c:p1.1");
    CHECK(f->process[0].running);
    f->process[0].interrupted = false;
    client_raw(c, "\xff\xf3", 2);
    CHECK(f->process[0].interrupted);
    client_raw(c, "g", 1);
    CHECK(f->connected);
    client_raw(c, "g", 1);
    CHECK(!f->connected);
    client_free(c);
}

static void (*const tests[])(struct fake *) = {test_silent, test_foreign, test_foreign_later, test_garbled,
                                               test_endless, test_crowd, test_break};

int main(void) {
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        struct gdb_target target;
        struct fake *f = world_open(&target);
        tests[i](f);
        world_close(f);
    }
    return unit_end();
}
