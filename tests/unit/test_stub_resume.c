/* Resuming, stops and all-stop with two processes. */
#include "tests/unit/test_stub_client.h"

/* Interrupts and the like come true; the answer that follows. */
static const char *ticked(struct client *c) {
    fake_tick(c->fake);
    return awaited(c);
}

static void test_step(struct client *c) {
    CHECK_STR(ask(c, "?"), "T05thread:p1.1;");
    CHECK_STR(ask(c, "vCont;s:p1.1;c:p1.-1"), "<none>");
    CHECK(c->fake->process[0].running && !c->fake->process[1].running);
    CHECK_STR(ticked(c), "T05thread:p1.1;");
    ask(c, "qXfer:features:read:target.xml:0,1000");
    ask(c, "vCont;s:p1.-1");
    CHECK_STR(ticked(c), "T054:00010000;5:00010000;8:02100000;thread:p1.1;");
    CHECK_STR(ask(c, "?"), "T054:00010000;5:00010000;8:02100000;thread:p1.1;");
    ask(c, "Hcp2.1");
    CHECK_STR(ask(c, "s1010"), "<none>");
    CHECK(c->fake->process[1].running && !c->fake->process[0].running);
    CHECK_STR(ticked(c), "T05thread:p2.1;");
    CHECK_STR(ask(c, "S05"), "<none>");
    CHECK(c->fake->process[1].action.signal == 5);
    CHECK_STR(ticked(c), "T05thread:p2.1;");
    CHECK_STR(ask(c, "Hgp1.1"), "OK");
}

static void test_range(struct client *c) {
    CHECK_STR(ask(c, "vCont;r1000,1008:p1.1"), "<none>");
    CHECK(c->fake->process[0].action.how == GDB_RANGE);
    for (int i = 0; i < 5; i++)
        CHECK_STR(ticked(c), "<none>");
    CHECK_STR(ticked(c), "T054:00010000;5:00010000;8:08100000;thread:p1.1;");
}

/* The first action that fits counts; what has none stays. */
static void test_order(struct client *c) {
    struct fake_process *p = c->fake->process;
    ask(c, "vCont;C0b:p2.1;s:p2.-1;c");
    CHECK(p[1].action.how == GDB_CONTINUE && p[1].action.signal == 11);
    CHECK(p[0].running && p[0].action.signal == 0);
    fake_tell(c->fake, 1, GDB_SIGNAL_SEGV);
    CHECK(p[1].interrupted);
    CHECK_STR(awaited(c), "<none>"); /* the other still runs */
    CHECK_STR(ticked(c), "T0b4:00010000;5:00010000;8:08100000;thread:p1.1;");
    ask(c, "vCont;t:p2.-1;c:p1.1");
    CHECK(p[0].running && !p[1].running);
    fake_tell(c->fake, 1, GDB_SIGNAL_TRAP);
    awaited(c);
}

static void test_reasons(struct client *c) {
    static const char *const told[] = {"swbreak:;", "hwbreak:;", "watch:1234;", "rwatch:1234;",
                                       "awatch:1234;"};
    for (enum gdb_bp_kind point = GDB_SWBREAK; point <= GDB_AWATCH; point++) {
        ask(c, "vCont;c:p1.-1");
        fake_tell_point(c->fake, 1, point, 0x1234);
        CHECK(strstr(awaited(c), told[point]) != NULL);
    }
}

/* Two breakpoints at once: one is told, the other at the next resume. */
static void test_pending(struct client *c) {
    struct fake_process *p = c->fake->process;
    ask(c, "vCont;c");
    fake_tell_point(c->fake, 1, GDB_SWBREAK, 0);
    fake_tell_point(c->fake, 2, GDB_HWBREAK, 0);
    CHECK(strstr(awaited(c), "thread:p1.1;swbreak:;") != NULL);
    unsigned before = p[1].resumed;
    /* a resume of the first alone leaves it pending */
    ask(c, "vCont;s:p1.1");
    CHECK(strstr(ticked(c), "thread:p1.1;") != NULL);
    CHECK_STR(ask(c, "vCont;c"), "T05thread:p2.1;hwbreak:;");
    CHECK(!p[0].running && !p[1].running && p[1].resumed == before);
    CHECK_STR(ask(c, "vCont;c"), "<none>");
    CHECK(p[0].running && p[1].running);
    CHECK_STR(ticked(c), "<none>");
}

