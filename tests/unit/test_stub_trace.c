/* Tracepoints: packets good and bad, what is collected, and how a trace ends. */
#include "tests/unit/test_stub_client.h"

#include <sys/resource.h>

enum { STATUS_TEXT = 512 };

/* Lets the first process do so many instructions, and stops it. */
static void run(struct client *c, unsigned instructions) {
    client_send(c, "vCont;c:p1.1", 12);
    for (unsigned i = 0; i < instructions; i++)
        fake_tick(c->fake);
    client_raw(c, "\x03", 1);
    fake_tick(c->fake);
    client_turn(c);
    CHECK(strstr(client_packet(c), "T02") == c->text);
}

static void restart(struct client *c) {
    c->fake->process[0].registers[FAKE_PC] = FAKE_BASE;
}

/* Each of them is to be OK. */
static void all_ok(struct client *c, const char *const *packets) {
    for (; *packets; packets++) {
        const char *answer = ask(c, *packets);
        unit_check(!strcmp(answer, "OK"), *packets, __FILE__, __LINE__);
    }
}
#define ALL_OK(c, ...) all_ok(c, (const char *const[]){__VA_ARGS__, NULL})

/* A part of qTStatus. */
static bool status_has(struct client *c, const char *part) {
    char text[STATUS_TEXT];
    snprintf(text, sizeof text, "%s;", ask(c, "qTStatus"));
    bool has = strstr(text, part) != NULL;
    if (!has)
        fprintf(stderr, "    no %s in %s\n", part, text);
    return has;
}

/* --- what is collected ------------------------------------------------------------------- */

static void test_collecting(struct client *c) {
    restart(c);
    c->fake->process[0].registers[0] = 0x11223344;
    ALL_OK(c, "QTinit", "QTDP:1:1004:E:0:0-", "QTDP:-1:1004:R1-", "QTDP:-1:1004:M-1,1010,4M8,2,2",
           "QTDP:2:1008:E:2:0-", "QTDP:-2:1008:X6,2310100d0427-", "QTDP:-2:1008:SX4,2e000127",
           "QTDV:1:5:0:78", "QTStart");
    CHECK(status_has(c, "T1;tunknown:0;tframes:0;"));
    run(c, 0x20);
    CHECK(c->fake->process[0].traced == 2);
    CHECK(status_has(c, "tframes:4;tcreated:4;"));
    CHECK_STR(ask(c, "qTP:1:1004"), "V1:cd");
    CHECK_STR(ask(c, "QTStop"), "OK");
    CHECK(status_has(c, "T0;tstop::0;"));
    CHECK_STR(ask(c, "p0"), "44332211"); /* the present */
    c->fake->process[0].registers[0] = 0;
    c->fake->process[0].memory[0x10] = 0x55;
}

/* A frame has what was collected in it, and nothing else. */
static void test_frame(struct client *c) {
    CHECK_STR(ask(c, "QTFrame:0"), "F0T1");
    CHECK(strlen(ask(c, "g")) == 2 * FAKE_G_BYTES && !strncmp(c->text, "44332211", 8));
    CHECK_STR(ask(c, "p8"), "04100000");
    CHECK_STR(ask(c, "p20"), "xxxxxxxx"); /* not in g, and not asked for */
    CHECK_STR(ask(c, "m1010,4"), "90909090");
    CHECK_STR(ask(c, "m1012,8"), "9090");
    CHECK_STR(ask(c, "m1006,2"), "9090"); /* eip + 2 */
    CHECK_STR(ask(c, "m1014,1"), "E01");
    CHECK_STR(ask(c, "M1010,1:00"), "E01");
    CHECK_STR(ask(c, "P0=00000000"), "E01");
    CHECK_STR(ask(c, "qTV:1"), "U");
    CHECK(strstr(ask(c, "qXfer:traceframe-info:read::0,1000"),
                 "<memory start=\"0x1010\" length=\"0x4\"/>\n<memory start=\"0x1006\""));
}

