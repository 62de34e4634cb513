/* The real-time clock of the CMOS chip, an MC146818: registers 0 to 0Dh, and the century at
 * 32h; IRQ 8. Sections are those of its data sheet.
 *
 * The host is asked for the time once, when the guest first looks; from there on it goes with
 * the guest's time, so that what interrupts by it and what is read agree, and a run in virtual
 * time is the same again.
 *
 * Rule: nothing counts. What has happened since it was looked at last follows from the time.
 */
#ifndef MINIKVM_RTC_H
#define MINIKVM_RTC_H

#include "vmm/devices/bus.h"

enum { RTC_ALARM_S = 1, RTC_ALARM_M = 3, RTC_ALARM_H = 5, RTC_A = 10, RTC_B, RTC_C, RTC_D, RTC_CENTURY = 0x32 };

struct rtc {
    const struct board *board;
    uint8_t *ram;        /* of the chip: its registers 0 to 0Dh have their places there */
    bool asked;          /* the host was, and what follows is set */
    int64_t since;       /* guest time, ns, at which the clock said `seconds`; may be before 0 */
    int64_t seconds;     /* since 1970 */
    bool raw;            /* registers are as they were written, until `raw_second` is over */
    int64_t raw_second;
    uint64_t seen;       /* what came until then is in the flags */
    uint64_t due;        /* when it interrupts next; UINT64_MAX: never */
    bool line;
};

void rtc_power_on(struct rtc *);
/* The reset pin: no interrupts (page 8). */
void rtc_reset(struct rtc *);
/* One of its registers? */
bool rtc_has(uint8_t index);
uint8_t rtc_read(struct rtc *, uint8_t index);
void rtc_write(struct rtc *, uint8_t index, uint8_t value);
/* Does what is due; returns when there is more. */
uint64_t rtc_advance(struct rtc *);
/* Its nanoseconds since `since`, and back: guest time is another one when the engine is. */
uint64_t rtc_age(const struct rtc *);
void rtc_set_age(struct rtc *, uint64_t age);

#endif
