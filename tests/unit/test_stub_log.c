/* The packet log: each packet that comes or goes is a line; binary is escaped, length bounded. */
#include "gdbstub/packet_log.h"
#include "tests/unit/test_stub_client.h"

enum { LINES = 64 };
static struct {
    char text[LINES][PACKET_LOG_LINE];
    unsigned count;
} lines;

static void take_line(void *context, const char *line) {
    (void)context;
    CHECK(lines.count < LINES);
    snprintf(lines.text[lines.count++ % LINES], PACKET_LOG_LINE, "%s", line);
}

/* What follows the time. */
static const char *rest_of(unsigned number) {
    char word[16];
    double seconds;
    int rest = 0;
    CHECK(number < lines.count);
    CHECK(sscanf(lines.text[number], "%15s %lf %n", word, &seconds, &rest) == 2);
    CHECK_STR(word, "packets");
    CHECK(seconds >= 0 && seconds < 1000);
    return lines.text[number] + rest;
}

static void test_line(void) {
    char line[PACKET_LOG_LINE], payload[1000];
    packet_log_line(line, 1.5, 2, true, "X0,3:a\\\x01", 8);
    CHECK_STR(line, "packets 1.500000 p2 -> X0,3:a\\x5c\\x01");
    packet_log_line(line, 0, 0, false, "", 0);
    CHECK_STR(line, "packets 0.000000 - <- ");
    memset(payload, 0xff, sizeof payload);
    packet_log_line(line, 0, 1, false, payload, sizeof payload);
    CHECK(strlen(line) < PACKET_LOG_LINE);
    CHECK_STR(line + strlen(line) - strlen("\\xff... (1000 bytes)"), "\\xff... (1000 bytes)");
}

static void test_both_ways(struct client *c) {
    gdb_server_log_packets(c->fake->server, take_line, NULL);
    CHECK_STR(ask(c, "Hgp2.1"), "OK");
    CHECK_STR(ask(c, "m2000,2"), "9090");
    CHECK_STR(ask(c, "x2000,1"), "b\x90");
    CHECK_STR(rest_of(0), "- -> Hgp2.1");
    CHECK_STR(rest_of(1), "p2 <- OK");
    CHECK_STR(rest_of(2), "p2 -> m2000,2");
    CHECK_STR(rest_of(3), "p2 <- 9090");
    CHECK_STR(rest_of(5), "p2 <- b\\x90");
    CHECK(lines.count == 6); /* acknowledgments are no packets */
}

static void test_interrupt(struct client *c) {
    lines.count = 0;
    client_send(c, "vCont;c:p2.1", strlen("vCont;c:p2.1"));
    client_turn(c);
    CHECK_STR(rest_of(0), "p2 -> vCont;c:p2.1");
    client_raw(c, "\x03", 1);
    client_turn(c);
    fake_tick(c->fake);
    client_turn(c);
    CHECK_STR(rest_of(1), "p2 -> \\x03");
    CHECK(!strncmp(rest_of(2), "p2 <- T02", 9));
}

int main(void) {
    struct gdb_target target;
    test_line();
    struct fake *f = world_open(&target);
    struct client *c = client_gdb(f);
    test_both_ways(c);
    test_interrupt(c);
    client_free(c);
    world_close(f);
    return unit_end();
}
