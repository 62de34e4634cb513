/* Mode following, packet by packet as gdb 13 sends them, and files (vFile). */
#include "tests/unit/test_stub_client.h"

#include <sys/stat.h>

#define LABEL_32 "2f6370752f33322d626974" /* /cpu/32-bit */
#define LABEL_64 "2f6370752f36342d626974"
static const char exec_32[] = "T05exec:" LABEL_32 ";thread:p1.1;";
static const char exec_64[] = "T05exec:" LABEL_64 ";thread:p1.1;";
static const char stop_32[] = "T054:00010000;5:00010000;8:00100000;thread:p1.1;";

/* In no-ack mode, up to where both processes stand still. */
static struct client *begin(struct fake *f) {
    struct client *c = client_new(f);
    CHECK(strstr(ask(c, "qSupported:multiprocess+;swbreak+;hwbreak+;exec-events+"), "exec-events+"));
    CHECK_STR(ask(c, "QStartNoAckMode"), "OK");
    client_packet(c);
    c->acks = false;
    return c;
}

static bool has_description(struct client *c) {
    return ask(c, "qXfer:features:read:target.xml:0,20")[0] == 'm';
}

/* The first stop is an exec; the answer to gdb's vCont;c is there before it comes. */
static void connect_gdb(struct client *c) {
    CHECK_STR(ask(c, "qXfer:features:read:target.xml:0,20"), "E01");
    CHECK_STR(ask(c, "?"), exec_32);
    CHECK(strstr(ask(c, "qXfer:threads:read::0,1000"), "p1.1"));
    CHECK(has_description(c));
    client_send(c, "vCont?", 6);
    CHECK(strstr(c->received, "$vCont;c;C;s;S;t;r#"));
    CHECK_STR(client_packet(c), stop_32);
    CHECK_STR(ask(c, "vCont;c:p1.-1"), "<none>");
    CHECK(!c->fake->process[0].running);
}

/* The first resume: the second process has its exec, then the user's step goes on. */
static void first_resume(struct client *c) {
    CHECK_STR(ask(c, "vCont;s:p1.1;c:p1.-1"), "T05exec:" LABEL_32 ";thread:p2.1;");
    CHECK(has_description(c));
    CHECK_STR(ask(c, "vCont;c:p2.-1"), "<none>");
    CHECK(c->fake->process[0].running && c->fake->process[0].action.how == GDB_STEP);
    CHECK(!c->fake->process[1].running);
    fake_tick(c->fake);
    CHECK(strstr(awaited(c), "thread:p1.1;"));
}

static const char *next_stop(struct client *c, bool long_mode, const char *resume) {
    ask(c, resume);
    c->fake->process[0].long_mode = long_mode;
    fake_tick(c->fake);
    return awaited(c);
}

/* A step: g keeps its layout until the new description is read, then T00. */
static void test_step(struct client *c) {
    ask(c, "Z0,1500,1");
    CHECK_STR(next_stop(c, true, "vCont;s:p1.1;c:p1.-1"), exec_64);
    CHECK(!fake_point_at(&c->fake->process[0], 0x1500));
    CHECK(strlen(ask(c, "g")) == 2 * FAKE_G_BYTES);
    CHECK(has_description(c));
    CHECK(strlen(ask(c, "g")) == 32);
    unsigned resumed = c->fake->process[0].resumed;
    CHECK(strstr(ask(c, "vCont;c:p1.-1"), "T00") != NULL);
    CHECK(c->fake->process[0].resumed == resumed);
    CHECK(strstr(next_stop(c, true, "vCont;s:p1.1;c:p1.-1"), "T051:"));
}

/* Back, by a breakpoint: that is told afterwards as what it is. */
static void test_breakpoint(struct client *c) {
    ask(c, "vCont;c:p1.-1");
    c->fake->process[0].long_mode = false;
    fake_tell_point(c->fake, 1, GDB_SWBREAK, 0);
    CHECK_STR(awaited(c), exec_32);
    CHECK(has_description(c));
    CHECK(strstr(ask(c, "vCont;c:p1.-1"), "T05") && strstr(c->text, "swbreak:;"));
}