static void test_frames_of_steps(struct client *c) {
    CHECK_STR(ask(c, "QTFrame:1"), "F1T2");
    CHECK(!strncmp(ask(c, "g"), "xxxxxxxx", 8));
    CHECK_STR(ask(c, "p8"), "08100000");
    CHECK_STR(ask(c, "QTFrame:2"), "F2T2");
    CHECK_STR(ask(c, "p8"), "09100000");
    CHECK_STR(ask(c, "qTV:1"), "V5");
    CHECK(strstr(ask(c, "qXfer:traceframe-info:read::0,1000"), "<tvar id=\"0x1\"/>"));
}

static void test_search(struct client *c) {
    CHECK_STR(ask(c, "QTFrame:pc:1009"), "F-1");
    CHECK_STR(ask(c, "QTFrame:tdp:2"), "F3T2");
    CHECK_STR(ask(c, "QTFrame:0"), "F0T1");
    CHECK_STR(ask(c, "QTFrame:outside:1000:1008"), "F2T2");
    CHECK_STR(ask(c, "QTFrame:range:100a:100a"), "F3T2");
    CHECK_STR(ask(c, "QTFrame:range:zz"), "F-1");
    CHECK_STR(ask(c, "QTFrame:4"), "F-1");
}

/* What cannot change is read beside frames; without a frame the present is shown again. */
static void test_beside_frames(struct client *c) {
    CHECK_STR(ask(c, "QTro:1014,1018:1100,1200"), "OK");
    CHECK_STR(ask(c, "m1014,8"), "90909090");
    CHECK_STR(ask(c, "QTFrame:ffffffff"), "OK");
    CHECK_STR(ask(c, "m1010,1"), "55");
    CHECK_STR(ask(c, "qXfer:traceframe-info:read::0,1000"), "E01");
    CHECK_STR(ask(c, "qTV:1"), "V5");
    CHECK_STR(ask(c, "qTV:2"), "U");
}

static const char *raw(struct client *c, size_t offset) {
    char text[64];
    snprintf(text, sizeof text, "qTBuffer:%zx,7", offset);
    return ask(c, text);
}

/* As a trace file has it: number, size, blocks; in pieces, and all of it. */
static void test_raw(struct client *c) {
    static char all[4096];
    size_t length = 0;
    CHECK(!strncmp(ask(c, "qTBuffer:0,6"), "0100cd000000", 12));
    for (const char *piece = raw(c, 0); *piece != 'l' && length < sizeof all - 14;
         piece = raw(c, length / 2)) {
        memcpy(all + length, piece, strlen(piece));
        length += strlen(piece);
    }
    CHECK(length && length == strlen(ask(c, "qTBuffer:0,1000")));
    CHECK(!memcmp(all, c->text, length));
    CHECK_STR(ask(c, "qTBuffer:ffffffffffffffff,ffffffffffffffff"), "l");
}

/* The next client is told what is defined. */
static void test_upload(struct client *c) {
    static const char *const pieces[] = {"T1:1004:E:0:0", "T2:1008:E:2:0", "A1:1004:R1",
                                         "A1:1004:M-1,1010,4M8,2,2", "A2:1008:X6,2310100d0427",
                                         "S2:1008:X4,2e000127", "Z2:1008:at:0:2:6162", "l"};
    CHECK_STR(ask(c, "QTDPsrc:2:1008:at:0:2:6162"), "OK");
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        CHECK_STR(ask(c, i ? "qTsP" : "qTfP"), pieces[i]);
    CHECK_STR(ask(c, "qTfV"), "1:5:0:78");
    CHECK_STR(ask(c, "qTsV"), "l");
    /* anew: what was said before is gone */
    ALL_OK(c, "QTDP:1:1004:D:0:3:X3,220127-", "QTDP:-1:1004:M-1,1010,1");
    CHECK_STR(ask(c, "qTfP"), "T1:1004:D:0:3:X3,220127");
    CHECK_STR(ask(c, "qTsP"), "T2:1008:E:2:0");
    CHECK_STR(ask(c, "qTsP"), "A2:1008:X6,2310100d0427");
    ALL_OK(c, "QTEnable:1:1004");
    CHECK_STR(ask(c, "qTfP"), "T1:1004:E:0:3:X3,220127");
}

