/* The operations that a machine knows the past by; see recorder.h. */
#include "vmm/replay/recorder.h"

#include "vmm/replay/history.h"
#include "vmm/replay/replay.h"
#include "vmm/replay/reverse.h"

static bool in_past(const struct machine *m) { return history_in_past(m); }

const struct recorder replay_recorder = {
    .open = replay_open, .check = replay_check, .begin = history_begin, .close = replay_close,
    .forget = history_close, .in_past = in_past, .is_silent = history_is_silent,
    .resume_back = reverse_resume,
    .before_run = history_before_run, .at_limit = history_at_limit, .stopped = history_stopped,
    .wants_input = history_wants_input, .input_is_over = history_input_over,
    .deliver = history_deliver, .tick = history_tick, .defer_irq = history_defer_irq,
    .clock = history_clock, .wait = history_wait,
    .may_sleep = history_may_sleep, .idle = history_idle, .woken = history_woken,
};
