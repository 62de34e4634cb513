/* Every row of the table of packets, as `minikvm --list-packets` prints it: one that is
 * supported has an example here, an exchange that shows it; a packet of one that is
 * not gets the empty reply. A new row without an example fails.
 */
#include "tests/unit/test_stub_client.h"

enum { STEPS = 8 };

/* Steps: packets, or "!word" for what happens beside them. What comes after the last
 * one is a packet that begins with `answer`, or holds it behind a '*'. */
static const struct example {
    const char *row, *answer, *steps[STEPS];
} examples[] = {
    {"?", "T05thread:p1.1;", {"?"}},
    {"!", "OK", {"!"}},
    {"g", "00010000", {"g"}},
    {"G", "78563412", {"!G", "g"}},
    {"p", "00100000", {"p8"}},
    {"P", "44332211", {"P0=44332211", "p0"}},
    {"m", "90909090", {"m1000,4"}},
    {"M", "010290", {"M1000,2:0102", "m1000,3"}},
    {"x", "b\x90", {"x1000,1"}},
    {"X", "6162", {"X1000,2:ab", "m1000,2"}},
    {"Z0-Z4", "OK", {"Z0,1001,1", "Z1,1001,1", "Z2,1001,1", "Z3,1001,1", "Z4,1001,1"}},
    {"z0-z4", "OK", {"Z2,1001,1", "z2,1001,1"}},
    {"vCont?", "vCont;c;C;s;S;t;r", {"vCont?"}},
    {"vCont", "T05thread:p1.1;", {"vCont;s:p1.1", "!tick"}},
    {"c", "T02thread:p1.1;", {"c", "!tick", "\x03", "!tick"}},
    {"C", "T02thread:p1.1;", {"C05", "!tick", "\x03", "!tick"}},
    {"s", "T05thread:p1.1;", {"s", "!tick"}},
    {"S", "T05thread:p1.1;", {"S05", "!tick"}},
    {"bs", "T05thread:p1.1;", {"bs", "!stop"}},
    {"bc", "T05thread:p1.1;", {"bc", "!stop"}},
    {"H", "00020000", {"Hgp2.1", "p0"}},
    {"T", "OK", {"Tp2.1"}},
    {"D", "OK", {"D;1"}},
    {"k", "OK", {"!", "k", "vRun;", "vKill;1"}}, /* no answer to k itself */
    {"R", "00100000", {"vCont;s:p1.1", "!tick", "R00", "p8"}},
    {"vKill", "OK", {"vKill;2"}},
    {"vRun", "T05thread:p1.1;", {"vRun;"}},
    {"vAttach", "T05thread:p2.1;", {"!", "D;2", "vAttach;2", "!tick"}},
    {"qAttached", "1", {"qAttached:1"}},
    {"qSupported", "PacketSize=20000;", {"qSupported"}},
    {"QStartNoAckMode", "OK", {"QStartNoAckMode"}},
    {"QPassSignals", "OK", {"QPassSignals:e;10"}},
    {"QProgramSignals", "OK", {"QProgramSignals:e"}},
    {"qRcmd", "OK", {"qRcmd,68656c6c6f"}},
    {"qSymbol", "OK", {"qSymbol::"}},
    {"qC", "QCp1.1", {"qC"}},
    {"qfThreadInfo", "mp1.1,p2.1", {"qfThreadInfo"}},
    {"qsThreadInfo", "l", {"qfThreadInfo", "qsThreadInfo"}},
    {"qThreadExtraInfo", "72696e6730", {"qThreadExtraInfo,p1.1"}},
    {"qXfer:features:read", "l<?xml", {"qXfer:features:read:target.xml:0,8000"}},
    {"qXfer:threads:read", "*<thread id=\"p1.1\"", {"qXfer:threads:read::0,1000"}},
    {"qXfer:exec-file:read", "l/images/hello", {"qXfer:exec-file:read:1:0,1000"}},
    {"qXfer:libraries:read", "l<library-list>", {"qXfer:libraries:read::0,1000"}},
    {"qXfer:osdata:read", "*<column name=\"Selector\">", {"qXfer:osdata:read:gdt:0,1000"}},
    {"qSearch:memory", "1,1010", {"X1010,2:ab", "qSearch:memory:1000;20;ab"}},
    {"qCRC", "C", {"qCRC:1000,10"}},
    {"QThreadEvents", "OK", {"QThreadEvents:1"}},
    {"qHostInfo", "triple:", {"qHostInfo"}},
    {"qProcessInfo", "pid:1;", {"qProcessInfo"}},
    {"qGDBServerVersion", "name:fake;version:1.2;", {"qGDBServerVersion"}},
    {"qqemu.Supported", "sstepbits;sstep;PhyMemMode", {"qqemu.Supported"}},
    {"qqemu.PhyMemMode", "1", {"Qqemu.PhyMemMode:1", "qqemu.PhyMemMode"}},
    {"Qqemu.PhyMemMode", "OK", {"Qqemu.PhyMemMode:0"}},
    {"qqemu.sstepbits", "ENABLE=1,NOIRQ=2,NOTIMER=4", {"qqemu.sstepbits"}},
    {"qqemu.sstep", "0x5", {"Qqemu.sstep=0x5", "qqemu.sstep"}},
    {"Qqemu.sstep", "OK", {"Qqemu.sstep=7"}},
    {"QNonStop", "OK", {"QNonStop:1"}},
    {"vStopped", "OK", {"QNonStop:1", "?", "vStopped"}},
    {"vCtrlC", "OK", {"QNonStop:1", "vCont;c:p1.1", "vCtrlC"}},
    {"vFile:setfs", "F0", {"vFile:setfs:0"}},
    {"vFile:open", "F80", {"vFile:open:2f6370752f33322d626974,0,0"}}, /* /cpu/32-bit */
    {"vFile:close", "F0", {"vFile:open:2f6370752f33322d626974,0,0", "vFile:close:80"}},
    {"vFile:pread", "F4;S006", {"vFile:open:2f6370752f33322d626974,0,0", "vFile:pread:80,4,0"}},
    {"vFile:fstat", "F40;", {"vFile:open:2f6370752f33322d626974,0,0", "vFile:fstat:80"}},
    {"vFile:stat", "F", {"vFile:stat:2f6370752f33322d626974"}},
    {"vFile:readlink", "F-1,16", {"vFile:readlink:2f61"}},
    {"vFile:pwrite", "F-1,1e", {"vFile:pwrite:0,0,a"}},
    {"vFile:unlink", "F-1,1e", {"vFile:unlink:2f61"}},
    {"QTinit", "OK", {"QTinit"}},
    {"QTDP", "OK", {"QTinit", "QTDP:1:1004:E:0:0-", "QTDP:-1:1004:R1"}},
    {"QTDPsrc", "OK", {"QTinit", "QTDP:1:1004:E:0:0", "QTDPsrc:1:1004:at:0:1:61"}},
    {"QTDV", "OK", {"QTDV:1:5:0:61"}},
    {"QTro", "OK", {"QTro:1000,2000"}},
    {"QTEnable", "OK", {"QTinit", "QTDP:1:1004:D:0:0", "QTEnable:1:1004"}},
    {"QTDisable", "OK", {"QTinit", "QTDP:1:1004:E:0:0", "QTDisable:1:1004"}},
    {"QTStart", "OK", {"QTinit", "QTStart"}},
    {"QTStop", "OK", {"QTinit", "QTStart", "QTStop"}},
    {"QTDisconnected", "OK", {"QTDisconnected:1"}},
    {"QTBuffer:circular", "OK", {"QTBuffer:circular:1"}},
    {"QTBuffer:size", "OK", {"QTBuffer:size:-1"}},
    {"QTNotes", "OK", {"QTNotes:user:61"}},
    {"QTFrame", "F0T1",
     {"QTinit", "QTDP:1:1001:E:0:0", "QTStart", "vCont;s:p1.1", "!tick", "QTFrame:0"}},
    {"qTStatus", "T0;tnotrun:0;", {"qTStatus"}},
    {"qTP", "V0:0", {"QTinit", "QTDP:1:1004:E:0:0", "qTP:1:1004"}},
    {"qTV", "V5", {"QTDV:1:5:0:61", "qTV:1"}},
    {"qTfP", "T1:1004:E:0:0", {"QTinit", "QTDP:1:1004:E:0:0", "qTfP"}},
    {"qTsP", "l", {"qTfP", "qTsP"}},
    {"qTfV", "1:5:0:61", {"QTDV:1:5:0:61", "qTfV"}},
    {"qTsV", "l", {"QTDV:1:5:0:61", "qTfV", "qTsV"}},
    {"qTBuffer", "010000000000",
     {"QTinit", "QTDP:1:1001:E:0:0", "QTStart", "vCont;s:p1.1", "!tick", "qTBuffer:0,10"}},
    {"qXfer:traceframe-info:read", "E01", {"qXfer:traceframe-info:read::0,1000"}},
    {"\\x03", "T02thread:p1.1;", {"vCont;c", "\x03", "!tick"}},
    {"vMustReplyEmpty", "", {"vMustReplyEmpty"}},
    {"T05swbreak, hwbreak", "*swbreak:", {"Z0,1001,1", "vCont;c:p1.1", "!tick"}},
    {"T05watch, rwatch, awatch", "*watch:1234;", {"vCont;c:p1.1", "!watch"}},
    {"T05core", "T05thread:p1.1;core:a;", {"!core", "vCont;c:p1.1", "!stop"}},
    {"T05exec", "T05exec:", {"qSupported:multiprocess+;exec-events+", "?", "vCont;c"}},
    {"T05library", "T05library:;",
     {"vKill;2", "qSupported:multiprocess+;exec-events+", "?",
      "qXfer:features:read:target.xml:0,1000", "vCont;c", "!libraries", "vCont;s:p1.1", "!tick"}},
    {"T05replaylog", "*replaylog:begin;", {"bc", "!begin"}},
    {"W, X", "W03;process:1", {"vCont;c:p1.1", "!exit"}},
    {"O", "O68656c6c6f", {"vCont;c:p1.1", "!text"}},
    {"vCont t", "*%Stop:T00thread:p1.1;", {"QNonStop:1", "vCont;c:p1.1", "vCont;t:p1.1", "!tick"}},
};