/* --- how it ends ------------------------------------------------------------------------------ */

static void one(struct client *c, const char *point, const char *actions) {
    restart(c);
    ALL_OK(c, "QTinit", point, actions, "QTStart");
    run(c, 0x10);
}

static void test_ends(struct client *c) {
    one(c, "QTDP:1:1004:E:5:1-", "QTDP:-1:1004:R1-");
    CHECK(status_has(c, "tframes:0;")); /* it was never whole */
    one(c, "QTDP:7:1004:E:5:1-", "QTDP:-7:1004:R1");
    CHECK(status_has(c, "T0;tpasscount:7;tframes:1;"));
    one(c, "QTDP:1:1004:E:0:0:X3,220027-", "QTDP:-1:1004:R1");
    CHECK(status_has(c, "T1;tunknown:0;tframes:0;"));
    one(c, "QTDP:1:1004:E:0:0:X6,220122000527-", "QTDP:-1:1004:R1");
    CHECK(status_has(c, "T0;terror:69747320636f6e646974696f6e206661696c6564:1;tframes:0;"));
    one(c, "QTDP:1:1004:E:0:0-", "QTDP:-1:1004:X4,22001927");
    CHECK(status_has(c, "T0;terror:"));
    one(c, "QTDP:1:1004:E:0:0-", "QTDP:-1:1004:X3,210000"); /* for ever */
    CHECK(status_has(c, "T0;terror:"));
    one(c, "QTDP:1:1004:E:0:0-", "QTDP:-1:1004:M-1,0,ffffffffffffffff");
    CHECK(status_has(c, "T0;tfull:1;tframes:0;"));
    one(c, "QTDP:1:1004:E:0:0-", "QTDP:-1:1004:M-1,0,100M-1,ffffffffffffffff,100");
    CHECK(status_has(c, "T1;tunknown:0;tframes:1;")); /* there is no such memory */
    one(c, "QTDP:1:1004:E:ffffffffffffffff:0-", "QTDP:-1:1004:SM-1,1000,10");
    CHECK(status_has(c, "T1;tunknown:0;tframes:d;"));
    CHECK_STR(ask(c, "QTNotes:user:6d65;notes:;tstop:656e6f756768"), "OK");
    CHECK_STR(ask(c, "QTStop"), "OK");
    CHECK(status_has(c, "T0;tstop:656e6f756768:0;") && status_has(c, "username:6d65;notes:;"));
    one(c, "QTDP:1:1004:E:0:0-", "QTDP:-1:1004:R1");
    CHECK_STR(ask(c, "!"), "OK");
    CHECK(*ask(c, "vRun;") == 'T');
    CHECK(status_has(c, "T0;tstop:746865206d616368696e652077617320"));
}

static void test_buffer(struct client *c) {
    CHECK_STR(ask(c, "QTBuffer:size:200"), "OK");
    one(c, "QTDP:1:1004:E:20:0-", "QTDP:-1:1004:SM-1,1000,40");
    CHECK(status_has(c, "T0;tfull:1;tframes:5;tcreated:5;"));
    CHECK_STR(ask(c, "QTBuffer:circular:1"), "OK");
    one(c, "QTDP:1:1004:E:20:0-", "QTDP:-1:1004:SM-1,1000,40");
    CHECK(status_has(c, "T1;tunknown:0;tframes:4;tcreated:d;") && status_has(c, "circular:1;"));
    CHECK_STR(ask(c, "QTFrame:0"), "F0T1");
    CHECK_STR(ask(c, "p8"), "0d100000");
    CHECK_STR(ask(c, "QTBuffer:size:100"), "E.a trace is running; tstop it first");
    CHECK_STR(ask(c, "QTStop"), "OK");
    CHECK_STR(ask(c, "QTBuffer:circular:0"), "OK");
    CHECK_STR(ask(c, "QTBuffer:size:-1"), "OK");
    CHECK(status_has(c, "tsize:100000;"));
    CHECK_STR(ask(c, "QTBuffer:size:4000001"), "E.the trace buffer has at most 64 MiB");
}

