/* Mode following, packet by packet as each kind of client sends them: see modes.c and
 * exec_file.c. `gdb -i=dap` and MI send what gdb's command line does. */
#include "tests/unit/test_stub_client.h"

#define LABEL_32 "2f6370752f33322d626974" /* /cpu/32-bit */
#define LABEL_64 "2f6370752f36342d626974"
static const char exec_32[] = "T05exec:" LABEL_32 ";thread:p1.1;";
static const char exec_64[] = "T05exec:" LABEL_64 ";thread:p1.1;";

enum version { GDB_13, GDB_16, GDB_18 };
static const char *const features[] = {
    [GDB_13] = "qSupported:multiprocess+;swbreak+;hwbreak+;exec-events+;xmlRegisters=i386",
    [GDB_16] = "qSupported:multiprocess+;swbreak+;hwbreak+;exec-events+;error-message+;"
               "xmlRegisters=i386",
    [GDB_18] = "qSupported:multiprocess+;swbreak+;hwbreak+;exec-events+;error-message+;"
               "single-inf-arg+;xmlRegisters=i386",
};
/* Where the client's exec file comes from. */
enum source { OURS, OWN, OWN_BUILD_ID, LOCAL_SYSROOT };

static char image[] = "/tmp/test-stub-XXXXXX";
static const char elf_32[] = "\177ELF\1\1\1";

/* The first process has this file. */
static void set_image(struct fake *f, const char *content) {
    FILE *out = fopen(image, "w");
    fputs(content, out);
    fclose(out);
    strcpy(f->exec_file, image);
    strcpy(f->readable, image);
}

static struct client *begin(struct fake *f, enum version version) {
    struct client *c = client_new(f);
    CHECK(strstr(ask(c, features[version]), "exec-events+"));
    if (version >= GDB_16)
        ask(c, "vCont?");
    CHECK_STR(ask(c, "QStartNoAckMode"), "OK");
    client_packet(c);
    c->acks = false;
    return c;
}

static bool has_description(struct client *c) {
    return ask(c, "qXfer:features:read:target.xml:0,20")[0] == 'm';
}

/* Opens, reads its first bytes, closes. */
static const char *first_bytes(struct client *c, const char *path) {
    static char bytes[16];
    char packet[256] = "vFile:open:";
    for (const char *p = path; *p; p++)
        snprintf(packet + strlen(packet), 3, "%02x", (unsigned char)*p);
    strcat(packet, ",0,0");
    const char *opened = ask(c, packet);
    if (!strncmp(opened, "F-1", 3))
        return "none";
    snprintf(packet, sizeof packet, "vFile:pread:%s,4,0", opened + 1);
    snprintf(bytes, sizeof bytes, "%s", ask(c, packet));
    packet[0] = 0;
    return bytes;
}

static const char *told_file(struct client *c, int pid) {
    static char path[256];
    char packet[64];
    snprintf(packet, sizeof packet, "qXfer:exec-file:read:%x:0,1000", pid);
    snprintf(path, sizeof path, "%s", ask(c, packet) + 1);
    return path;
}

/* The first open of an exec file has no architecture, the second one is the file. */
static void takes_file(struct client *c, int pid, const char *content) {
    const char *path = told_file(c, pid);
    CHECK_STR(first_bytes(c, path), "F4;S006");
    CHECK_STR(first_bytes(c, path), content);
    told_file(c, pid);
}

static void locates_file(struct client *c, enum source source) {
    if (source == OURS) {
        takes_file(c, 1, "F4;\177ELF");
        return;
    }
    told_file(c, 1);
    if (source == OWN_BUILD_ID) /* it finds no other build-id there */
        CHECK_STR(first_bytes(c, image), "F4;S006");
    if (source == LOCAL_SYSROOT)
        told_file(c, 1);
}

