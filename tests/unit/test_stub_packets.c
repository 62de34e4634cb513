/* Every packet that does not resume, with good and bad arguments. */
#include "tests/unit/test_stub_client.h"

/* Packets whose answer does not depend on what was before. */
static const struct {
    const char *request, *answer;
} fixed[] = {
    {"?", "T05thread:p1.1;"},
    {"qC", "QCp1.1"},
    {"qAttached:1", "1"},
    {"qfThreadInfo", "mp1.1,p2.1"},
    {"qsThreadInfo", "l"},
    {"qThreadExtraInfo,p1.1", "72696e6730"},
    {"qThreadExtraInfo,p3.1", "E01"},
    {"Tp1.1", "OK"},
    {"Tp2.1", "OK"},
    {"Tp2.2", "E01"},
    {"Tp7fffffff.1", "E01"},
    {"Tp80000000.1", "E01"},
    {"Tp-2.1", "E01"},
    {"T", "E01"},
    {"T1;", "E01"},
    {"Hc-1", "OK"},
    {"Hcp0.0", "OK"},
    {"Hgp9.1", "E01"},
    {"Hx1", "E01"},
    {"H", "E01"},
    {"Hg", "E01"},
    {"qSymbol::", "OK"},
    {"qOffsets", ""},
    {"vMustReplyEmpty", ""},
    {"", ""},
    {"QPassSignals:e;10;14", "OK"},
    {"QPassSignals:", "OK"},
    {"QPassSignals:100", "E01"},
    {"QPassSignals:e,1", "E01"},
    {"QProgramSignals:0;1", "OK"},
    {"vCont?", "vCont;c;C;s;S;t;r"},
    {"vCont;x", "E01"},
    {"vCont;c:p1.1;", "E01"},
    {"vCont;", "E01"},
    {"vCont;r1000", "E01"},
    {"vCont;S100", "E01"},
    {"vCont;c:p9.1", "E01"},
    {"vCont;c:p1.1x", "E01"},
    {"vCont;t", "E01"},
    {"C", "E01"},
    {"c10000000000000000", "E01"},
    /* memory */
    {"m1000,4", "90909090"},
    {"m20ffe,10", "9090"},
    {"m0,1", "E01"},
    {"m21000,1", "E01"},
    {"mffffffffffffffff,ffffffffffffffff", "E01"},
    {"m10000000000000000,1", "E01"},
    {"m1000", "E01"},
    {"m1000,4,", "E01"},
    {"m,", "E01"},
    {"M1000,2:0102", "OK"},
    {"m1000,3", "010290"},
    {"M1000,2:909", "E01"},
    {"M1000,ffffffffffffffff:90", "E01"},
    {"M1000,8000000000000001:9090", "E01"},
    {"M1000,1:zz", "E01"},
    {"M1000,0:", "OK"},
    {"M20fff,2:9090", "E01"},
    {"X1000,0:", "OK"},
    {"X7c00,0:", "OK"},
    {"X1000,2:a", "E01"},
    {"X1000,ffffffffffffffff:a", "E01"},
    {"X0,1:a", "E01"},
    {"x0,1", "E01"},
    {"x20fff,ffffffffffffffff", "b\x90"},
    {"x1000,", "E01"},
    {"X1010,5:hallo", "OK"},
    {"qSearch:memory:1000;20000;hallo", "1,1010"},
    {"qSearch:memory:1000;14;hallo", "0"},
    {"qSearch:memory:1000;15;hallo", "1,1010"},
    {"qSearch:memory:1000;2;hallo", "0"},
    {"qSearch:memory:0;2000;hallo", "0"},
    {"qSearch:memory:1000;ffffffffffffffff;h", "E01"},
    {"qSearch:memory:1000;10;", "E01"},
    {"X10ffe,4:wxyz", "OK"},
    {"qSearch:memory:1000;20000;wxyz", "1,10ffe"},
    {"qCRC:1010,5", "C9a3bd6c7"},
    {"qCRC:1010,0", "Cffffffff"},
    {"qCRC:0,5", "E01"},
    {"qCRC:1000,ffffffffffffffff", "E01"},
    {"qCRC:1010", "E01"},
    {"QThreadEvents:1", "OK"},
    {"QThreadEvents:2", "E01"},
    {"qHostInfo", "triple:693338362d756e6b6e6f776e2d756e6b6e6f776e;endian:little;ptrsize:4;"},
    {"qProcessInfo",
     "pid:1;triple:693338362d756e6b6e6f776e2d756e6b6e6f776e;endian:little;ptrsize:4;"},
    /* points */
    {"Z0,1001,1", "OK"},
    {"z0,1001,1", "OK"},
    {"z0,1001,1", "E.no such point"},
    {"Z4,1001,10", "E.no point can be as wide as .... that"},
    {"Z5,1001,1", ""},
    {"Z0,1001,1;X3,220127", "OK"},
    {"Z0,1001,1;X3,220127X3,220027;cmds:0,X1,27", "OK"},
    {"Z1,1001,1;cmds:1,X1,27", "OK"},
    {"z0,1001,1", "OK"},
    {"z1,1001,1", "OK"},
    {"Z2,1001,1;X3,220127", "E01"},
    {"Z0,1001,1x", "E01"},
    {"Z0,1001,1;", "E.a condition or command is malformed"},
    {"Z0,1001,1;X4,220127", "E.a condition or command is malformed"},
    {"Z0,1001,1;X3,22zz27", "E.a condition or command is malformed"},
    {"Z0,1001,1;Xffffffffffffffff,22", "E.a condition or command is malformed"},
    {"Z0,1001,1;cmds:X3,220127", "E.a condition or command is malformed"},
    {"Z0,1001,1;X2,2201", "E.an expression runs past its end"},
    {"Z0,1001", "E01"},
    {"Z", "E01"},
    {"zffffffffffffffff,0,0", ""},
    /* registers */
    {"p8", "00100000"},
    {"p0", "00010000"},
    {"p20", "00000000"},
    {"p21", "xxxxxxxxxxxx"},
    {"p22", "E01"},
    {"pffffffffffffffff", "E01"},
    {"p", "E01"},
    {"P0=44332211", "OK"},
    {"p0", "44332211"},
    {"P0=443322", "E01"},
    {"P0=4433221", "E01"},
    {"P0=44332211aa", "E01"},
    {"P21=000000000000", "E01"},
    {"P22=00", "E01"},
    {"P=00", "E01"},
    {"G", "E01"},
    {"G00", "E01"},
    /* documents */
    {"qXfer:features:read:none.xml:0,10", "E01"},
    {"qXfer:features:read:target.xml:0,5", "m<?xml"},
    {"qXfer:features:read:target.xml:0", "E01"},
    {"qXfer:features:read:target.xml", "E01"},
    {"qXfer:features:read:target.xml:ffffffffffffffff,ffffffffffffffff", "E01"},
    {"qXfer:features:read:target.xml:2,0", "m"},
    {"qXfer:exec-file:read:1:0,1000", "l/images/hello}\x03"
                                      "1.elf"},
    {"qXfer:exec-file:read::8,5", "mhello"},
    {"qXfer:exec-file:read:2:0,1000", "E01"},
    {"qXfer:exec-file:read:ffffffff:0,1000", "E01"},
    {"qXfer:nonsense:read::0,1000", ""},
    /* processes */
    {"!", "OK"},
    {"vAttach;1", "E.this process is attached already; choose it with `inferior N`"},
    {"vAttach;9", "E.there is no such process; `info inferiors` lists them"},
    {"vAttach;", "E.there is no such process; `info inferiors` lists them"},
    {"D;9", "E.there is no such process; `info inferiors` lists them"},
    {"D1", "E.there is no such process; `info inferiors` lists them"},
    {"vKill;fffffffff", "E.there is no such process; `info inferiors` lists them"},
    {"vRun;zz", "E01"},
    {"vRun;;61", "E.a guest takes no arguments; `set args` to nothing and run again"},
    {"vRun;6d697373696e67", "E.no such image"},
    {"qRcmd,zz", "E01"},
    {"qRcmd,6", "E01"},
};

