/* The real-time clock: what it shows and when it interrupts, at times that the test says. */
#include "tests/unit/unit.h"

#include "vmm/devices/devices.h"
#include "vmm/memory/memory.h"

static struct bus bus;
static struct cmos cmos;
static bool line;
static unsigned edges;
static uint64_t now;
static int64_t host;

#define MS 1000000ull
#define SECOND (1000 * MS)

static void take_irq(void *machine, unsigned irq, bool level) {
    (void)machine;
    CHECK(irq == 8);
    edges += level && !line;
    line = level;
}

static uint64_t say_now(void *machine) {
    (void)machine;
    return now;
}

static int64_t say_host(void *machine) {
    (void)machine;
    return host;
}

static const struct board board = {.irq = take_irq, .now = say_now, .clock = say_host};

static void out(unsigned index, unsigned value) {
    uint8_t bytes[] = {(uint8_t)index, (uint8_t)value};
    for (unsigned i = 0; i < 2; i++)
        bus_access(&bus, &(struct access){.address = 0x70 + i, .write = true, .size = 1, .data = &bytes[i]});
}

static uint8_t in(unsigned index) {
    uint8_t byte = (uint8_t)index;
    bus_access(&bus, &(struct access){.address = 0x70, .write = true, .size = 1, .data = &byte});
    bus_access(&bus, &(struct access){.address = 0x71, .size = 1, .data = &byte});
    return byte;
}

/* Tuesday 2000-02-29 12:04:05 UTC */
static void begin(void) {
    static const struct memory memory = {.ram_size = 1 << 20};
    bus = (struct bus){0};
    now = 5 * MS;
    host = 951825845;
    line = false;
    edges = 0;
    cmos_open(&cmos, &bus, &board, &memory);
}

/* Until then, stopping where something is due; how often it interrupted. */
static unsigned pass(uint64_t ns, bool reads) {
    uint64_t end = now + ns, due;
    unsigned before = edges;
    while ((due = rtc_advance(&cmos.rtc)) <= end) {
        CHECK(due > now);
        now = due;
        rtc_advance(&cmos.rtc);
        if (reads && line)
            in(0x0c);
    }
    now = end;
    return edges - before;
}

static uint32_t time_of_day(void) { return (uint32_t)in(4) << 16 | in(2) << 8 | in(0); }
static uint32_t date(void) { return (uint32_t)in(0x32) << 24 | in(9) << 16 | in(8) << 8 | in(7); }

/* --- time ------------------------------------------------------------------------------------- */

static void goes_on(void) {
    begin();
    CHECK(time_of_day() == 0x120405 && date() == 0x20000229 && in(6) == 3 && in(0x0d) == 0x80);
    host += 1000; /* is asked once */
    now += SECOND - 1;
    CHECK(time_of_day() == 0x120405);
    now += 1;
    CHECK(time_of_day() == 0x120406);
    now += 86400 * SECOND;
    CHECK(time_of_day() == 0x120406 && date() == 0x20000301 && in(6) == 4);
}

static void tells_of_updates(void) {
    begin();
    CHECK(!(in(0x0a) & 0x80));
    now += SECOND - MS;
    CHECK(in(0x0a) == 0xa6);
    now += MS;
    CHECK(in(0x0a) == 0x26);
    now += SECOND - MS;
    out(0x0b, 0x82);
    CHECK(!(in(0x0a) & 0x80));
}

static void in_other_formats(void) {
    begin();
    out(0x0b, 0x00); /* BCD, 12 hours */
    CHECK(in(4) == 0x92);
    out(0x0b, 0x06); /* binary, 24 */
    now += 49 * SECOND;
    CHECK(in(0) == 54 && in(4) == 12 && in(9) == 0 && in(0x32) == 20);
    out(0x0b, 0x04);
    CHECK(in(4) == 0x8c);
    now += 12 * 3600 * SECOND;
    CHECK(in(4) == 12);
}

static void is_set(void) {
    begin();
    out(0x0b, 0x82); /* held */
    now += 3 * SECOND;
    CHECK(time_of_day() == 0x120405);
    out(0, 0x58), out(2, 0x59), out(4, 0x23), out(7, 0x31), out(8, 0x12), out(9, 0x99), out(0x32, 0x19);
    now += 3 * SECOND;
    CHECK(time_of_day() == 0x235958);
    out(0x0b, 0x02);
    now += 2 * SECOND;
    CHECK(time_of_day() == 0 && date() == 0x20000101 && in(6) == 7);
    out(7, 0x31); /* not held, one by one: 31 February is on the way */
    out(8, 0x02);
    CHECK(date() == 0x20000231);
    out(8, 0x03);
    CHECK(date() == 0x20000331);
    now += 2 * SECOND;
    CHECK(date() == 0x20000331);
    out(0x0a, 0x76); /* the divider is held: half a second behind it comes the next one */
    now += 10 * SECOND;
    CHECK(time_of_day() == 0x000002);
    out(0x0a, 0x26);
    now += SECOND / 2 - 1;
    CHECK(time_of_day() == 0x000002);
    now += 1;
    CHECK(time_of_day() == 0x000003);
    for (unsigned i = 0; i < 10; i++)
        out(i, 0xff); /* nonsense is no harm */
    now += SECOND;
    date();
}