/* Up to the first prompt; no exec is told on the way. */
static void connect_gdb(struct client *c, enum version version, enum source source) {
    CHECK(has_description(c));
    ask(c, "QNonStop:0");
    CHECK_STR(ask(c, "?"), "T05thread:p1.1;");
    CHECK(strstr(ask(c, "qXfer:threads:read::0,1000"), "p1.1"));
    locates_file(c, source);
    if (version >= GDB_18)
        CHECK(has_description(c));
    if (version >= GDB_18) /* its second process, as well */
        takes_file(c, 2, "F4;S006");
    else
        told_file(c, 2);
    if (version >= GDB_18)
        CHECK(has_description(c));
    ask(c, version >= GDB_18 ? "Hg0" : "Hc-1");
}

/* It reads the registers, and the code at the pc. */
static void looks(struct client *c) {
    char packet[32];
    ask(c, "g");
    snprintf(packet, sizeof packet, "m%x,1", c->fake->process[0].registers[FAKE_PC]);
    ask(c, packet);
}

static const char *next_stop(struct client *c, bool long_mode, const char *resume) {
    ask(c, resume);
    c->fake->process[0].long_mode = long_mode;
    fake_tick(c->fake);
    return awaited(c);
}

static const char step[] = "vCont;s:p1.1;c:p1.-1", automatic[] = "vCont;c:p1.-1";

/* --- one that follows ---------------------------------------------------------------------- */

/* The first resume: a process whose description it has not read has its exec first. */
static void first_resume(struct client *c, enum version version) {
    if (version < GDB_18) {
        CHECK_STR(ask(c, step), "T05exec:" LABEL_32 ";thread:p2.1;");
        CHECK(has_description(c));
        CHECK_STR(ask(c, "vCont;c:p2.-1"), "<none>");
    } else {
        CHECK_STR(ask(c, step), "<none>");
    }
    CHECK(c->fake->process[0].running && c->fake->process[0].action.how == GDB_STEP);
    CHECK(!c->fake->process[1].running);
    fake_tick(c->fake);
    CHECK(strstr(awaited(c), "T054:") && strstr(c->text, "thread:p1.1;"));
}

/* What the label holds at an exec: for the architecture, and for the symbols. */
static void opens_label(struct client *c, enum version version, const char *label) {
    CHECK_STR(first_bytes(c, label), "F4;S006");
    CHECK_STR(first_bytes(c, label), version >= GDB_18 ? "F4;\n\n\n\n" : "F4;S006");
    CHECK_STR(first_bytes(c, label), "F4;S006");
}

/* A step: g keeps its layout until the new description is read, then T00. Nothing is
 * sent along in a layout that the client may reject. */
static void test_step(struct client *c, enum version version) {
    ask(c, "Z0,1500,1");
    CHECK_STR(next_stop(c, true, step), exec_64);
    CHECK(!fake_point_at(&c->fake->process[0], 0x1500));
    CHECK(strlen(ask(c, "g")) == 2 * FAKE_G_BYTES);
    opens_label(c, version, "/cpu/64-bit");
    CHECK(has_description(c));
    CHECK(strlen(ask(c, "g")) == 32);
    unsigned resumed = c->fake->process[0].resumed;
    CHECK_STR(ask(c, automatic), "T00thread:p1.1;");
    CHECK(c->fake->process[0].resumed == resumed);
    /* the fake's wide description gives its pc from register 1 */
    char packet[32];
    ask(c, "g");
    snprintf(packet, sizeof packet, "m%x,1", c->fake->process[0].registers[1]);
    ask(c, packet);
    CHECK(strstr(next_stop(c, true, step), "T051:"));
}

/* Back, by a breakpoint: that is told afterwards as what it is. */
static void test_breakpoint(struct client *c) {
    ask(c, automatic);
    c->fake->process[0].long_mode = false;
    fake_tell_point(c->fake, 1, GDB_SWBREAK, 0);
    CHECK_STR(awaited(c), exec_32);
    CHECK(has_description(c));
    CHECK_STR(ask(c, automatic), "T05thread:p1.1;swbreak:;");
}