/* --- what happens beside the packets ---------------------------------------------------- */

static void write_all_registers(struct client *c) {
    char packet[2 * FAKE_G_BYTES + 2] = "G78563412";
    memset(packet + 9, 'x', sizeof packet - 10);
    CHECK_STR(ask(c, packet), "OK");
}

static void tick(struct client *c) {
    fake_tick(c->fake);
    client_turn(c);
}

static void stop(struct client *c, const struct gdb_stop *stop) {
    fake_halt(c->fake, 1);
    gdb_server_stopped(c->fake->server, stop);
    client_turn(c);
}

static void perform(struct client *c, const char *word) {
    static const struct {
        const char *word;
        struct gdb_stop stop;
    } stops[] = {
        {"!stop", {.thread = {1, 1}, .status = GDB_SIGNAL_TRAP}},
        {"!begin", {.thread = {1, 1}, .status = GDB_SIGNAL_TRAP, .log = GDB_LOG_BEGIN}},
        {"!watch", {.thread = {1, 1}, .status = GDB_SIGNAL_TRAP, .has_breakpoint = true,
                    .point = GDB_WATCH, .address = 0x1234}},
    };
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++)
        if (!strcmp(word, stops[i].word))
            stop(c, &stops[i].stop);
    if (!strcmp(word, "!tick"))
        tick(c);
    else if (!strcmp(word, "!G"))
        write_all_registers(c);
    else if (!strcmp(word, "!core"))
        c->fake->tells_core = true;
    else if (!strcmp(word, "!libraries"))
        c->fake->libraries = 1;
    else if (!strcmp(word, "!exit"))
        fake_exit(c->fake, 1, 3);
    else if (!strcmp(word, "!text"))
        gdb_server_console(c->fake->server, "hello", 5);
    client_turn(c);
}

