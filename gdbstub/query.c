/* Queries and settings: qSupported, qXfer and what is small (GDB manual,
 * "General Query Packets").
 *
 * Rule: a document is made anew for each piece that is read. gdb reads it in one
 * go while the target stands still, so that the pieces fit together.
 */
#include "gdbstub/extension.h"
#include "gdbstub/layout.h"
#include "gdbstub/modes.h"
#include "gdbstub/reply.h"
#include "gdbstub/threads.h"
#include "gdbstub/xml.h"

#include <string.h>

/* --- qSupported ------------------------------------------------------------------ */

static void note_feature(struct session *s, struct cursor feature) {
    const struct {
        const char *text;
        bool *said;
    } known[] = {
        {"multiprocess+", &s->client.features.multiprocess},
        {"swbreak+", &s->client.features.swbreak},
        {"hwbreak+", &s->client.features.hwbreak},
        {"error-message+", &s->client.features.error_message},
        {"exec-events+", &s->client.features.exec_events},
        {"qRelocInsn+", &s->framing.runs}, /* gdb, and no other client: the others need not
                                           read runs, and are not all known to */
        {"xmlRegisters=i386", &s->client.features.xml},
        {"single-inf-arg+", &s->client.features.after_gdb_16},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct cursor rest = feature;
        if (cursor_word(&rest, known[i].text) && cursor_done(&rest))
            *known[i].said = true;
    }
}

/* Within a connection a client gains features and loses none: who asks once more in
 * the middle (`maintenance packet qSupported`) names none and has not changed. */
void packet_supported(struct session *s, struct cursor arguments) {
    cursor_char(&arguments, ':');
    while (!cursor_done(&arguments))
        note_feature(s, cursor_until(&arguments, ';'));
    buffer_printf(&s->reply, "PacketSize=%x;", FRAMING_PACKET_SIZE);
    buffer_text(&s->reply,
                "QStartNoAckMode+;multiprocess+;swbreak+;hwbreak+;vContSupported+;"
                "qXfer:features:read+;qXfer:threads:read+;qXfer:exec-file:read+;"
                "QPassSignals+;QProgramSignals+;binary-upload+;QThreadEvents+;QNonStop+;"
                "ConditionalBreakpoints+;BreakpointCommands+;ReverseStep+;ReverseContinue+");
    if (s->extension)
        buffer_text(&s->reply, s->extension->features);
    if (s->target->ops->libraries)
        buffer_text(&s->reply, ";qXfer:libraries:read+");
    if (s->target->ops->table)
        buffer_text(&s->reply, ";qXfer:osdata:read+");
    if (s->client.features.exec_events)
        buffer_text(&s->reply, ";exec-events+");
    if (s->client.features.error_message)
        buffer_text(&s->reply, ";error-message+");
}

/* The OK itself is still sent, and acknowledged, in the old way. */
void packet_no_ack(struct session *s, struct cursor arguments) {
    (void)arguments;
    s->request.no_ack_next = true;
    reply_ok(s);
}

/* --- signals ----------------------------------------------------------------------- */

static bool parse_signals(struct cursor c, bool *set) {
    memset(set, 0, SIGNALS_MAX * sizeof *set);
    while (!cursor_done(&c)) {
        struct cursor part = cursor_until(&c, ';');
        uint64_t signal;
        if (!cursor_number(&part, &signal) || !cursor_done(&part) || signal >= SIGNALS_MAX)
            return false;
        set[signal] = true;
    }
    return true;
}

void packet_pass_signals(struct session *s, struct cursor arguments) {
    bool set[SIGNALS_MAX];
    if (!parse_signals(arguments, set)) {
        reply_failure(s);
        return;
    }
    memcpy(s->client.passed, set, sizeof set);
    reply_ok(s);
}

/* Which signals a guest takes is the guest's affair; the list is only checked. */
void packet_program_signals(struct session *s, struct cursor arguments) {
    bool set[SIGNALS_MAX];
    if (parse_signals(arguments, set))
        reply_ok(s);
    else
        reply_failure(s);
}

void packet_thread_events(struct session *s, struct cursor arguments) {
    if ((cursor_char(&arguments, '0') || cursor_char(&arguments, '1')) && cursor_done(&arguments))
        reply_ok(s);
    else
        reply_failure(s);
}

void packet_symbol(struct session *s, struct cursor arguments) {
    (void)arguments;
    reply_ok(s);
}

/* --- qXfer --------------------------------------------------------------------------- */

static void send_piece(struct session *s, struct cursor range, struct buffer *document) {
    reply_piece(s, range, document);
    buffer_free(document);
}

/* From its first piece on the client believes in this description. */
static const struct process *process_to_describe(struct session *s, struct cursor range) {
    struct gdb_thread thread;
    uint64_t offset, length;
    bool known = (s->modes.asked_about && thread_first(s, s->modes.asked_about, &thread)) ||
                 thread_current(s, &thread);
    if (!known || !cursor_range(&range, &offset, &length))
        return NULL;
    struct process *p = process_find(s, thread.pid);
    if (!p->mode.described || !offset) {
        const struct gdb_description *d = s->target->ops->describe(s->target->context, thread);
        layout_doubt(p, d);
        p->mode.described = p->mode.announced = d;
        p->mode.reads = true;
    }
    return p;
}

/* "ANNEX:OFFSET,LENGTH" */
void packet_features(struct session *s, struct cursor arguments) {
    struct buffer document;
    s->modes.asked_description = true;
    s->modes.own_description = false;
    struct cursor annex = cursor_until(&arguments, ':');
    bool known = cursor_word(&annex, "target.xml") && cursor_done(&annex);
    const struct process *p = known ? process_to_describe(s, arguments) : NULL;
    if (!p) {
        reply_failure(s);
        return;
    }
    buffer_init(&document, DOCUMENT_MAX);
    xml_description(&document, p->mode.described);
    if (p->mode.probes) /* other text, other layout: gdb forgets how short `g` was (modes.c) */
        buffer_printf(&document, "<!-- %u -->\n", p->mode.probes);
    send_piece(s, arguments, &document);
}

void packet_xfer_threads(struct session *s, struct cursor arguments) {
    struct buffer document;
    if (!cursor_char(&arguments, ':')) {
        reply_failure(s);
        return;
    }
    modes_threads_listed(s);
    buffer_init(&document, DOCUMENT_MAX);
    xml_threads(s, &document);
    send_piece(s, arguments, &document);
}