/* The guest comes by the tracepoint once more before the next client is there. */
static struct client *next_client(struct fake *f) {
    f->process[0].registers[FAKE_PC] = FAKE_BASE;
    for (int i = 0; i < 8; i++)
        fake_tick(f);
    fake_halt(f, 1);
    fake_halt(f, 2);
    return client_gdb(f);
}

/* Who goes away ends the trace, or leaves it running for the next one. */
static void test_disconnected(struct fake *f) {
    struct client *c = client_gdb(f);
    one(c, "QTDP:1:1004:E:0:0-", "QTDP:-1:1004:R1");
    client_free(c);
    CHECK(!f->process[0].breakpoints[0].used);
    c = next_client(f);
    CHECK(status_has(c, "T0;tdisconnected:0;tframes:1;"));
    CHECK_STR(ask(c, "QTDisconnected:1"), "OK");
    one(c, "QTDP:1:1004:E:0:0-", "QTDP:-1:1004:R1");
    /* the traced process alone is let go: it is not to be looked at while it runs */
    CHECK_STR(ask(c, "D;1"), "OK");
    CHECK(strstr(ask(c, "qTStatus"), "E.the traced machine runs on"));
    CHECK(strstr(ask(c, "QTinit"), "E.the traced machine runs on"));
    client_free(c);
    c = next_client(f);
    CHECK(status_has(c, "T1;tunknown:0;tframes:2;") && status_has(c, "disconn:1;"));
    ALL_OK(c, "QTDisconnected:0", "QTStop", "QTinit");
    client_free(c);
    fake_halt(f, 1);
    fake_halt(f, 2);
}

/* --- what means harm ------------------------------------------------------------------------------ */

static const char *const bad[] = {
    "QTDP", "QTDP:", "QTDP:1", "QTDP:1:1004", "QTDP:1:1004:", "QTDP:1:1004:X", "QTDP:1:1004:E",
    "QTDP:1:1004:E:0", "QTDP:1:1004:E:0:", "QTDP:1:1004:E:0:0:", "QTDP:1:1004:E:0:0:X",
    "QTDP:1:1004:E:0:0:F3", "QTDP:1:1004:E:0:0:S", "QTDP:1:1004:E:0:0:X1,28", "QTDP:1:1004:E:0:0-x",
    "QTDP:1:1004:E:0:0:Xffffffffffffffff,27", "QTDP:1:1004:E:10000000000000000:0",
    "QTDP:0:1004:E:0:0", "QTDP:10000:1004:E:0:0", "QTDP:-9:1004:R1", "QTDP:-2:2000:R1",
    "QTDP:-2:1008:Q", "QTDP:-2:1008:R", "QTDP:-2:1008:M", "QTDP:-2:1008:M-1", "QTDP:-2:1008:M-1,1",
    "QTDP:-2:1008:M-2,1,1", "QTDP:-2:1008:Mffff,1,1", "QTDP:-2:1008:M-1,1,10000000000000000",
    "QTDP:-2:1008:X", "QTDP:-2:1008:X2,27", "QTDP:-2:1008:X1,ff", "QTDP:-2:1008:L", "QTDP:-2:1008:R1$",
    "QTDPsrc:", "QTDPsrc:9:1004:at:0:1:61", "QTDPsrc:2:1008:a$:0:1:61", "QTDPsrc:2:1008:at:0:1:6x",
    "QTDPsrc:2:1008::0:1:61", "QTDPsrc:2:1008:at:x:1:61", "QTDV:", "QTDV:1", "QTDV:1:2", "QTDV:1:2:0",
    "QTDV:1:2:0:6", "QTDV:1:2:0:xx", "QTDV:100000:2:0:61", "QTDV:1:10000000000000000:0:61",
    "QTEnable:", "QTEnable:9:1", "QTDisable:2", "QTro", "QTro:1", "QTro:2,1,3", "QTro:1,x",
    "QTBuffer:size:", "QTBuffer:size:x", "QTBuffer:size:-2", "QTBuffer:size:fffffffffffffffff",
    "QTBuffer:circular:", "QTBuffer:circular:2", "QTBuffer:circular:11", "QTDisconnected:", "QTDisconnected:x",
    "QTNotes:x:61", "QTNotes:user:6", "QTNotes:user:00", "qTP:", "qTP:9:1", "qTP:1", "qTV:", "qTV:x",
    "qTBuffer:", "qTBuffer:1", "qTBuffer:1,x", "QTFrame:", "QTFrame:x", "QTFrame:-", "QTFrame:pc:",
    "QTFrame:fffffffffffffffff", "QTSave:2f746d702f78", "qTMinFTPILen", "qTfSTM",
};