static void test_interrupt(struct client *c) {
    client_raw(c, "\x03", 1);
    CHECK(c->fake->process[1].interrupted != c->fake->process[0].interrupted);
    CHECK_STR(ticked(c), "<none>");
    CHECK_STR(ticked(c), "T02thread:p2.1;"); /* it was the current one */
    client_raw(c, "\x03", 1);
    CHECK_STR(ticked(c), "<none>");
    /* one that meets a stop of its own */
    ask(c, "vCont;c:p1.-1");
    client_raw(c, "\x03", 1);
    fake_tell(c->fake, 1, GDB_SIGNAL_FPE);
    CHECK(!strncmp(awaited(c), "T08", 3));
    /* a packet while it runs is an interrupt, and answered after the stop */
    ask(c, "vCont;c:p1.-1");
    CHECK_STR(ask(c, "m1000,2"), "<none>");
    fake_tick(c->fake);
    awaited(c);
    CHECK(!strncmp(c->received, "$T02", 4) && strstr(c->received, "$9090#") != NULL);
}

static void test_passed(struct client *c) {
    struct fake_process *p = c->fake->process;
    CHECK_STR(ask(c, "QPassSignals:b"), "OK");
    ask(c, "vCont;c");
    fake_tell(c->fake, 1, GDB_SIGNAL_SEGV);
    CHECK(p[0].running && p[0].action.signal == 11 && p[1].running);
    CHECK_STR(awaited(c), "<none>");
    /* while the others are being stopped it has to wait */
    fake_tell(c->fake, 2, GDB_SIGNAL_FPE);
    fake_tell(c->fake, 1, GDB_SIGNAL_SEGV);
    CHECK_STR(awaited(c), "T08thread:p2.1;");
    CHECK(!p[0].running);
    ask(c, "vCont;c");
    CHECK(p[0].running && p[0].action.signal == 11 && p[1].action.signal == 0);
    fake_tell_point(c->fake, 1, GDB_WATCH, 4);
    CHECK(strstr(ticked(c), "watch:4;") != NULL);
    CHECK_STR(ask(c, "QPassSignals:"), "OK");
}

static void test_console(struct client *c) {
    gdb_server_console(c->fake->server, "early\n", 6);
    CHECK_STR(awaited(c), "<none>");
    CHECK_STR(ask(c, "vCont;c:p1.-1"), "O6561726c790a");
    gdb_server_console(c->fake->server, "now\n", 4);
    CHECK_STR(awaited(c), "O6e6f770a");
    fake_tell(c->fake, 1, GDB_SIGNAL_TRAP);
    awaited(c);
}

static void test_exit(struct client *c) {
    CHECK_STR(ask(c, "!"), "OK");
    ask(c, "vCont;c");
    fake_exit(c->fake, 1, 3);
    CHECK_STR(ticked(c), "W03;process:1");
    CHECK_STR(ask(c, "qfThreadInfo"), "mp2.1");
    CHECK_STR(ask(c, "?"), "W03;process:1");
    CHECK_STR(ask(c, "vKill;1"), "E.there is no such process; `info inferiors` lists them");
    CHECK_STR(ask(c, "vRun;"), "T05thread:p1.1;");
    CHECK(c->fake->process[0].restarted == 1);
    CHECK_STR(ask(c, "vKill;2"), "OK");
    CHECK_STR(ask(c, "qfThreadInfo"), "mp1.1");
    CHECK_STR(ask(c, "vKill;1"), "OK");
    CHECK_STR(ask(c, "qfThreadInfo"), "l");
    CHECK_STR(ask(c, "?"), "W00");
    CHECK_STR(ask(c, "g"), "E01");
    CHECK_STR(ask(c, "m1000,1"), "E01");
    CHECK_STR(ask(c, "vCont;c"), "E01");
    CHECK_STR(ask(c, "Z0,1000,1"), "E01");
    CHECK_STR(ask(c, "R00"), "<none>");
    CHECK_STR(ask(c, "qfThreadInfo"), "mp1.1,p2.1");
}

/* Both end in one resume: each end is told. */
static void test_both_end(struct client *c) {
    ask(c, "vCont;c");
    fake_exit(c->fake, 1, 1);
    fake_exit(c->fake, 2, 2);
    CHECK_STR(awaited(c), "W01;process:1");
    CHECK_STR(ask(c, "vCont;c"), "W02;process:2");
    CHECK_STR(ask(c, "vCont;c"), "E01");
    CHECK_STR(ask(c, "k"), "<none>"); /* extended: the connection stays */
    CHECK_STR(ask(c, "vRun;"), "T05thread:p1.1;");
    CHECK_STR(ask(c, "vRun;"), "T05thread:p2.1;");
}

