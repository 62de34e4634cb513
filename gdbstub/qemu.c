/* Packets of QEMU's stub that clients know: a plugin reads physical memory by them,
 * people type them (`maintenance packet Qqemu.sstep=0x5`), and lldb asks for the name
 * (QEMU's documentation, "GDB usage"; lldb's, "qGDBServerVersion").
 *
 * Rule: what is set so is the target's own switch, so that it shows in the target's own
 * commands, too.
 */
#include "gdbstub/packets.h"
#include "gdbstub/reply.h"
#include "gdbstub/threads.h"

/* The bits of `sstep`: a step is one instruction; no interrupt enters; the timers stand. */
enum { SSTEP_ENABLE = 1, SSTEP_NOIRQ = 2, SSTEP_NOTIMER = 4 };
enum { ASK = -1 };

void packet_server_version(struct session *s, struct cursor arguments) {
    (void)arguments;
    if (s->target->name)
        buffer_printf(&s->reply, "name:%s;version:%s;", s->target->name, s->target->version);
}

void packet_qemu_supported(struct session *s, struct cursor arguments) {
    (void)arguments;
    buffer_text(&s->reply, "sstepbits;sstep;PhyMemMode");
}

void packet_physical(struct session *s, struct cursor arguments) {
    (void)arguments;
    if (s->target->ops->physical)
        buffer_printf(&s->reply, "%d", s->target->ops->physical(s->target->context, ASK));
}

void packet_set_physical(struct session *s, struct cursor arguments) {
    uint64_t on;
    if (!s->target->ops->physical)
        return; /* unknown, says the empty reply */
    if (!cursor_number(&arguments, &on) || !cursor_done(&arguments) || on > 1) {
        reply_failure(s);
        return;
    }
    s->target->ops->physical(s->target->context, (int)on);
    reply_ok(s);
}

void packet_sstep_bits(struct session *s, struct cursor arguments) {
    (void)arguments;
    buffer_printf(&s->reply, "ENABLE=%x,NOIRQ=%x,NOTIMER=%x", SSTEP_ENABLE, SSTEP_NOIRQ,
                  SSTEP_NOTIMER);
}

void packet_sstep(struct session *s, struct cursor arguments) {
    struct gdb_thread thread;
    (void)arguments;
    if (!s->target->ops->step_irqs || !thread_current(s, &thread))
        return;
    bool irqs = s->target->ops->step_irqs(s->target->context, thread, ASK);
    buffer_printf(&s->reply, "0x%x", SSTEP_ENABLE | SSTEP_NOTIMER | (irqs ? 0 : SSTEP_NOIRQ));
}

/* A step always is one instruction, and time stands still at a stop: of the three bits
 * only NOIRQ is a choice here. */
void packet_set_sstep(struct session *s, struct cursor arguments) {
    struct gdb_thread thread;
    uint64_t bits;
    if (!s->target->ops->step_irqs || !thread_current(s, &thread))
        return;
    cursor_word(&arguments, "0x");
    if (!cursor_number(&arguments, &bits) || !cursor_done(&arguments) || !(bits & SSTEP_ENABLE)) {
        reply_failure(s);
        return;
    }
    s->target->ops->step_irqs(s->target->context, thread, !(bits & SSTEP_NOIRQ));
    reply_ok(s);
}