/* A step onto a breakpoint, which gdb inserts again after the exec. */
static void test_step_to_breakpoint(struct client *c) {
    char insert[32];
    CHECK_STR(next_stop(c, true, step), exec_64);
    CHECK(has_description(c));
    snprintf(insert, sizeof insert, "Z0,%x,1", c->fake->process[0].registers[1]);
    CHECK_STR(ask(c, insert), "OK");
    CHECK_STR(ask(c, automatic), "T05thread:p1.1;swbreak:;");
    insert[0] = 'z';
    ask(c, insert);
}

/* gdb compares with a value that it read after the write: so no watchpoint. */
static void test_watchpoint(struct client *c) {
    ask(c, automatic);
    c->fake->process[0].long_mode = false;
    fake_tell_point(c->fake, 1, GDB_WATCH, 0x1234);
    CHECK_STR(awaited(c), exec_32);
    CHECK(has_description(c));
    CHECK(strstr(ask(c, automatic), "T00") && !strstr(c->text, "watch"));
}

/* `catch exec`: the user's next command is a new one. */
static void test_catch(struct client *c) {
    CHECK_STR(next_stop(c, true, step), exec_64);
    CHECK(has_description(c));
    CHECK(strstr(ask(c, "qXfer:threads:read::0,1000"), "p1.1"));
    unsigned resumed = c->fake->process[0].resumed;
    CHECK_STR(ask(c, automatic), "<none>");
    CHECK(c->fake->process[0].resumed == resumed + 1);
    c->fake->process[0].long_mode = false;
    fake_tell(c->fake, 1, GDB_SIGNAL_TRAP);
    CHECK_STR(awaited(c), exec_32);
    CHECK(has_description(c));
    CHECK_STR(ask(c, step), "<none>"); /* a step is the user's too */
    fake_tick(c->fake);
    CHECK(strstr(awaited(c), "T05thread:p1.1;"));
}

/* `maintenance packet qSupported` takes nothing back. */
static void test_supported_again(struct client *c) {
    CHECK(strstr(ask(c, "qSupported"), "exec-events+"));
    CHECK_STR(next_stop(c, true, step), exec_64);
    CHECK(has_description(c));
    ask(c, automatic);
    CHECK_STR(next_stop(c, false, step), exec_32);
    CHECK(has_description(c));
    ask(c, automatic);
}

/* vRun: its file is still ours, and it reads the description by itself. vAttach: which file
 * it has in that inferior is unknown, unless it asks. */
static void test_run(struct client *c, enum version version) {
    CHECK_STR(ask(c, "vRun;" LABEL_64), "T05thread:p1.1;");
    CHECK(has_description(c));
    CHECK_STR(ask(c, step), "<none>");
    fake_tick(c->fake);
    CHECK(strstr(awaited(c), "thread:p1.1;"));
    CHECK_STR(ask(c, "D;1"), "OK");
    ask(c, "vAttach;1");
    fake_tick(c->fake);
    CHECK_STR(awaited(c), "T05thread:p1.1;");
    takes_file(c, 1, "F4;\177ELF");
    CHECK(has_description(c));
    ask(c, "Hgp1.1");
    CHECK_STR(ask(c, step), "<none>");
    fake_tick(c->fake);
    CHECK(strstr(awaited(c), "thread:p1.1;"));
    CHECK_STR(ask(c, "D;1"), "OK");
    ask(c, "vAttach;1");
    fake_tick(c->fake);
    awaited(c);
    CHECK(has_description(c));
    CHECK_STR(ask(c, step), exec_32);
    opens_label(c, version, "/cpu/32-bit");
    CHECK(has_description(c));
    CHECK_STR(ask(c, automatic), "<none>");
    fake_tick(c->fake);
    awaited(c);
}