/* A step onto a breakpoint, which gdb inserts again after the exec. */
static void test_step_to_breakpoint(struct client *c) {
    char insert[32];
    CHECK_STR(next_stop(c, true, "vCont;s:p1.1;c:p1.-1"), exec_64);
    CHECK(has_description(c));
    /* the fake's wide description gives its pc from register 1 */
    snprintf(insert, sizeof insert, "Z0,%x,1", c->fake->process[0].registers[1]);
    CHECK_STR(ask(c, insert), "OK");
    CHECK(strstr(ask(c, "vCont;c:p1.-1"), "T05") && strstr(c->text, "swbreak:;"));
    insert[0] = 'z';
    ask(c, insert);
}

/* gdb compares with a value that it read after the write: so no watchpoint. */
static void test_watchpoint(struct client *c) {
    ask(c, "vCont;c:p1.-1");
    c->fake->process[0].long_mode = false;
    fake_tell_point(c->fake, 1, GDB_WATCH, 0x1234);
    CHECK_STR(awaited(c), exec_32);
    CHECK(has_description(c));
    CHECK(strstr(ask(c, "vCont;c:p1.-1"), "T00") && !strstr(c->text, "watch"));
}

/* `catch exec`: the user's next command is a new one. */
static void test_catch(struct client *c) {
    CHECK_STR(next_stop(c, true, "vCont;s:p1.1;c:p1.-1"), exec_64);
    CHECK(has_description(c));
    CHECK(strstr(ask(c, "qXfer:threads:read::0,1000"), "p1.1"));
    unsigned resumed = c->fake->process[0].resumed;
    CHECK_STR(ask(c, "vCont;c:p1.-1"), "<none>");
    CHECK(c->fake->process[0].resumed == resumed + 1);
    c->fake->process[0].long_mode = false;
    fake_tell(c->fake, 1, GDB_SIGNAL_TRAP);
    CHECK_STR(awaited(c), exec_32);
    CHECK(has_description(c));
    CHECK_STR(ask(c, "vCont;s:p1.1;c:p1.-1"), "<none>"); /* a step is the user's too */
    fake_tick(c->fake);
    CHECK(strstr(awaited(c), "T054:"));
}

/* With no mode following one description stays, whatever the CPU does. */
static void test_fixed(struct fake *f) {
    struct client *c = client_gdb(f);
    CHECK(has_description(c));
    CHECK_STR(ask(c, "?"), stop_32);
    CHECK(strstr(next_stop(c, true, "vCont;s:p1.1"), "thread:p1.1;"));
    CHECK(strlen(ask(c, "g")) == 2 * FAKE_G_BYTES);
    f->process[0].long_mode = false;
    client_free(c);
}

/* With acks nothing is sent before it is asked for. */
static void test_acks(struct fake *f) {
    struct client *c = client_new(f);
    ask(c, "qSupported:multiprocess+;exec-events+");
    CHECK(strstr(ask(c, "?"), "exec:"));
    CHECK(has_description(c));
    CHECK_STR(ask(c, "vCont?"), "vCont;c;C;s;S;t;r");
    CHECK(strstr(ask(c, "vCont;c:p1.-1"), "thread:p1.1;"));
    client_free(c);
}

/* vRun and vAttach: gdb reads the description by itself, so no exec. */
static void test_run(struct client *c) {
    CHECK_STR(ask(c, "vRun;" LABEL_64), "T05thread:p1.1;");
    CHECK(has_description(c));
    CHECK_STR(ask(c, "D;2"), "OK");
    ask(c, "vAttach;2");
    fake_tick(c->fake);
    CHECK(strstr(awaited(c), "T05thread:p2.1;"));
    CHECK(has_description(c));
    CHECK_STR(ask(c, "Hgp1.1"), "OK");
}

/* --- libraries -------------------------------------------------------------------- */