/* --- interrupts -------------------------------------------------------------------------------- */

static void interrupts_periodically(void) {
    begin();
    CHECK(in(0x0c) == 0 && pass(SECOND, true) == 0 && in(0x0c) == 0x50);
    out(0x0b, 0x42);
    CHECK(pass(SECOND, true) == 1024);
    out(0x0a, 0x2f);
    CHECK(pass(4 * SECOND, true) == 8);
    out(0x0a, 0x21);
    CHECK(pass(SECOND, true) == 256);
    CHECK(pass(SECOND, false) == 1 && line); /* nobody reads C */
    CHECK(rtc_advance(&cmos.rtc) == UINT64_MAX);
    CHECK(in(0x0c) == 0xd0 && !line && in(0x0c) == 0);
    out(0x0a, 0x20); /* no rate */
    CHECK(pass(SECOND, true) == 0);
}

static void interrupts_after_updates(void) {
    begin();
    out(0x0b, 0x12);
    CHECK(pass(10 * SECOND, true) == 10);
    pass(SECOND, false);
    CHECK((in(0x0c) & 0x90) == 0x90);
    out(0x0b, 0x92); /* SET ends it */
    CHECK(in(0x0b) == 0x82);
    out(0x0b, 0x02);
    CHECK(pass(2 * SECOND, true) == 0);
}

static void alarm_at(unsigned hour, unsigned minute, unsigned second) {
    out(5, hour), out(3, minute), out(1, second);
    in(0x0c);
    out(0x0b, 0x22);
}

static void rings(void) {
    begin();
    alarm_at(0x12, 0x04, 0x07);
    CHECK(pass(2 * SECOND - 1, false) == 0 && pass(1, false) == 1);
    CHECK(line && time_of_day() == 0x120407 && (in(0x0c) & 0xa0) == 0xa0 && !line);
    CHECK(pass(86399 * SECOND, true) == 0 && pass(SECOND, true) == 1); /* tomorrow again */
    alarm_at(0xff, 0xc0, 0x30); /* each minute */
    CHECK(pass(600 * SECOND, true) == 10);
    alarm_at(0xff, 0xff, 0xff); /* each second */
    CHECK(pass(10 * SECOND, true) == 10);
    alarm_at(0x77, 0, 0); /* never */
    CHECK(pass(2 * 86400 * SECOND, true) == 0 && !(in(0x0c) & 0x20));
    out(0x0b, 0x00); /* 12 hours: 1 p.m. */
    out(5, 0x81), out(3, 0), out(1, 0);
    in(0x0c);
    out(0x0b, 0x20);
    CHECK(pass(86400 * SECOND, true) == 1);
}

/* Guest time is another one, as when the engine is changed. */
static void keeps_its_age(void) {
    begin();
    CHECK(time_of_day() == 0x120405);
    now += 700 * MS;
    uint64_t age = rtc_age(&cmos.rtc);
    now = 123456 * SECOND;
    rtc_set_age(&cmos.rtc, age);
    CHECK(time_of_day() == 0x120405);
    now += 300 * MS;
    CHECK(time_of_day() == 0x120406);
    now = 0; /* virtual time has hardly begun */
    rtc_set_age(&cmos.rtc, 10 * SECOND);
    CHECK(time_of_day() == 0x120415);
}

/* The machine is reset: the battery holds time and RAM. */
static void keeps_going_over_a_reset(void) {
    begin();
    out(0x0b, 0x82), out(9, 0x31), out(0x0b, 0x42), out(0x0f, 0x0a);
    pass(2 * MS, false);
    CHECK(line);
    struct cmos before = cmos;
    begin();
    cmos_keep(&cmos, &before);
    CHECK(in(0x0f) == 0x0a && in(9) == 0x31 && in(0x0b) == 0x02 && rtc_advance(&cmos.rtc) == UINT64_MAX);
}

int main(void) {
    goes_on();
    tells_of_updates();
    in_other_formats();
    is_set();
    interrupts_periodically();
    interrupts_after_updates();
    rings();
    keeps_its_age();
    keeps_going_over_a_reset();
    return unit_end();
}
