/* Non-stop: stops as notifications, processes that run on their own. */
#include "tests/unit/test_stub_client.h"

static struct client *begin(struct fake *f) {
    struct client *c = client_gdb(f);
    ask(c, "qXfer:features:read:target.xml:0,1000");
    CHECK_STR(ask(c, "QNonStop:2"), "E01");
    CHECK_STR(ask(c, "QNonStop:1"), "OK");
    return c;
}

/* The payload of a notification among what was received. */
static const char *notified(struct client *c) {
    static char text[256];
    char *at = memchr(c->received, '%', c->length);
    char *end = at ? strchr(at, '#') : NULL;
    snprintf(text, sizeof text, "%.*s", end ? (int)(end - at - 1) : 6, end ? at + 1 : "<none>");
    return text;
}

static const char *notification(struct client *c) {
    awaited(c);
    return notified(c);
}

static void test_connect(struct client *c) {
    CHECK(strstr(ask(c, "?"), "T05") && strstr(c->text, "thread:p1.1;"));
    CHECK_STR(ask(c, "vStopped"), "OK");
    CHECK_STR(ask(c, "qfThreadInfo"), "mp1.1");
    ask(c, "vAttach;2");
    CHECK(strstr(c->received, "$OK#"));
    CHECK_STR(notified(c), "Stop:T00thread:p2.1;");
    CHECK_STR(ask(c, "vStopped"), "OK");
    CHECK_STR(ask(c, "qfThreadInfo"), "mp1.1,p2.1");
}

/* One runs, the other is stepped. */
static void test_apart(struct client *c) {
    struct fake_process *p = c->fake->process;
    CHECK_STR(ask(c, "vCont;c:p2.1"), "OK");
    CHECK(p[1].running && !p[0].running);
    CHECK_STR(ask(c, "vCont;s:p1.1"), "OK");
    fake_tick(c->fake);
    CHECK(strstr(notification(c), "thread:p1.1;") && p[1].running);
    CHECK_STR(ask(c, "vStopped"), "OK");
    CHECK_STR(ask(c, "vCont;c:p1.1"), "OK");
    CHECK(p[0].running && p[1].running);
    CHECK_STR(ask(c, "qfThreadInfo"), "mp1.1,p2.1");
    CHECK(p[0].running && p[1].running);
}

/* Memory of one that runs: it is paused, and nobody hears of that. */
static void test_pause(struct client *c) {
    struct fake_process *p = c->fake->process;
    ask(c, "Hgp2.1");
    unsigned resumed = p[1].resumed;
    CHECK_STR(ask(c, "m1000,2"), "<none>");
    CHECK(p[1].interrupted && !p[0].interrupted);
    fake_step(c->fake, 2);
    CHECK_STR(awaited(c), "9090");
    CHECK(p[1].running && p[1].resumed == resumed + 1);
    CHECK_STR(notified(c), "<none>");
    /* a stop of its own in the meantime is told, and it stays */
    CHECK_STR(ask(c, "Z0,1100,1"), "<none>");
    fake_tell_point(c->fake, 2, GDB_WATCH, 0x1234);
    CHECK_STR(awaited(c), "OK");
    CHECK(strstr(notified(c), "watch:1234;") && !p[1].running);
    CHECK_STR(ask(c, "vStopped"), "OK");
    CHECK_STR(ask(c, "z0,1100,1"), "OK");
}

static void test_stop(struct client *c) {
    struct fake_process *p = c->fake->process;
    CHECK_STR(ask(c, "vCont;c:p2.1"), "OK");
    CHECK_STR(ask(c, "vCont;t:p2.1"), "OK");
    CHECK(p[1].interrupted && !p[0].interrupted);
    fake_step(c->fake, 2);
    CHECK(strstr(notification(c), "Stop:T00thread:p2.1;"));
    CHECK_STR(ask(c, "vStopped"), "OK");
    CHECK_STR(ask(c, "vCtrlC"), "OK");
    CHECK(p[0].interrupted);
    fake_step(c->fake, 1);
    CHECK(strstr(notification(c), "Stop:T02"));
    /* a second stop waits for vStopped */
    CHECK_STR(ask(c, "vCont;s:p2.1"), "OK");
    fake_tick(c->fake);
    CHECK_STR(notification(c), "<none>");
    CHECK(strstr(ask(c, "vStopped"), "thread:p2.1;"));
    CHECK_STR(ask(c, "vStopped"), "OK");
    CHECK_STR(ask(c, "vStopped"), "OK");
}