static void test_libraries(struct client *c) {
    CHECK(strstr(ask(c, "qXfer:libraries:read::0,1000"), "<library-list>\n</library-list>"));
    c->fake->libraries = 1;
    CHECK_STR(next_stop(c, false, "vCont;s:p1.1"), "T05library:;thread:p1.1;");
    CHECK_STR(ask(c, "qXfer:libraries:read::0,1000"),
              "l<library-list>\n<library name=\"/images/&lt;user&gt;\"><segment "
              "address=\"0x1000\"/></library>\n</library-list>\n");
    unsigned resumed = c->fake->process[0].resumed;
    CHECK(strstr(ask(c, "vCont;s:p1.1"), "T054:")); /* gdb goes on with its step */
    CHECK(c->fake->process[0].resumed == resumed);
    CHECK_STR(next_stop(c, true, "vCont;s:p1.1"), exec_64);
    CHECK(has_description(c));
    CHECK_STR(ask(c, "vCont;c:p1.-1"), "T05library:;thread:p1.1;");
    CHECK(strstr(ask(c, "vCont;c:p1.-1"), "T00"));
    CHECK_STR(ask(c, "qXfer:libraries:read:x:0,1000"), "E01");
    c->fake->libraries = 1000; /* the rest is left out */
    CHECK(ask(c, "qXfer:libraries:read::0,1000")[0] == 'm');
    c->fake->libraries = 0;
    ask(c, "qXfer:libraries:read::0,1000");
}

/* --- tables ------------------------------------------------------------------------- */

static void test_tables(struct client *c) {
    static char whole[4 << 20];
    size_t length = 0, rows = 0;
    char request[64];
    CHECK(strstr(ask(c, "qXfer:osdata:read::0,1000"),
                 "<item><column name=\"Type\">gdt</column><column name=\"Description\">"
                 "&lt;segments&gt; &amp; &quot;gates&quot;</column></item>"));
    CHECK(strstr(ask(c, "qXfer:osdata:read:gdt:0,1000"), "code &amp; &lt;data&gt;</column></item>"));
    CHECK_STR(ask(c, "qXfer:osdata:read:none:0,1000"), "E01");
    CHECK_STR(ask(c, "qXfer:osdata:read:gdt:1000,1000"), "E01");
    CHECK_STR(ask(c, "qXfer:osdata:read:gdt"), "E01");
    do {
        snprintf(request, sizeof request, "qXfer:osdata:read:big:%zx,ff00", length);
        strcpy(whole + length, ask(c, request) + 1);
        length += strlen(whole + length);
    } while (c->text[0] == 'm' && length < sizeof whole / 2);
    CHECK(c->text[0] == 'l' && strstr(whole + length - 12, "</osdata>\n"));
    for (char *at = whole; (at = strstr(at, "<item>")); at++)
        rows++;
    CHECK(rows == 20000);
}

/* --- files ------------------------------------------------------------------------ */

static const char *open_file(struct client *c, const char *path, const char *flags) {
    char packet[1024] = "vFile:open:";
    for (const char *p = path; *p; p++)
        snprintf(packet + strlen(packet), 3, "%02x", (unsigned char)*p);
    strcat(packet, flags);
    return ask(c, packet);
}

static void test_label(struct client *c) {
    CHECK_STR(ask(c, "vFile:setfs:0"), "F0");
    CHECK_STR(open_file(c, "/cpu/16-bit real mode", ",0,0"), "F0");
    CHECK_STR(ask(c, "vFile:pread:0,1000,0"), "F1e;S00600004844521B\r\nS9030000FC\r\n");
    CHECK_STR(ask(c, "vFile:pread:0,4,1a"), "F4;FC\r\n");
    CHECK_STR(ask(c, "vFile:pread:0,1000,1e"), "F0;");
    CHECK_STR(ask(c, "vFile:pread:0,1000,7fffffffffffffff"), "F0;");
    CHECK(!strncmp(ask(c, "vFile:fstat:0"), "F40;", 4));
    CHECK_STR(ask(c, "vFile:close:0"), "F0");
    CHECK_STR(ask(c, "vFile:close:0"), "F-1,9");
    CHECK_STR(ask(c, "vFile:pread:0,1,0"), "F-1,9");
    CHECK_STR(ask(c, "vFile:fstat:ffffffffffffffff"), "F-1,9");
    CHECK_STR(ask(c, "vFile:pread:0,1,ffffffffffffffff"), "F-1,16");
    CHECK_STR(ask(c, "vFile:pread:0,1"), "F-1,16");
    CHECK_STR(ask(c, "vFile:open:2f6,0,0"), "F-1,16");
    CHECK_STR(ask(c, "vFile:open:2f0061,0,0"), "F-1,16");
    CHECK_STR(ask(c, "vFile:readlink:2f61"), "F-1,16");
    CHECK_STR(ask(c, "vFile:unlink:2f61"), "F-1,1e");
    CHECK_STR(ask(c, "vFile:pwrite:0,0,a"), "F-1,1e");
    CHECK_STR(open_file(c, "/cpu/", ",0,0"), "F-1,2");
    CHECK_STR(open_file(c, "/cpu/../etc/passwd", ",0,0"), "F-1,2");
}

