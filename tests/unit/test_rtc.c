/* The real-time clock: what it shows and when it interrupts, at times that the test says. */
#include "tests/unit/unit.h"

#include "tests/unit/bus_ports.h"
#include "vmm/devices/devices.h"
#include "vmm/memory/memory.h"

static struct cmos cmos;
static uint64_t now;
static int64_t host;

enum { IRQ = 8 };
#define MS 1000000ull
#define SECOND (1000 * MS)

static uint64_t say_now(void *machine) {
    (void)machine;
    return now;
}

static int64_t say_host(void *machine) {
    (void)machine;
    return host;
}

static const struct board board = {.irq = take_irq, .now = say_now, .clock = say_host};

static void write_cmos(unsigned index, unsigned value) {
    out(0x70, index);
    out(0x71, value);
}

static uint8_t read_cmos(unsigned index) {
    out(0x70, index);
    return in(0x71);
}

/* Tuesday 2000-02-29 12:04:05 UTC */
static void begin(void) {
    static const struct memory memory = {.ram_size = 1 << 20};
    new_bus();
    now = 5 * MS;
    host = 951825845;
    cmos_open(&cmos, &bus, &board, &memory);
}

/* Until then, stopping where something is due; how often it interrupted. */
static unsigned pass(uint64_t ns, bool reads) {
    uint64_t end = now + ns, due;
    unsigned before = all_edges();
    while ((due = rtc_advance(&cmos.rtc)) <= end) {
        CHECK(due > now);
        now = due;
        rtc_advance(&cmos.rtc);
        if (reads && line[IRQ])
            read_cmos(0x0c);
    }
    now = end;
    return all_edges() - before;
}

static uint32_t time_of_day(void) { return (uint32_t)read_cmos(4) << 16 | read_cmos(2) << 8 | read_cmos(0); }
static uint32_t date(void) { return (uint32_t)read_cmos(0x32) << 24 | read_cmos(9) << 16 | read_cmos(8) << 8 | read_cmos(7); }

/* --- time ------------------------------------------------------------------------------------- */

static void goes_on(void) {
    begin();
    CHECK(time_of_day() == 0x120405 && date() == 0x20000229 && read_cmos(6) == 3 && read_cmos(0x0d) == 0x80);
    host += 1000; /* is asked once */
    now += SECOND - 1;
    CHECK(time_of_day() == 0x120405);
    now += 1;
    CHECK(time_of_day() == 0x120406);
    now += 86400 * SECOND;
    CHECK(time_of_day() == 0x120406 && date() == 0x20000301 && read_cmos(6) == 4);
}

static void tells_of_updates(void) {
    begin();
    CHECK(!(read_cmos(0x0a) & 0x80));
    now += SECOND - MS;
    CHECK(read_cmos(0x0a) == 0xa6);
    now += MS;
    CHECK(read_cmos(0x0a) == 0x26);
    now += SECOND - MS;
    write_cmos(0x0b, 0x82);
    CHECK(!(read_cmos(0x0a) & 0x80));
}

static void in_other_formats(void) {
    begin();
    write_cmos(0x0b, 0x00); /* BCD, 12 hours */
    CHECK(read_cmos(4) == 0x92);
    write_cmos(0x0b, 0x06); /* binary, 24 */
    now += 49 * SECOND;
    CHECK(read_cmos(0) == 54 && read_cmos(4) == 12 && read_cmos(9) == 0 && read_cmos(0x32) == 20);
    write_cmos(0x0b, 0x04);
    CHECK(read_cmos(4) == 0x8c);
    now += 12 * 3600 * SECOND;
    CHECK(read_cmos(4) == 12);
}