static void test_libraries(struct client *c) {
    CHECK(strstr(ask(c, "qXfer:libraries:read::0,1000"), "<library-list>\n</library-list>"));
    c->fake->libraries = 1;
    CHECK_STR(next_stop(c, false, "vCont;s:p1.1"), "T05library:;thread:p1.1;");
    CHECK_STR(ask(c, "qXfer:libraries:read::0,1000"),
              "l<library-list>\n<library name=\"/images/&lt;user&gt;\"><segment "
              "address=\"0x1000\"/></library>\n</library-list>\n");
    unsigned resumed = c->fake->process[0].resumed;
    CHECK(strstr(ask(c, "vCont;s:p1.1"), "T05")); /* gdb goes on with its step */
    CHECK(c->fake->process[0].resumed == resumed);
    CHECK_STR(next_stop(c, true, "vCont;s:p1.1"), exec_64);
    CHECK(has_description(c));
    CHECK_STR(ask(c, automatic), "T05library:;thread:p1.1;");
    CHECK(strstr(ask(c, automatic), "T00"));
    CHECK_STR(ask(c, "qXfer:libraries:read:x:0,1000"), "E01");
    c->fake->libraries = 1000; /* the rest is left out */
    CHECK(ask(c, "qXfer:libraries:read::0,1000")[0] == 'm');
    c->fake->libraries = 0;
    ask(c, "qXfer:libraries:read::0,1000");
}

/* One that is for an architecture is there when the description says that, and tells of itself
 * only when it comes: an exec takes it away. */
static void test_libraries_of_an_architecture(struct client *c) {
    c->fake->libraries = 1;
    c->fake->library_architecture = "i386";
    CHECK(strstr(ask(c, "qXfer:libraries:read::0,1000"), "<library-list>\n</library-list>"));
    CHECK_STR(next_stop(c, false, "vCont;s:p1.1"), exec_32);
    CHECK(has_description(c));
    CHECK_STR(ask(c, automatic), "T05library:;thread:p1.1;");
    CHECK(strstr(ask(c, "qXfer:libraries:read::0,1000"), "address=\"0x1000\""));
    CHECK(strstr(ask(c, automatic), "T00"));
    CHECK_STR(next_stop(c, true, "vCont;s:p1.1"), exec_64);
    CHECK(has_description(c));
    CHECK(strstr(ask(c, automatic), "T00"));
    CHECK(strstr(ask(c, "qXfer:libraries:read::0,1000"), "<library-list>\n</library-list>"));
    c->fake->libraries = 0;
    c->fake->library_architecture = NULL;
}

static void test_follower(struct fake *f, enum version version) {
    set_image(f, elf_32);
    struct client *c = begin(f, version);
    connect_gdb(c, version, OURS);
    looks(c);
    first_resume(c, version);
    test_step(c, version);
    test_breakpoint(c);
    test_step_to_breakpoint(c);
    test_watchpoint(c);
    test_catch(c);
    test_supported_again(c);
    test_run(c, version);
    test_libraries(c);
    test_libraries_of_an_architecture(c);
    client_free(c);
}

/* --- one with a file of its own -----------------------------------------------------------------
 */

/* The registers at its first prompt: so few in `g`, and unavailable, that it asks for the pc,
 * by the number that this has in the layout that it believes in. */
static void probe(struct client *c, bool wide) {
    CHECK_STR(ask(c, "g"), "xxxxxxxxxxxxxxxx");
    if (wide) { /* the fake's wide description gives its pc from register 1 */
        CHECK(strlen(ask(c, "p1")) == 16);
        CHECK(strlen(ask(c, "g")) == 16);
    } else {
        CHECK(strlen(ask(c, "p8")) == 8);
        CHECK_STR(ask(c, "g"), "0001000000010000"); /* no longer than it was */
    }
}

static unsigned anew(struct client *c) {
    const char *comment = strstr(ask(c, "qXfer:features:read:target.xml:0,ffff"), "<!-- ");
    return comment ? (unsigned)atoi(comment + 5) : 0;
}

/* Its exec comes first, then the libraries if there are any, then the step that the user
 * wanted: T00, since gdb has forgotten it. */
