/* Time: the timer's ticks (INT 08h, 1Ah), the real-time clock (INT 70h, 1Ah), waits (INT 15h). */
#include "vmm/board/bios/call.h"

/* --- ticks ----------------------------------------------------------------------------------------- */

enum { TICKS_A_DAY = 0x1800b0 };

enum { CONTROL_B = 0x0b, CONTROL_C = 0x0c, DAYLIGHT = 1, ALARM = 0x20, PERIODIC = 0x40, HALTED = 0x80 };

/* The clock's interrupt, 1024 times a second: for waits that end between two ticks. */
static void tick_by_clock(struct bios *b, bool on) {
    uint8_t control = cmos_in(b, CONTROL_B);
    cmos_out(b, CONTROL_B, on ? control | PERIODIC : control & (uint8_t)~PERIODIC);
}

static void end_flag_wait(struct bios *b) {
    uint64_t deadline = peek64(b, ebda(b, EBDA_FLAG_DEADLINE));
    if (!deadline || guest_time(b) < deadline)
        return;
    uint32_t flag = peek16(b, BDA_WAIT_FLAG + 2) * 16u + peek16(b, BDA_WAIT_FLAG);
    poke8(b, flag, peek8(b, flag) | 0x80);
    poke64(b, ebda(b, EBDA_FLAG_DEADLINE), 0);
    poke8(b, BDA_WAIT_ACTIVE, 0);
    tick_by_clock(b, false);
}

/* INT 08h. A program's INT 1Ch is called before the interrupt is ended. */
static void tick(struct call *c) {
    struct bios *b = c->bios;
    uint32_t ticks = peek32(b, BDA_TICKS) + 1;
    c->silent = true;
    if (ticks >= TICKS_A_DAY) {
        ticks = 0;
        poke8(b, BDA_MIDNIGHT, peek8(b, BDA_MIDNIGHT) + 1);
    }
    poke32(b, BDA_TICKS, ticks);
    end_flag_wait(b);
    c->pc = vector_is_ours(b, 0x1c) ? ROM_EOI : ROM_TICK_HOOK;
}

static void after_tick(struct call *c) {
    c->silent = true;
    c->pc = ROM_EOI;
}

static void nobody_ticks(struct call *c) { c->silent = true; }

static void get_ticks(struct call *c) {
    if (!need_chips(c))
        return;
    uint32_t ticks = peek32(c->bios, BDA_TICKS);
    c->cx = (uint16_t)(ticks >> 16);
    c->dx = (uint16_t)ticks;
    c->ax = peek8(c->bios, BDA_MIDNIGHT);
    poke8(c->bios, BDA_MIDNIGHT, 0);
    set_carry(c, false);
}

static void set_ticks(struct call *c) {
    poke32(c->bios, BDA_TICKS, (uint32_t)c->cx << 16 | c->dx);
    poke8(c->bios, BDA_MIDNIGHT, 0);
    c->ah = 0;
    set_carry(c, false);
}

static void answer_ticks(struct call *c, struct words *w) { words_add(w, "%u", (unsigned)c->cx << 16 | c->dx); }

/* --- the clock ------------------------------------------------------------------------------------------ */

enum { SECONDS, SECONDS_ALARM, MINUTES, MINUTES_ALARM, HOURS, HOURS_ALARM, DAY = 7, MONTH, YEAR, CENTURY = 0x32 };

static void get_time(struct call *c) {
    struct bios *b = c->bios;
    c->dh = cmos_in(b, SECONDS);
    c->cl = cmos_in(b, MINUTES);
    c->ch = cmos_in(b, HOURS);
    c->dl = cmos_in(b, CONTROL_B) & DAYLIGHT;
    c->ax = c->ch;
    set_carry(c, false);
}

static void set_time(struct call *c) {
    struct bios *b = c->bios;
    cmos_out(b, SECONDS, c->dh);
    cmos_out(b, MINUTES, c->cl);
    cmos_out(b, HOURS, c->ch);
    uint8_t control = cmos_in(b, CONTROL_B);
    cmos_out(b, CONTROL_B, (uint8_t)((control & ~(HALTED | DAYLIGHT)) | (c->dl & DAYLIGHT)));
    c->ah = 0;
    set_carry(c, false);
}

static void get_date(struct call *c) {
    struct bios *b = c->bios;
    c->dl = cmos_in(b, DAY);
    c->dh = cmos_in(b, MONTH);
    c->cl = cmos_in(b, YEAR);
    c->ch = cmos_in(b, CENTURY);
    c->ax = c->ch;
    set_carry(c, false);
}

static void set_date(struct call *c) {
    struct bios *b = c->bios;
    cmos_out(b, DAY, c->dl);
    cmos_out(b, MONTH, c->dh);
    cmos_out(b, YEAR, c->cl);
    cmos_out(b, CENTURY, c->ch);
    c->ah = 0;
    set_carry(c, false);
}

static void set_alarm(struct call *c) {
    struct bios *b = c->bios;
    uint8_t control = cmos_in(b, CONTROL_B);
    set_carry(c, control & ALARM);
    c->ax = 0;
    if (control & ALARM)
        return;
    cmos_out(b, SECONDS_ALARM, c->dh);
    cmos_out(b, MINUTES_ALARM, c->cl);
    cmos_out(b, HOURS_ALARM, c->ch);
    cmos_out(b, CONTROL_B, control | ALARM);
}