static void test_fixed(struct client *c) {
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        const char *answer = ask(c, fixed[i].request);
        unit_check(!strcmp(answer, fixed[i].answer), fixed[i].request, __FILE__, __LINE__);
        if (strcmp(answer, fixed[i].answer))
            fprintf(stderr, "    got '%s' for '%s'\n", answer, fixed[i].answer);
    }
}

static void test_supported(struct client *c) {
    const char *answer = ask(c, "qSupported"); /* in mid-session: what was said stays said */
    CHECK(!strncmp(answer, "PacketSize=20000;QStartNoAckMode+;", 34));
    CHECK(strstr(answer, ";multiprocess+") && strstr(answer, "error-message"));
    CHECK_STR(ask(c, "qC"), "QCp1.1");
    answer = ask(c, "qSupported:xmlRegisters=i386;multiprocess+;error-message+;swbreak+");
    CHECK(strstr(answer, ";error-message+") && strstr(answer, "ConditionalBreakpoints+"));
    CHECK(strstr(answer, "qXfer:threads:read+"));
}

static void test_registers(struct client *c) {
    char all[2 * FAKE_G_BYTES + 2] = "G";
    CHECK_STR(ask(c, "Hgp2.1"), "OK");
    CHECK_STR(ask(c, "p0"), "00020000");
    strcpy(all + 1, ask(c, "g"));
    CHECK(strlen(all) == 2 * FAKE_G_BYTES + 1);
    memcpy(all + 1, "78563412", 8);
    memcpy(all + 9, "xxxxxxxx", 8);
    CHECK_STR(ask(c, all), "OK");
    CHECK(c->fake->process[1].registers[0] == 0x12345678);
    CHECK(c->fake->process[1].registers[1] == 0x200);
    memcpy(all + 1, "00000000", 8);
    all[2 * FAKE_G_BYTES] = 'z'; /* wrong at the end: nothing is written */
    CHECK_STR(ask(c, all), "E01");
    CHECK(c->fake->process[1].registers[0] == 0x12345678);
    CHECK_STR(ask(c, "Hg0"), "OK");
}