static const char *readable(struct client *c, const char *path) {
    snprintf(c->fake->readable, sizeof c->fake->readable, "%s", path);
    return open_file(c, path, ",0,1c0");
}

/* Even what the target allows is no link, directory or device. */
static void test_paths(struct client *c) {
    char folder[] = "/tmp/test-stub-XXXXXX", file[64], link[64], pipe[64], path[160];
    CHECK(mkdtemp(folder) != NULL);
    snprintf(file, sizeof file, "%s/image", folder);
    snprintf(link, sizeof link, "%s/link", folder);
    snprintf(pipe, sizeof pipe, "%s/pipe", folder);
    FILE *out = fopen(file, "w");
    fputs("ELF}#$*", out);
    fclose(out);
    CHECK(!symlink(file, link) && !mkfifo(pipe, 0600));
    CHECK_STR(open_file(c, file, ",0,0"), "F-1,2");
    CHECK_STR(readable(c, file), "F0");
    CHECK_STR(ask(c, "vFile:pread:0,100,0"), "F7;ELF}]}\x03}\x04}\x0a");
    CHECK_STR(open_file(c, file, ",1,0"), "F-1,1e");
    CHECK_STR(open_file(c, file, ",601,1c0"), "F-1,1e");
    CHECK_STR(readable(c, link), "F-1,2");
    CHECK_STR(readable(c, pipe), "F-1,2");
    CHECK_STR(readable(c, folder), "F-1,2");
    CHECK_STR(readable(c, "/dev/zero"), "F-1,2");
    CHECK_STR(readable(c, "image"), "F-1,2");
    snprintf(path, sizeof path, "%s/../%s", folder, file + 5);
    CHECK_STR(readable(c, path), "F-1,2");
    unlink(file), unlink(link), unlink(pipe), rmdir(folder);
}

static void test_many_files(struct client *c) {
    for (unsigned i = 0; i < 1000; i++)
        open_file(c, "/cpu/x", ",0,0");
    CHECK_STR(open_file(c, "/cpu/x", ",0,0"), "F-1,18");
    CHECK_STR(ask(c, "vFile:close:3f"), "F0");
    CHECK_STR(open_file(c, "/cpu/x", ",0,0"), "F3f");
}

/* Clients come, open files and tables, and go: nothing of them stays. */
static void test_rounds(struct fake *f) {
    int first = dup(0), last;
    close(first);
    for (unsigned i = 0; i < 500; i++) {
        struct client *c = begin(f);
        open_file(c, "/cpu/x", ",0,0");
        ask(c, "?");
        has_description(c);
        ask(c, "qXfer:osdata:read:big:0,10");
        client_free(c);
        for (int pid = 1; pid <= FAKE_PROCESSES; pid++)
            fake_halt(f, pid);
    }
    last = dup(0);
    close(last);
    CHECK(first == last);
}

int main(void) {
    struct gdb_target target;
    struct fake *f = world_open(&target);
    struct client *c = begin(f);
    connect_gdb(c);
    first_resume(c);
    test_step(c);
    test_breakpoint(c);
    test_step_to_breakpoint(c);
    test_watchpoint(c);
    test_catch(c);
    test_run(c);
    test_libraries(c);
    test_tables(c);
    test_label(c);
    test_paths(c);
    test_many_files(c);
    client_free(c);
    for (int pid = 1; pid <= 2; pid++)
        fake_tell(f, pid, GDB_SIGNAL_INT), f->process[pid - 1].registers[FAKE_PC] = FAKE_BASE;
    world_close(f);
    f = world_open(&target);
    test_fixed(f);
    world_close(f);
    f = world_open(&target);
    test_acks(f);
    world_close(f);
    f = world_open(&target);
    test_rounds(f);
    world_close(f);
    return unit_end();
}