static void cancel_alarm(struct call *c) {
    uint8_t control = cmos_in(c->bios, CONTROL_B);
    cmos_out(c->bios, CONTROL_B, (uint8_t)(control & ~ALARM));
    c->ah = 0;
    c->al = control;
    set_carry(c, false);
}

static void answer_time(struct call *c, struct words *w) { words_add(w, "%02x:%02x:%02x", c->ch, c->cl, c->dh); }
static void answer_date(struct call *c, struct words *w) { words_add(w, "%02x%02x-%02x-%02x", c->ch, c->cl, c->dh, c->dl); }

/* INT 70h: reading the register C ends the clock's request. */
static void clock_interrupt(struct call *c) {
    uint8_t causes = cmos_in(c->bios, CONTROL_C);
    c->silent = true;
    end_flag_wait(c->bios);
    bool alarm = causes & ALARM && cmos_in(c->bios, CONTROL_B) & ALARM;
    c->pc = alarm && !vector_is_ours(c->bios, 0x4a) ? ROM_ALARM_HOOK : ROM_EOI2;
}

static void after_alarm(struct call *c) {
    c->silent = true;
    c->pc = ROM_EOI2;
}

/* --- waits --------------------------------------------------------------------------------------------------- */

enum { TICK_NS = 54925494 };

static uint64_t microseconds(const struct call *c) { return ((uint64_t)c->cx << 16 | c->dx) * 1000; }

static void wait_until(struct call *c, uint64_t deadline) {
    if (deadline - guest_time(c->bios) > TICK_NS)
        wait_here(c);
    else
        c->pc = ROM_SPIN;
}

static void wait(struct call *c) {
    uint32_t at = ebda(c->bios, EBDA_DEADLINE);
    if (!need_chips(c))
        return;
    if (!wait_goes_on(c))
        poke64(c->bios, at, guest_time(c->bios) + microseconds(c));
    uint64_t deadline = peek64(c->bios, at);
    set_carry(c, false);
    if (guest_time(c->bios) < deadline)
        wait_until(c, deadline);
    else
        c->ah = 0;
}

static void ask_wait(struct call *c, struct words *w) {
    words_add(w, "%llu microseconds", (unsigned long long)microseconds(c) / 1000);
}

/* AH=83: bit 7 of the byte at ES:BX is set when the time is over; AL=1: not any more. */
static void set_flag_later(struct call *c) {
    struct bios *b = c->bios;
    uint32_t at = ebda(b, EBDA_FLAG_DEADLINE);
    bool busy = peek64(b, at), cancels = c->al == 1;
    if (!need_chips(c))
        return;
    c->ah = 0;
    set_carry(c, busy && !cancels);
    if (busy && !cancels)
        return;
    poke64(b, at, cancels ? 0 : guest_time(b) + microseconds(c));
    poke8(b, BDA_WAIT_ACTIVE, !cancels);
    tick_by_clock(b, !cancels);
    poke16(b, BDA_WAIT_FLAG, c->bx);
    poke16(b, BDA_WAIT_FLAG + 2, c->es);
}

static const struct service list[] = {
    ROW(0x08, BY_ALL, "IRQ 0, timer", tick),
    ROW(ROM_TICK_HOOK + ROM_HOOK_OUT, BY_ALL, "a tick, after int 1Ch", after_tick),
    ROW(ROM_ALARM_HOOK + ROM_HOOK_OUT, BY_ALL, "an alarm, after int 4Ah", after_alarm),
    TOLD(0x15, BY_AX(0x8300), "set a flag later", set_flag_later, ask_wait, NULL),
    ROW(0x15, BY_AX(0x8301), "set no flag", set_flag_later),
    TOLD(0x15, BY_AH(0x86), "wait", wait, ask_wait, NULL),
    TOLD(0x1a, BY_AH(0x00), "ticks since midnight", get_ticks, NULL, answer_ticks),
    ROW(0x1a, BY_AH(0x01), "set the ticks", set_ticks),
    TOLD(0x1a, BY_AH(0x02), "time of the clock", get_time, NULL, answer_time),
    ROW(0x1a, BY_AH(0x03), "set the clock's time", set_time),
    TOLD(0x1a, BY_AH(0x04), "date of the clock", get_date, NULL, answer_date),
    ROW(0x1a, BY_AH(0x05), "set the clock's date", set_date),
    ROW(0x1a, BY_AH(0x06), "set the alarm", set_alarm),
    ROW(0x1a, BY_AH(0x07), "cancel the alarm", cancel_alarm),
    ROW(0x1c, BY_ALL, "a tick", nobody_ticks),
    ROW(0x1b, BY_ALL, "Ctrl-Break", nobody_ticks),
    ROW(0x4a, BY_ALL, "alarm", nobody_ticks),
    ROW(0x70, BY_ALL, "IRQ 8, clock", clock_interrupt),
};
const struct services services_time = {list, sizeof list / sizeof *list};

/* A machine starts at midnight: then the same input is the same run. INT 1Ah/02h has the time. */
void time_post(struct bios *b) {
    poke32(b, BDA_TICKS, 0);
}