/* The layout stays the one that was served. */
static void test_layout(struct client *c) {
    ask(c, "Hgp1.1");
    CHECK(strstr(ask(c, "qXfer:features:read:target.xml:0,1ffff"), "<architecture>i386<"));
    c->fake->process[0].long_mode = true;
    CHECK(strlen(ask(c, "g")) == 2 * FAKE_G_BYTES);
    CHECK_STR(ask(c, "p21"), "xxxxxxxxxxxx");
    CHECK(strstr(ask(c, "qXfer:features:read:target.xml:5,1ffff"), "<architecture>i386<"));
    CHECK(strstr(ask(c, "qXfer:features:read:target.xml:0,1ffff"), "<architecture>i386:x86-64<"));
    CHECK(strlen(ask(c, "g")) == 32);
    c->fake->process[0].long_mode = false;
    ask(c, "qXfer:features:read:target.xml:0,1ffff");
}

static void test_xml(struct client *c) {
    const char *xml = ask(c, "qXfer:features:read:target.xml:0,1ffff");
    CHECK(xml[0] == 'l' && strstr(xml, "<osabi>none</osabi>"));
    CHECK(strstr(xml,
                 "<flags id=\"fake_cr0\" size=\"4\">\n<field name=\"PE\" start=\"0\" end=\"0\"/>"));
    CHECK(strstr(xml, "<struct id=\"fake_gdtr\">\n<field name=\"limit\" type=\"uint16\"/>"));
    CHECK(strstr(xml, "<feature name=\"fake.system\">\n<flags"));
    CHECK(strstr(xml, "<reg name=\"cr0\" bitsize=\"32\" regnum=\"32\" type=\"fake_cr0\" "
                      "group=\"system\"/>"));
    CHECK(strstr(ask(c, "qXfer:threads:read::0,1ffff"),
                 "<thread id=\"p2.1\" name=\"vcpu2&lt;&amp;&gt;\">ring0</thread>"));
}

static void test_monitor(struct client *c) {
    ask(c, "qRcmd,68656c6c6f");
    CHECK_STR(c->received, "$O68656c6c6f2066726f6d2070310a#21$OK#9a");
    CHECK_STR(c->fake->monitor, "hello");
    CHECK_STR(ask(c, "qRcmd,6e6f7065"), "OK");
    CHECK(!strncmp(c->received, "$O756e6b6e6f776e20636f6d6d616e64", 32));
    CHECK_STR(ask(c, "qRcmd,"), "OK");
}

static void test_probe(struct client *c) {
    CHECK_STR(ask(c, "x1000,1"), "b\x01");
    CHECK_STR(ask(c, "x0,0"), "OK");
    CHECK_STR(ask(c, "x1000,1"), "\x01");
}

/* A read and a write that are as large as packets get. */
static void test_large(struct client *c) {
    CHECK(strlen(ask(c, "m1000,ffffffffffffffff")) == 0x20000);
    static char packet[0x20000];
    int head = snprintf(packet, sizeof packet, "M1000,f000:");
    memset(packet + head, '7', 0x1e000);
    CHECK_STR(ask(c, packet), "OK");
    CHECK(c->fake->process[0].memory[0xefff] == 0x77);
    CHECK(c->fake->process[0].memory[0xf000] == 0x90);
}

static void test_docs(void) {
    size_t count = 0, core = 0;
    struct gdb_packet_doc doc;
    for (; gdb_packet_doc(&gdb_tracepoints, count, &doc); count++)
        CHECK(doc.name && doc.note && doc.supported);
    while (gdb_packet_doc(NULL, core, &doc))
        core++;
    CHECK(core > 40 && count > core);
}

/* The core serves a client without the extension, and claims nothing of it. */
static void test_without_tracepoints(void) {
    struct gdb_target target;
    struct fake *f = world_open_with(&target, NULL);
    struct client *c = client_gdb(f);
    CHECK(!strstr(ask(c, "qSupported"), "race"));
    CHECK_STR(ask(c, "QTinit"), "");
    CHECK_STR(ask(c, "qTStatus"), "");
    CHECK_STR(ask(c, "m1000,2"), "9090");
    CHECK_STR(ask(c, "M1000,1:01"), "OK");
    CHECK_STR(ask(c, "P0=01000000"), "OK");
    CHECK_STR(ask(c, "Z0,1001,1;X3,220127"), "OK"); /* a condition that is true */
    CHECK_STR(ask(c, "z0,1001,1"), "OK");
    CHECK_STR(ask(c, "D"), "OK");
    client_free(c);
    world_close(f);
}

int main(void) {
    test_without_tracepoints();
    struct gdb_target target;
    struct fake *f = world_open(&target);
    struct client *c = client_gdb(f);
    test_supported(c);
    test_fixed(c);
    test_registers(c);
    test_layout(c);
    test_xml(c);
    test_monitor(c);
    test_probe(c);
    test_large(c);
    test_docs();
    client_free(c);
    world_close(f);
    return unit_end();
}
