/* INT 15h, AH=53h: power management (APM BIOS Interface Specification 1.2), for programs that
 * switch the machine off. The interface is that of real mode; there is no battery, nothing
 * sleeps, and no event comes.
 */
#include "vmm/board/bios/call.h"

enum {
    APM_CONNECTED = 0x02, APM_NOT_CONNECTED = 0x03, APM_NOT_SUPPORTED = 0x06,
    APM_BAD_DEVICE = 0x09, APM_BAD_VALUE = 0x0a, APM_NO_EVENT = 0x80,
};
enum { VERSION = 0x0102, ALL_DEVICES = 1, STATE_OFF = 3, STATES = 4 };

static void power_done(struct call *c) { set_carry(c, false); }

static void power_refuse(struct call *c, uint8_t error) {
    c->ah = error;
    set_carry(c, true);
}

/* 4.6.1: version in BCD, and that no interface of protected mode is there. */
static void apm_check(struct call *c) {
    if (c->bx) {
        power_refuse(c, APM_BAD_DEVICE);
        return;
    }
    c->ax = VERSION;
    c->bx = 'P' << 8 | 'M';
    c->cx = 0;
    power_done(c);
}

/* --- connections ------------------------------------------------------------------------ */

static bool is_connected(struct call *c) { return peek8(c->bios, ebda(c->bios, EBDA_APM)); }

static void apm_connect(struct call *c) {
    if (is_connected(c)) {
        power_refuse(c, APM_CONNECTED);
        return;
    }
    poke8(c->bios, ebda(c->bios, EBDA_APM), 1);
    power_done(c);
}

static void apm_disconnect(struct call *c) {
    if (!is_connected(c)) {
        power_refuse(c, APM_NOT_CONNECTED);
        return;
    }
    poke8(c->bios, ebda(c->bios, EBDA_APM), 0);
    power_done(c);
}

static void apm_no_protected_mode(struct call *c) { power_refuse(c, APM_NOT_SUPPORTED); }

/* --- states ----------------------------------------------------------------------------- */

static void apm_accept(struct call *c) { power_done(c); }

/* 4.6.8. Of all devices, off is the end. A guest need not have connected: many programs do not,
 * and most BIOSes let them. */
static void apm_set_state(struct call *c) {
    if (c->cx >= STATES) {
        power_refuse(c, APM_BAD_VALUE);
        return;
    }
    power_done(c);
    if (c->bx != ALL_DEVICES || c->cx != STATE_OFF)
        return;
    const struct pc_board *board = c->bios->board;
    board->hooks->end(board->machine, c->bios->cpu, 0);
    c->stop = true;
}

static void ask_state(struct call *c, struct words *w) {
    static const char *const states[STATES] = {"enabled", "standby", "suspended", "off"};
    words_add(w, "%s: %s", c->bx == ALL_DEVICES ? "all devices" : "a device",
              c->cx < STATES ? states[c->cx] : "no such state");
}

static void apm_get_state(struct call *c) {
    c->cx = 0; /* enabled */
    power_done(c);
}

/* 4.6.11: on line, and no battery. */
static void apm_power_status(struct call *c) {
    c->bx = 0x01ff;
    c->cx = 0x80ff;
    c->dx = 0xffff;
    power_done(c);
}

static void apm_event(struct call *c) { power_refuse(c, APM_NO_EVENT); }

static void apm_version(struct call *c) {
    c->ax = VERSION;
    power_done(c);
}

/* --- the table -------------------------------------------------------------------------- */

static const struct service list[] = {
    ROW(0x15, BY_AX(0x5300), "is there APM", apm_check),
    ROW(0x15, BY_AX(0x5301), "APM: connect", apm_connect),
    ROW(0x15, BY_AX(0x5302), "APM: connect, 16-bit", apm_no_protected_mode),
    ROW(0x15, BY_AX(0x5303), "APM: connect, 32-bit", apm_no_protected_mode),
    ROW(0x15, BY_AX(0x5304), "APM: disconnect", apm_disconnect),
    ROW(0x15, BY_AX(0x5305), "APM: the CPU is idle", apm_accept),
    ROW(0x15, BY_AX(0x5306), "APM: the CPU is busy", apm_accept),
    TOLD(0x15, BY_AX(0x5307), "APM: set a power state", apm_set_state, ask_state, NULL),
    ROW(0x15, BY_AX(0x5308), "APM: power management on or off", apm_accept),
    ROW(0x15, BY_AX(0x5309), "APM: restore defaults", apm_accept),
    ROW(0x15, BY_AX(0x530a), "APM: power status", apm_power_status),
    ROW(0x15, BY_AX(0x530b), "APM: next event", apm_event),
    ROW(0x15, BY_AX(0x530c), "APM: get a power state", apm_get_state),
    ROW(0x15, BY_AX(0x530d), "APM: a device's management", apm_accept),
    ROW(0x15, BY_AX(0x530e), "APM: version of the driver", apm_version),
    ROW(0x15, BY_AX(0x530f), "APM: engage", apm_accept),
    ROW(0x15, BY_AH(0x53), "APM: no such function", apm_no_protected_mode),
};
const struct services services_power = {list, sizeof list / sizeof *list};