static void is_set(void) {
    begin();
    write_cmos(0x0b, 0x82); /* held */
    now += 3 * SECOND;
    CHECK(time_of_day() == 0x120405);
    write_cmos(0, 0x58), write_cmos(2, 0x59), write_cmos(4, 0x23), write_cmos(7, 0x31), write_cmos(8, 0x12), write_cmos(9, 0x99), write_cmos(0x32, 0x19);
    now += 3 * SECOND;
    CHECK(time_of_day() == 0x235958);
    write_cmos(0x0b, 0x02);
    now += 2 * SECOND;
    CHECK(time_of_day() == 0 && date() == 0x20000101 && read_cmos(6) == 7);
    write_cmos(7, 0x31); /* not held, one by one: 31 February is on the way */
    write_cmos(8, 0x02);
    CHECK(date() == 0x20000231);
    write_cmos(8, 0x03);
    CHECK(date() == 0x20000331);
    now += 2 * SECOND;
    CHECK(date() == 0x20000331);
    write_cmos(0x0a, 0x76); /* the divider is held: half a second behind it comes the next one */
    now += 10 * SECOND;
    CHECK(time_of_day() == 0x000002);
    write_cmos(0x0a, 0x26);
    now += SECOND / 2 - 1;
    CHECK(time_of_day() == 0x000002);
    now += 1;
    CHECK(time_of_day() == 0x000003);
    for (unsigned i = 0; i < 10; i++)
        write_cmos(i, 0xff); /* nonsense is no harm */
    now += SECOND;
    date();
}

/* --- interrupts -------------------------------------------------------------------------------- */

static void interrupts_periodically(void) {
    begin();
    CHECK(read_cmos(0x0c) == 0 && pass(SECOND, true) == 0 && read_cmos(0x0c) == 0x50);
    write_cmos(0x0b, 0x42);
    CHECK(pass(SECOND, true) == 1024);
    write_cmos(0x0a, 0x2f);
    CHECK(pass(4 * SECOND, true) == 8);
    write_cmos(0x0a, 0x21);
    CHECK(pass(SECOND, true) == 256);
    CHECK(pass(SECOND, false) == 1 && line[IRQ]); /* nobody reads C */
    CHECK(rtc_advance(&cmos.rtc) == UINT64_MAX);
    CHECK(read_cmos(0x0c) == 0xd0 && !line[IRQ] && read_cmos(0x0c) == 0);
    write_cmos(0x0a, 0x20); /* no rate */
    CHECK(pass(SECOND, true) == 0);
}

static void interrupts_after_updates(void) {
    begin();
    write_cmos(0x0b, 0x12);
    CHECK(pass(10 * SECOND, true) == 10);
    pass(SECOND, false);
    CHECK((read_cmos(0x0c) & 0x90) == 0x90);
    write_cmos(0x0b, 0x92); /* SET ends it */
    CHECK(read_cmos(0x0b) == 0x82);
    write_cmos(0x0b, 0x02);
    CHECK(pass(2 * SECOND, true) == 0);
}

static void alarm_at(unsigned hour, unsigned minute, unsigned second) {
    write_cmos(5, hour), write_cmos(3, minute), write_cmos(1, second);
    read_cmos(0x0c);
    write_cmos(0x0b, 0x22);
}

static void rings(void) {
    begin();
    alarm_at(0x12, 0x04, 0x07);
    CHECK(pass(2 * SECOND - 1, false) == 0 && pass(1, false) == 1);
    CHECK(line[IRQ] && time_of_day() == 0x120407 && (read_cmos(0x0c) & 0xa0) == 0xa0 && !line[IRQ]);
    CHECK(pass(86399 * SECOND, true) == 0 && pass(SECOND, true) == 1); /* tomorrow again */
    alarm_at(0xff, 0xc0, 0x30); /* each minute */
    CHECK(pass(600 * SECOND, true) == 10);
    alarm_at(0xff, 0xff, 0xff); /* each second */
    CHECK(pass(10 * SECOND, true) == 10);
    alarm_at(0x77, 0, 0); /* never */
    CHECK(pass(2 * 86400 * SECOND, true) == 0 && !(read_cmos(0x0c) & 0x20));
    write_cmos(0x0b, 0x00); /* 12 hours: 1 p.m. */
    write_cmos(5, 0x81), write_cmos(3, 0), write_cmos(1, 0);
    read_cmos(0x0c);
    write_cmos(0x0b, 0x20);
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
    write_cmos(0x0b, 0x82), write_cmos(9, 0x31), write_cmos(0x0b, 0x42), write_cmos(0x0f, 0x0a);
    pass(2 * MS, false);
    CHECK(line[IRQ]);
    struct cmos before = cmos;
    begin();
    cmos_keep(&cmos, &before);
    CHECK(read_cmos(0x0f) == 0x0a && read_cmos(9) == 0x31 && read_cmos(0x0b) == 0x02 && rtc_advance(&cmos.rtc) == UINT64_MAX);
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