static void test_detach(struct client *c) {
    struct fake_process *p = c->fake->process;
    ask(c, "Hgp1.1");
    CHECK_STR(ask(c, "Z0,1005,1"), "OK");
    CHECK_STR(ask(c, "D;1"), "OK");
    CHECK(p[0].detached == 1 && p[0].running && !p[0].breakpoints[0].used);
    CHECK_STR(ask(c, "qfThreadInfo"), "mp2.1");
    CHECK_STR(ask(c, "vCont;s"), "<none>");
    CHECK_STR(ticked(c), "T05thread:p2.1;");
    CHECK(p[0].running);
    CHECK_STR(ask(c, "vAttach;1"), "<none>");
    CHECK_STR(ticked(c), "T05thread:p1.1;");
    CHECK(!p[0].running);
    CHECK_STR(ask(c, "D"), "OK");
    CHECK(p[0].running && p[1].running && c->fake->connected);
}

/* A client that is gone: the same as detach, and the next one stops all. */
static void test_reconnect(struct fake *f) {
    struct fake_process *p = f->process;
    struct client *c = client_new(f);
    CHECK(!p[0].interrupted && !p[1].interrupted); /* who says nothing is no debugger */
    CHECK_STR(ask(c, "qSupported:multiprocess+"), "<none>");
    CHECK(p[0].interrupted && p[1].interrupted);
    fake_tick(f);
    CHECK(!strncmp(awaited(c), "PacketSize", 10));
    CHECK_STR(ask(c, "?"), "T05thread:p1.1;");
    CHECK_STR(ask(c, "Z0,1500,1"), "OK");
    ask(c, "vCont;c:p1.-1");
    client_free(c);
    CHECK(!f->connected && p[0].running && p[1].running && !p[0].breakpoints[0].used);
    /* what stops alone is told to the next client */
    fake_tell(f, 2, GDB_SIGNAL_SEGV);
    c = client_new(f);
    ask(c, "qSupported:multiprocess+");
    fake_tick(f);
    awaited(c);
    CHECK_STR(ask(c, "?"), "T0bthread:p2.1;");
    client_free(c);
    /* unless it runs again by then */
    fake_tell(f, 2, GDB_SIGNAL_SEGV);
    p[1].running = true;
    c = client_new(f);
    ask(c, "qSupported:multiprocess+");
    fake_tick(f);
    awaited(c);
    CHECK_STR(ask(c, "?"), "T05thread:p1.1;");
    client_free(c);
}

/* Plain c moves what Hc chose, whatever has stopped since. */
static void test_plain(struct client *c) {
    struct fake_process *p = c->fake->process;
    CHECK_STR(ask(c, "Hc-1"), "OK");
    ask(c, "vCont;s:p1.1");
    CHECK_STR(ticked(c), "T05thread:p1.1;");
    CHECK_STR(ask(c, "C05;1234"), "<none>");
    CHECK(p[0].running && p[1].running && p[0].registers[FAKE_PC] == 0x1234);
    CHECK(p[0].action.signal == 5);
    fake_tell(c->fake, 1, GDB_SIGNAL_TRAP);
    CHECK_STR(ticked(c), "T05thread:p1.1;");
}

/* Without multiprocess+ there is process 1; the other one runs free. */
static void test_single(struct fake *f) {
    struct client *c = client_new(f);
    ask(c, "qSupported:swbreak+");
    fake_tick(f);
    awaited(c);
    CHECK_STR(ask(c, "?"), "T05thread:1;");
    CHECK(!f->process[0].running && f->process[1].running);
    CHECK_STR(ask(c, "qfThreadInfo"), "m1");
    CHECK_STR(ask(c, "Hg1"), "OK");
    CHECK_STR(ask(c, "T1"), "OK");
    CHECK_STR(ask(c, "vCont;s:1;c"), "<none>");
    CHECK_STR(ticked(c), "T05thread:1;");
    CHECK_STR(ask(c, "vCont;c:1;c"), "<none>");
    fake_tell_point(f, 1, GDB_HWBREAK, 0);
    CHECK_STR(awaited(c), "T05thread:1;"); /* hwbreak+ was not said */
    ask(c, "c");
    fake_exit(f, 1, 7);
    CHECK_STR(awaited(c), "W07");
    ask(c, "k");
    CHECK(!gdb_server_handle(f->server));
    client_free(c);
}

int main(void) {
    struct gdb_target target;
    struct fake *f = world_open(&target);
    struct client *c = client_gdb(f);
    test_step(c);
    test_range(c);
    test_order(c);
    test_reasons(c);
    test_pending(c);
    test_interrupt(c);
    test_passed(c);
    test_console(c);
    test_exit(c);
    test_both_end(c);
    test_plain(c);
    test_detach(c);
    client_free(c);
    test_reconnect(f);
    test_single(f);
    world_close(f);
    return unit_end();
}