static void test_own_file(struct fake *f, enum version version, enum source source) {
    set_image(f, elf_32);
    struct client *c = begin(f, version);
    connect_gdb(c, version, source);
    unsigned before = anew(c);
    probe(c, false);
    f->libraries = source == OWN_BUILD_ID;
    CHECK_STR(ask(c, step), exec_32);
    opens_label(c, version, "/cpu/32-bit");
    CHECK(anew(c) == before + 1); /* so gdb has no such layout yet */
    CHECK(strlen(ask(c, "g")) == 2 * FAKE_G_BYTES);
    CHECK(!f->process[0].running);
    const char *next = ask(c, automatic);
    if (f->libraries) {
        CHECK_STR(next, "T05library:;thread:p1.1;");
        ask(c, "qXfer:libraries:read::0,1000");
        next = ask(c, automatic);
    }
    if (version < GDB_18) {
        CHECK_STR(next, "T05exec:" LABEL_32 ";thread:p2.1;");
        CHECK(has_description(c));
        next = ask(c, "vCont;c:p2.-1");
    }
    CHECK_STR(next, "<none>");
    CHECK(f->process[0].running && f->process[0].action.how == GDB_STEP);
    f->libraries = source == OWN_BUILD_ID;
    fake_tick(f);
    CHECK(strstr(awaited(c), "T00") && strstr(c->text, "thread:p1.1;"));
    CHECK_STR(ask(c, step), "<none>");
    fake_tick(f);
    CHECK(strstr(awaited(c), "T05"));
    client_free(c);
    f->libraries = 0;
}

/* One of the other word size: gdb has rejected the description, and has its own layout. */
static void test_own_wide_file(struct fake *f, enum version version) {
    set_image(f, elf_32);
    struct client *c = begin(f, version);
    connect_gdb(c, version, OWN);
    probe(c, true);
    CHECK_STR(ask(c, "p2"), "E01");
    CHECK_STR(ask(c, step), exec_32);
    CHECK(has_description(c));
    CHECK(strlen(ask(c, "g")) == 2 * FAKE_G_BYTES);
    client_free(c);
}

/* `file` later on: it closes the one that it has from us; but not in an exec. */
static void test_file_later(struct fake *f, enum version version) {
    set_image(f, elf_32);
    struct client *c = begin(f, version);
    connect_gdb(c, version, OURS);
    ask(c, "D;2");
    looks(c);
    CHECK(strstr(next_stop(c, false, step), "T05"));
    CHECK_STR(ask(c, "vFile:close:40"), "F0");
    CHECK_STR(ask(c, step), exec_32);
    CHECK_STR(first_bytes(c, "/cpu/32-bit"), "F4;S006");
    CHECK_STR(ask(c, "vFile:close:40"), "F0");
    CHECK(has_description(c));
    CHECK_STR(ask(c, automatic), "<none>");
    fake_tick(f);
    CHECK(strstr(awaited(c), "T00"));
    CHECK_STR(ask(c, step), "<none>");
    fake_tick(f);
    awaited(c);
    client_free(c);
}

/* --- one that does not, or can't
 * ------------------------------------------------------------------- */

/* `set architecture` to another word size: it never looks where the pc is. */
static void test_rejected(struct fake *f, enum version version) {
    set_image(f, elf_32);
    struct client *c = begin(f, version);
    connect_gdb(c, version, OURS);
    ask(c, "D;2");
    ask(c, "g");
    ask(c, "m0,1");
    ask(c, "m1000,1"); /* which the user typed */
    CHECK_STR(next_stop(c, false, step), "T05thread:p1.1;");
    CHECK_STR(next_stop(c, true, step), exec_64);
    CHECK(has_description(c));
    CHECK_STR(ask(c, automatic), "T00thread:p1.1;");
    client_free(c);
    f->process[0].long_mode = false;
}

/* `set tdesc filename`: only the registers that stand first everywhere are told, always the
 * same ones, and no exec. What it asks for later it gets. */