static void test_end(struct client *c) {
    ask(c, "vCont;c:p2.1");
    fake_exit(c->fake, 2, 3);
    CHECK_STR(notification(c), "Stop:W03;process:2");
    CHECK_STR(ask(c, "vStopped"), "OK");
    CHECK_STR(ask(c, "qfThreadInfo"), "mp1.1");
    CHECK_STR(ask(c, "vCont;c:p2.1"), "E01");
    CHECK_STR(ask(c, "D;1"), "OK");
    CHECK(c->fake->process[0].running);
}

/* What stood still and hidden runs again when the client is gone. */
static void test_gone(struct fake *f) {
    struct client *c = begin(f);
    ask(c, "?");
    unsigned detached = f->process[1].detached;
    client_free(c);
    CHECK(f->process[1].detached == detached + 1 && f->process[1].running);
}

/* Notifications and exec: what was wanted first comes after the description. */
static void test_follow(struct fake *f) {
    struct client *c = client_new(f);
    ask(c, "qSupported:multiprocess+;swbreak+;exec-events+");
    ask(c, "QStartNoAckMode");
    client_packet(c);
    c->acks = false;
    ask(c, "QNonStop:1");
    CHECK_STR(ask(c, "?"), "T05thread:p1.1;");
    CHECK_STR(ask(c, "vStopped"), "OK");
    ask(c, "vCont;c:p1.1");
    CHECK(strstr(c->received, "$OK#") && strstr(notified(c), "exec:") && !f->process[0].running);
    CHECK_STR(ask(c, "vStopped"), "OK");
    CHECK(ask(c, "qXfer:features:read:target.xml:0,20")[0] == 'm');
    CHECK_STR(ask(c, "vCont;c:p1.1"), "OK");
    CHECK(f->process[0].running);
    f->process[0].long_mode = true;
    fake_tell_point(f, 1, GDB_SWBREAK, 0);
    CHECK(strstr(notification(c), "exec:"));
    CHECK_STR(ask(c, "vStopped"), "OK");
    CHECK(ask(c, "qXfer:features:read:target.xml:0,20")[0] == 'm');
    ask(c, "vCont;c:p1.1");
    CHECK(strstr(c->received, "$OK#") && strstr(notified(c), "swbreak") && !f->process[0].running);
    client_free(c);
}

/* vRun answers itself: a stop, as gdb's documentation of vRun has it, not OK. */
static void test_run(struct fake *f) {
    struct client *c = begin(f);
    ask(c, "?");
    CHECK_STR(ask(c, "vStopped"), "OK");
    CHECK(strstr(ask(c, "vRun;"), "T05") && strstr(c->text, "thread:p2.1;"));
    CHECK_STR(ask(c, "qC"), "QCp2.1");
    CHECK_STR(ask(c, "vCont;c:p2.1"), "OK");
    CHECK(f->process[1].running && !f->process[0].running);
    client_free(c);
}

/* Back to all-stop while some run: they are stopped, and the hidden ones are there. */
static void test_back_to_all_stop(struct fake *f) {
    struct client *c = begin(f);
    ask(c, "?");
    CHECK_STR(ask(c, "vStopped"), "OK");
    CHECK_STR(ask(c, "vCont;c:p1.1"), "OK");
    CHECK_STR(ask(c, "QNonStop:1"), "OK");
    CHECK(f->process[0].running);
    CHECK_STR(ask(c, "QNonStop:0"), "OK");
    CHECK(f->process[0].interrupted);
    CHECK_STR(ask(c, "qfThreadInfo"), "<none>");
    fake_step(f, 1);
    CHECK(strstr(awaited(c), "mp1.1,p2.1"));
    CHECK_STR(notified(c), "<none>");
    CHECK_STR(ask(c, "vCont;c"), "<none>");
    CHECK(f->process[0].running && f->process[1].running);
    fake_tell_point(f, 2, GDB_SWBREAK, 0);
    fake_step(f, 1);
    CHECK(strstr(awaited(c), "T05") && strstr(c->text, "thread:p2.1;"));
    client_free(c);
}

static void in_a_world(void (*test)(struct fake *)) {
    struct gdb_target target;
    struct fake *f = world_open(&target);
    test(f);
    world_close(f);
}

int main(void) {
    struct gdb_target target;
    struct fake *f = world_open(&target);
    struct client *c = begin(f);
    test_connect(c);
    test_apart(c);
    test_pause(c);
    test_stop(c);
    test_end(c);
    client_free(c);
    world_close(f);
    in_a_world(test_gone);
    in_a_world(test_follow);
    in_a_world(test_run);
    in_a_world(test_back_to_all_stop);
    return unit_end();
}
