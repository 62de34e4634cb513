/* The PS/2 mouse; see mouse.h. */
#include "vmm/devices/mouse.h"

#include <string.h>

enum { ACK = 0xfa, RESEND = 0xfe, PASSED = 0xaa, WHEEL_ID = 3 };
enum { COUNT_MAX = 255, HELD_MAX = 4000 };

/* --- movements ------------------------------------------------------------------------------ */

static int16_t add_up(int16_t count, int by) {
    int sum = count + by;
    return (int16_t)(sum > HELD_MAX ? HELD_MAX : sum < -HELD_MAX ? -HELD_MAX : sum);
}

static void clear_counts(struct mouse *m) {
    m->x = m->y = m->wheel = 0;
    m->clicked = false;
}

/* What it may not send by itself is no reason to wait. */
bool mouse_takes(const struct mouse *m) { return !m->clicked || m->remote || m->wraps; }

/* Up is positive for a mouse. */
void mouse_event(struct mouse *m, const struct mouse_event *e) {
    uint8_t buttons = (m->buttons | e->pressed) & (uint8_t)~e->released;
    if (m->placed && m->reporting) {
        m->x = add_up(m->x, (e->column - m->column) * MOUSE_COLUMN);
        m->y = add_up(m->y, (m->row - e->row) * MOUSE_ROW);
    }
    m->placed = true;
    m->column = e->column;
    m->row = e->row;
    if (m->reporting)
        m->wheel = add_up(m->wheel, e->wheel);
    m->clicked = m->reporting && buttons != m->buttons;
    m->buttons = buttons;
}

/* --- packets ---------------------------------------------------------------------------------- */

/* As much as a packet holds; in stream mode the rest comes with the next one. */
static int take_count(int16_t *count, int most, bool keeps_rest, bool *overflow) {
    int taken = *count > most ? most : *count < -most ? -most : *count;
    *overflow = taken != *count && !keeps_rest;
    *count = keeps_rest ? (int16_t)(*count - taken) : 0;
    return taken;
}

/* Scaling 2:1, for what is sent without being asked. */
static int scaled_count(const struct mouse *m, int count) {
    static const uint8_t small[] = {0, 1, 1, 3, 6, 9};
    int size = count < 0 ? -count : count;
    if (!m->doubles || m->remote)
        return count;
    size = size < (int)sizeof small ? small[size] : 2 * size;
    return count < 0 ? -size : size;
}

static unsigned put_packet(struct mouse *m, bool asked, uint8_t *packet) {
    bool over_x, over_y, over_wheel;
    int most = m->doubles && !asked ? COUNT_MAX / 2 : COUNT_MAX;
    int x = take_count(&m->x, most, !asked, &over_x), y = take_count(&m->y, most, !asked, &over_y);
    if (m->id != WHEEL_ID)
        m->wheel = 0;
    int wheel = take_count(&m->wheel, 7, !asked, &over_wheel);
    if (!asked)
        x = scaled_count(m, x), y = scaled_count(m, y);
    packet[0] = (uint8_t)(8 | m->buttons | (x < 0) << 4 | (y < 0) << 5 | over_x << 6 | over_y << 7);
    packet[1] = (uint8_t)x;
    packet[2] = (uint8_t)y;
    packet[3] = (uint8_t)wheel;
    m->clicked = false;
    m->last_length = m->id == WHEEL_ID ? 4 : 3;
    memcpy(m->last, packet, MOUSE_PACKET);
    return m->last_length;
}

unsigned mouse_packet(struct mouse *m, uint8_t packet[MOUSE_PACKET]) {
    bool news = m->x || m->y || m->clicked || (m->wheel && m->id == WHEEL_ID);
    return m->reporting && !m->remote && !m->wraps && news ? put_packet(m, false, packet) : 0;
}

/* --- commands ----------------------------------------------------------------------------------- */

static void set_defaults(struct mouse *m) {
    m->reporting = m->remote = m->wraps = m->doubles = false;
    m->rate = 100;
    m->resolution = 2;
    clear_counts(m);
}

void mouse_power_on(struct mouse *m) {
    *m = (struct mouse){.buttons = 0};
    set_defaults(m);
}

/* 200, 100, 80: a mouse with a wheel becomes one. */
static void set_rate(struct mouse *m, uint8_t rate) {
    if (m->rates[0] == 200 && m->rates[1] == 100 && rate == 80)
        m->id = WHEEL_ID;
    m->rates[0] = m->rates[1];
    m->rates[1] = m->rate = rate;
}

static unsigned take_parameter(struct mouse *m, uint8_t command, uint8_t value, uint8_t *answer) {
    bool good = command == 0xf3 ? value != 0 && value <= 200 : value <= 3;
    *answer = good ? ACK : RESEND;
    if (good && command == 0xf3)
        set_rate(m, value);
    else if (good)
        m->resolution = value;
    return 1;
}

static unsigned put_status(const struct mouse *m, uint8_t *to) {
    unsigned left = m->buttons & MOUSE_LEFT, right = m->buttons >> 1 & 1, middle = m->buttons >> 2 & 1;
    to[0] = (uint8_t)(m->remote << 6 | m->reporting << 5 | m->doubles << 4 | left << 2 | middle << 1 | right);
    to[1] = m->resolution;
    to[2] = m->rate;
    return 3;
}

static unsigned send_again(const struct mouse *m, uint8_t *answer) {
    memcpy(answer, m->last, MOUSE_PACKET);
    return m->last_length;
}

static unsigned reset_mouse(struct mouse *m, uint8_t *answer) {
    m->id = 0;
    m->rates[0] = m->rates[1] = 0;
    set_defaults(m);
    answer[1] = PASSED;
    answer[2] = 0;
    return 3;
}

/* What it acknowledges; 0: no such command. */
static unsigned obey(struct mouse *m, uint8_t command, uint8_t *answer) {
    switch (command) {
    case 0xe6: case 0xe7: m->doubles = command & 1; return 1;
    case 0xe8: case 0xf3: m->parameter_of = command; return 1;
    case 0xe9: return 1 + put_status(m, answer + 1);
    case 0xea: m->remote = m->wraps = false; return 1;
    case 0xeb: return 1 + put_packet(m, true, answer + 1);
    case 0xec: m->wraps = false; return 1;
    case 0xee: m->wraps = true; return 1;
    case 0xf0: m->remote = true; return 1;
    case 0xf2: answer[1] = m->id; return 2;
    case 0xf4: m->reporting = true; return 1;
    case 0xf5: m->reporting = false; return 1;
    case 0xf6: set_defaults(m); return 1;
    case 0xff: return reset_mouse(m, answer);
    default: return 0;
    }
}

unsigned mouse_command(struct mouse *m, uint8_t byte, uint8_t answer[MOUSE_ANSWER]) {
    uint8_t waits = m->parameter_of;
    m->parameter_of = 0;
    if (m->wraps && byte != 0xec && byte != 0xff) {
        *answer = byte;
        return 1;
    }
    if (waits && byte < 0xe6)
        return take_parameter(m, waits, byte, answer);
    if (byte == RESEND)
        return send_again(m, answer);
    if (byte != 0xeb)
        clear_counts(m);
    *answer = ACK;
    unsigned length = obey(m, byte, answer);
    if (!length)
        *answer = RESEND;
    return length ? length : 1;
}
