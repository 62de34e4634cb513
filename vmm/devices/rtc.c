/* The real-time clock; see rtc.h. */
#include "vmm/devices/rtc.h"

#include <time.h>

enum { SECONDS = 0, MINUTES = 2, HOURS = 4, WEEKDAY = 6, DAY, MONTH, YEAR };
enum { A_UPDATES = 0x80, A_DIVIDER = 0x70, A_HELD = 0x60, A_RATE = 0x0f };
enum { B_SET = 0x80, B_PERIODIC = 0x40, B_ALARM = 0x20, B_UPDATE = 0x10, B_BINARY = 4, B_24 = 2 };
enum { C_REQUEST = 0x80, CAUSES = B_PERIODIC | B_ALARM | B_UPDATE, D_BATTERY = 0x80 };
enum { IRQ = 8, HZ = 32768, A_DAY = 86400, ANY = 0xc0, PM = 0x80 };

#define SECOND_NS 1000000000ull
#define UPDATE_NS 2228000ull /* UIP is up so long before the registers change */
/* The registers have four digits for the year. What a recording says may be any time. */
#define SECONDS_MAX 253402300799ll /* the last one of 9999 */

static uint64_t guest_now(const struct rtc *r) { return r->board->now ? r->board->now(r->board->machine) : 0; }

/* --- the time of day ------------------------------------------------------------------------ */

static bool clock_is_held(const struct rtc *r) { return r->ram[RTC_B] & B_SET || (r->ram[RTC_A] & A_DIVIDER) >= A_HELD; }

static int64_t within_range(int64_t seconds) {
    return seconds < 0 ? 0 : seconds > SECONDS_MAX ? SECONDS_MAX : seconds;
}

static uint64_t age_at(const struct rtc *r, uint64_t now) {
    int64_t age = (int64_t)now - r->since;
    return age > 0 ? (uint64_t)age : 0;
}

uint64_t rtc_age(const struct rtc *r) { return age_at(r, guest_now(r)); }

static int64_t seconds_at(const struct rtc *r, uint64_t now) {
    return r->seconds + (int64_t)(age_at(r, now) / SECOND_NS);
}

static uint8_t encode(const struct rtc *r, unsigned n) {
    return (uint8_t)(r->ram[RTC_B] & B_BINARY ? n : n / 10 % 10 << 4 | n % 10);
}

static unsigned decode_number(const struct rtc *r, uint8_t byte) {
    return r->ram[RTC_B] & B_BINARY ? byte : (byte >> 4) * 10u + (byte & 0xf);
}

static uint8_t encode_hour(const struct rtc *r, unsigned hour) {
    if (r->ram[RTC_B] & B_24)
        return encode(r, hour);
    return encode(r, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? PM : 0);
}

static unsigned decode_hour(const struct rtc *r, uint8_t byte) {
    if (r->ram[RTC_B] & B_24)
        return decode_number(r, byte);
    return decode_number(r, byte & 0x7f) % 12 + (byte & PM ? 12 : 0);
}

/* The registers as they are now. While the clock is held they are what was written, and else for
 * the rest of that second: a 31st of February may be on the way to another date. */
static void show_time(struct rtc *r) {
    struct tm t = {0};
    int64_t seconds = seconds_at(r, guest_now(r));
    time_t now = (time_t)within_range(seconds);
    r->raw &= seconds == r->raw_second;
    if (clock_is_held(r) || r->raw)
        return;
    gmtime_r(&now, &t);
    r->ram[SECONDS] = encode(r, (unsigned)t.tm_sec);
    r->ram[MINUTES] = encode(r, (unsigned)t.tm_min);
    r->ram[HOURS] = encode_hour(r, (unsigned)t.tm_hour);
    r->ram[WEEKDAY] = encode(r, (unsigned)t.tm_wday + 1);
    r->ram[DAY] = encode(r, (unsigned)t.tm_mday);
    r->ram[MONTH] = encode(r, (unsigned)t.tm_mon + 1);
    r->ram[YEAR] = encode(r, (unsigned)t.tm_year % 100);
    r->ram[RTC_CENTURY] = encode(r, ((unsigned)t.tm_year + 1900) / 100);
}

/* The time is what the registers say, and its second as far as it was; from a divider that was
 * held in reset half of one has passed (page 12). */