static void test_bad(struct client *c) {
    ALL_OK(c, "QTinit", "QTDP:2:1008:E:0:0");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *answer = ask(c, bad[i]);
        bool refused = *answer == 'E' || !*answer || !strcmp(answer, "F-1");
        unit_check(refused, bad[i], __FILE__, __LINE__);
    }
    CHECK_STR(ask(c, "QTStart"), "OK");
    run(c, 0x10);
    CHECK_STR(ask(c, "QTStop"), "OK");
}

static long kilobytes(void) {
#ifdef __SANITIZE_ADDRESS__
    return 0; /* it keeps what is freed */
#endif
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* As many as one likes: there is a bound, and it is said. */
static void test_flood(struct client *c) {
    static char actions[60000];
    char text[128];
    unsigned refused = 0;
    long before = kilobytes();
    CHECK_STR(ask(c, "QTinit"), "OK");
    for (unsigned i = 1; i < 2000; i++) {
        snprintf(text, sizeof text, "QTDP:%x:%x:E:0:0", i, i);
        refused += !strncmp(ask(c, text), "E.too many", 10);
        snprintf(text, sizeof text, "QTDV:%x:0:0:", i);
        refused += !strncmp(ask(c, text), "E.too many", 10);
    }
    CHECK(refused == 2 * (1999 - 256));
    strcpy(actions, "QTDP:-1:1:");
    for (size_t i = 0; i < 7000; i++)
        strcpy(actions + 10 + 7 * i, "M-1,0,0");
    strcat(actions, "Z-"); /* wrong at its end, or not */
    for (unsigned i = refused = 0; i < 1000; i++) {
        actions[strlen(actions) - 2] = i % 2 ? 'Z' : '1';
        refused += *ask(c, actions) == 'E';
    }
    CHECK(refused >= 995);
    CHECK(kilobytes() - before < 16 * 1024);
    CHECK_STR(ask(c, "QTStart"), "E.no room"); /* says the target, which has its own bound */
    CHECK(status_has(c, "T0;terror:"));
    ALL_OK(c, "QTinit");
}

int main(void) {
    struct gdb_target target;
    struct fake *f = world_open(&target);
    struct client *c = client_gdb(f);
    CHECK_STR(ask(c, "QTStart"), "E.QTinit comes first");
    CHECK_STR(ask(c, "QTDP:1:1000:E:0:0"), "E.QTinit comes first");
    CHECK_STR(ask(c, "qTfP"), "l");
    CHECK_STR(ask(c, "qTfV"), "l");
    CHECK_STR(ask(c, "qTBuffer:0,10"), "l");
    CHECK_STR(ask(c, "QTFrame:0"), "F-1");
    test_collecting(c);
    test_frame(c);
    test_frames_of_steps(c);
    test_search(c);
    test_beside_frames(c);
    test_raw(c);
    test_upload(c);
    test_ends(c);
    test_buffer(c);
    test_bad(c);
    test_flood(c);
    client_free(c);
    fake_halt(f, 1);
    fake_halt(f, 2);
    test_disconnected(f);
    world_close(f);
    return unit_end();
}