/* --- one row ------------------------------------------------------------------------------- */

static bool answers(const struct client *c, const char *wanted) {
    char text[64];
    bool anywhere = *wanted == '*';
    snprintf(text, sizeof text, "$%s%s", wanted, *wanted ? "" : "#00");
    return strstr(c->received, anywhere ? wanted + 1 : text) != NULL;
}

static void play(const struct example *e) {
    struct gdb_target target;
    struct fake *f = world_open(&target);
    struct client *c = client_gdb(f);
    for (size_t i = 0; i < STEPS && e->steps[i]; i++) {
        const char *step = e->steps[i];
        c->length = 0;
        if (*step == '!' && step[1])
            perform(c, step);
        else if (*step == 3)
            client_raw(c, step, 1);
        else
            ask(c, step);
    }
    unit_check(answers(c, e->answer), e->row, __FILE__, __LINE__);
    if (!answers(c, e->answer))
        fprintf(stderr, "    got %.200s\n", c->received);
    client_free(c);
    world_close(f);
}

static const struct example *example_of(const char *row) {
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        if (!strcmp(examples[i].row, row))
            return &examples[i];
    return NULL;
}

/* All of its packets; stop replies are none. */
static void ask_in_vain(const char *row) {
    struct gdb_target target;
    struct fake *f = world_open(&target);
    struct client *c = client_gdb(f);
    char names[256], *rest = names;
    snprintf(names, sizeof names, "%s", row);
    for (char *name; (name = strtok_r(rest, ", ", &rest));) {
        unit_check(!*ask(c, name), name, __FILE__, __LINE__);
    }
    client_free(c);
    world_close(f);
}

int main(void) {
    size_t supported = 0;
    struct gdb_packet_doc doc;
    for (size_t i = 0; gdb_packet_doc(&gdb_tracepoints, i, &doc); i++) {
        const struct example *e = example_of(doc.name);
        bool yes = !strcmp(doc.supported, "yes");
        supported += yes;
        unit_check(yes == (e != NULL), doc.name, __FILE__, __LINE__);
        if (e)
            play(e);
        else if (strncmp(doc.name, "T05", 3))
            ask_in_vain(doc.name);
    }
    CHECK(supported == sizeof examples / sizeof *examples); /* each example has its row */
    return unit_end();
}