static void take_time(struct rtc *r, uint64_t phase) {
    struct tm t = {.tm_sec = (int)decode_number(r, r->ram[SECONDS]), .tm_min = (int)decode_number(r, r->ram[MINUTES]),
                   .tm_hour = (int)decode_hour(r, r->ram[HOURS]), .tm_mday = (int)decode_number(r, r->ram[DAY]),
                   .tm_mon = (int)decode_number(r, r->ram[MONTH]) - 1,
                   .tm_year = (int)(decode_number(r, r->ram[RTC_CENTURY]) * 100 + decode_number(r, r->ram[YEAR])) - 1900};
    uint64_t now = guest_now(r);
    r->seconds = within_range((int64_t)timegm(&t));
    r->since = (int64_t)(now - phase);
    r->seen = now;
    r->raw = true;
    r->raw_second = r->seconds;
}

static void ask_host(struct rtc *r) {
    if (r->asked)
        return;
    r->asked = true;
    r->seconds = within_range(r->board->clock(r->board->machine));
    r->seen = guest_now(r);
    r->since = (int64_t)r->seen;
}

/* --- what has happened ------------------------------------------------------------------------ */

static uint64_t ticks_of(uint64_t ns) { return ns / SECOND_NS * HZ + ns % SECOND_NS * HZ / SECOND_NS; }
static uint64_t ns_of(uint64_t ticks) { return ticks / HZ * SECOND_NS + (ticks % HZ * SECOND_NS + HZ - 1) / HZ; }

/* Ticks of 32768 Hz in a period, as a power of two; 0: there is none (table 5). */
static unsigned period_shift(const struct rtc *r) {
    unsigned rate = r->ram[RTC_A] & A_RATE;
    bool reset = (r->ram[RTC_A] & A_DIVIDER) >= A_HELD;
    return rate == 0 || reset ? 0 : rate < 3 ? rate + 6 : rate - 1;
}

static bool alarm_fits(uint8_t wanted, uint8_t is) { return (wanted & ANY) == ANY || wanted == is; }

static bool alarm_at(const struct rtc *r, int64_t seconds) {
    unsigned of_day = (unsigned)(seconds % A_DAY);
    return alarm_fits(r->ram[RTC_ALARM_S], encode(r, of_day % 60)) &&
           alarm_fits(r->ram[RTC_ALARM_M], encode(r, of_day / 60 % 60)) &&
           alarm_fits(r->ram[RTC_ALARM_H], encode_hour(r, of_day / 3600));
}

/* The first second behind this one at which the alarm goes off, within a day; 0: none. */
static int64_t next_alarm(const struct rtc *r, int64_t after) {
    for (int64_t n = after + 1; n <= after + A_DAY; n++)
        if (alarm_at(r, n))
            return n;
    return 0;
}

static uint8_t second_passed(const struct rtc *r, uint64_t now) {
    int64_t before = seconds_at(r, r->seen), is = seconds_at(r, now);
    int64_t alarm = is != before ? next_alarm(r, before) : 0;
    return is == before ? 0 : B_UPDATE | (alarm && alarm <= is ? B_ALARM : 0);
}

static void note_what_came(struct rtc *r) {
    uint64_t now = guest_now(r);
    unsigned shift = period_shift(r);
    if (shift && ticks_of(age_at(r, r->seen)) >> shift != ticks_of(age_at(r, now)) >> shift)
        r->ram[RTC_C] |= B_PERIODIC;
    if (!clock_is_held(r))
        r->ram[RTC_C] |= second_passed(r, now);
    r->seen = now;
}

/* --- interrupts --------------------------------------------------------------------------------- */

static uint64_t earlier(uint64_t a, uint64_t b) { return a < b ? a : b; }

static uint64_t next_second(const struct rtc *r, int64_t seconds) {
    return (uint64_t)(r->since + (seconds - r->seconds) * (int64_t)SECOND_NS);
}

/* None while one waits to be read. */
static uint64_t next_due(const struct rtc *r) {
    uint8_t b = r->ram[RTC_B];
    uint64_t due = UINT64_MAX, now = r->seen;
    unsigned shift = period_shift(r);
    if (b & r->ram[RTC_C] & CAUSES)
        return UINT64_MAX;
    if (b & B_PERIODIC && shift)
        due = (uint64_t)r->since + ns_of(((ticks_of(age_at(r, now)) >> shift) + 1) << shift);
    if (clock_is_held(r))
        return due;
    int64_t seconds = seconds_at(r, now), alarm = b & B_ALARM ? next_alarm(r, seconds) : 0;
    if (b & B_UPDATE)
        due = earlier(due, next_second(r, seconds + 1));
    return alarm ? earlier(due, next_second(r, alarm)) : due;
}