static void test_own_description(struct fake *f, enum version version) {
    set_image(f, elf_32);
    struct client *c = begin(f, version);
    CHECK_STR(ask(c, "?"), "T05thread:p1.1;");
    takes_file(c, 1, "F4;\177ELF");
    CHECK(strlen(ask(c, "g")) == 2 * 64);
    CHECK_STR(ask(c, "p10"), "xx");
    CHECK_STR(ask(c, "pff"), "xx");
    CHECK(strstr(ask(c, "P10=00000000000000000000"), "E.this client numbers registers"));
    CHECK_STR(ask(c, "P0=78563412"), "OK");
    CHECK_STR(next_stop(c, true, step), "T05thread:p1.1;");
    CHECK(strlen(ask(c, "g")) == 2 * 64);
    CHECK(has_description(c)); /* `unset tdesc filename` */
    CHECK(strlen(ask(c, "g")) == 32);
    CHECK(!strstr(next_stop(c, true, step), "exec"));
    client_free(c);
    f->process[0].long_mode = false;
}

/* lldb, and other clients: one description stays, whatever the CPU does. */
static void test_fixed(struct fake *f) {
    set_image(f, elf_32);
    struct client *c = client_gdb(f);
    CHECK(has_description(c));
    CHECK_STR(ask(c, "?"), "T054:00010000;5:00010000;8:00100000;thread:p1.1;");
    CHECK_STR(first_bytes(c, told_file(c, 1)), "F4;\177ELF");
    CHECK(strstr(next_stop(c, true, "vCont;s:p1.1"), "thread:p1.1;"));
    CHECK(strlen(ask(c, "g")) == 2 * FAKE_G_BYTES);
    client_free(c);
    f->process[0].long_mode = false;
}

/* --- non-stop
 * ------------------------------------------------------------------------------------------ */

static void test_nonstop(struct fake *f, enum version version, enum source source) {
    set_image(f, elf_32);
    struct client *c = begin(f, version);
    CHECK(has_description(c));
    ask(c, "QNonStop:1");
    ask(c, "qXfer:threads:read::0,1000");
    locates_file(c, source);
    f->libraries = 1; /* no event of those in reply to this: it reads them by itself */
    CHECK_STR(ask(c, "?"), "T05thread:p1.1;");
    f->libraries = 0;
    ask(c, "qXfer:libraries:read::0,1000");
    CHECK_STR(ask(c, "vStopped"), "OK");
    ask(c, "vCont;s:p1.1");
    if (source == OURS) {
        CHECK(f->process[0].running);
    } else {
        CHECK(strstr(c->received, "%Stop:T05exec:" LABEL_32));
        CHECK_STR(ask(c, "vStopped"), "OK");
        CHECK(has_description(c));
        CHECK_STR(ask(c, "vCont;c:p1.1"), "OK");
    }
    f->process[0].long_mode = true;
    fake_tick(f);
    awaited(c);
    CHECK(strstr(c->received, "%Stop:T05exec:" LABEL_64));
    ask(c, "vStopped");
    CHECK(has_description(c));
    ask(c, "vCont;c:p1.1");
    CHECK(strstr(c->received, "%Stop:T00thread:p1.1;"));
    client_free(c);
    f->process[0].long_mode = false;
}

static void in_world(void (*test)(struct fake *, enum version), enum version version) {
    struct gdb_target target;
    struct fake *f = world_open(&target);
    test(f, version);
    world_close(f);
}

static void halt_all(struct fake *f) {
    for (int pid = 1; pid <= FAKE_PROCESSES; pid++)
        fake_halt(f, pid);
}

static void with_own_files(struct fake *f, enum version version) {
    for (enum source source = OWN; source <= LOCAL_SYSROOT; source++) {
        test_own_file(f, version, source);
        halt_all(f);
    }
}

static void in_nonstop(struct fake *f, enum version version) {
    test_nonstop(f, version, OURS);
    halt_all(f);
    test_nonstop(f, version, OWN);
}

static void without_exec_events(struct fake *f, enum version version) {
    (void)version;
    test_fixed(f);
}

int main(void) {
    static void (*const tests[])(struct fake *, enum version) = {
        test_follower, with_own_files,       test_own_wide_file, test_file_later,
        test_rejected, test_own_description, in_nonstop};
    close(mkstemp(image));
    for (enum version version = GDB_13; version <= GDB_18; version++)
        for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
            in_world(tests[i], version);
    in_world(without_exec_events, GDB_13);
    unlink(image);
    return unit_end();
}