static void interrupt_as_due(struct rtc *r) {
    bool line = r->ram[RTC_B] & r->ram[RTC_C] & CAUSES;
    r->due = r->asked ? next_due(r) : UINT64_MAX;
    if (line != r->line)
        r->board->irq(r->board->machine, IRQ, line);
    r->line = line;
    if (r->board->alarm)
        r->board->alarm(r->board->machine);
}

uint64_t rtc_advance(struct rtc *r) {
    if (r->due <= guest_now(r)) {
        note_what_came(r);
        interrupt_as_due(r);
    }
    return r->due;
}

void rtc_set_age(struct rtc *r, uint64_t age) {
    r->since = (int64_t)(guest_now(r) - age);
    r->seen = guest_now(r);
    interrupt_as_due(r);
}

/* --- registers ------------------------------------------------------------------------------------ */

bool rtc_has(uint8_t index) { return index <= RTC_D || index == RTC_CENTURY; }

static uint8_t read_a(const struct rtc *r) {
    bool updates = !clock_is_held(r) && rtc_age(r) % SECOND_NS >= SECOND_NS - UPDATE_NS;
    return r->ram[RTC_A] | (updates ? A_UPDATES : 0);
}

/* It tells all that came, and forgets it. */
static uint8_t read_c(struct rtc *r) {
    uint8_t c = r->ram[RTC_C];
    bool request = c & r->ram[RTC_B] & CAUSES;
    r->ram[RTC_C] = 0;
    interrupt_as_due(r);
    return c | (request ? C_REQUEST : 0);
}

static bool is_time(uint8_t index) {
    return index == SECONDS || index == MINUTES || index == HOURS || (index >= WEEKDAY && index <= YEAR) ||
           index == RTC_CENTURY;
}

/* Some wait for the end of an update by looking at A again and again: that is quick. */
uint8_t rtc_read(struct rtc *r, uint8_t index) {
    ask_host(r);
    if (index == RTC_A)
        return read_a(r);
    if (index == RTC_C)
        return note_what_came(r), read_c(r);
    if (is_time(index))
        show_time(r);
    return index == RTC_D ? D_BATTERY : r->ram[index];
}

/* SET ends the update interrupt (page 13). A clock that is let go begins with what was written. */
static void write_mode(struct rtc *r, uint8_t index, uint8_t value) {
    bool was_held = clock_is_held(r), was_reset = (r->ram[RTC_A] & A_DIVIDER) >= A_HELD;
    uint64_t phase = was_reset ? SECOND_NS / 2 : rtc_age(r) % SECOND_NS;
    r->ram[index] = value;
    if (r->ram[RTC_B] & B_SET)
        r->ram[RTC_B] &= (uint8_t)~B_UPDATE;
    if (was_held && !clock_is_held(r))
        take_time(r, phase);
}

void rtc_write(struct rtc *r, uint8_t index, uint8_t value) {
    ask_host(r);
    note_what_came(r);
    show_time(r);
    if (index == RTC_A || index == RTC_B)
        write_mode(r, index, index == RTC_A ? value & 0x7f : value);
    else if (index != RTC_C && index != RTC_D)
        r->ram[index] = value;
    if (is_time(index) && !clock_is_held(r))
        take_time(r, rtc_age(r) % SECOND_NS);
    interrupt_as_due(r);
}

/* As a BIOS leaves it: BCD, 24 hours, 1024 Hz, no interrupts. */
void rtc_power_on(struct rtc *r) {
    *r = (struct rtc){.board = r->board, .ram = r->ram, .due = UINT64_MAX};
    r->ram[RTC_A] = 0x26;
    r->ram[RTC_B] = B_24;
}

void rtc_reset(struct rtc *r) {
    r->ram[RTC_B] &= (uint8_t)~CAUSES;
    r->ram[RTC_C] = 0;
    r->line = false;
    r->due = UINT64_MAX;
}
