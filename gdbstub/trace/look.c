/* Looking at what a trace has collected: QTFrame, and then registers, memory and trace
 * state variables as they were (GDB manual, "Tracepoint Packets").
 *
 * Rule: while a frame is selected nothing of the present is shown as if it were of the
 * frame, but memory that no program writes (QTro), and nothing can be changed.
 */
#include <string.h>

#include "gdbstub/layout.h"
#include "gdbstub/reply.h"
#include "gdbstub/trace/packets.h"

/* NULL: the client looks at the present. */
static const struct frame *selected_frame(const struct trace *t) {
    return t->selected < 0 ? NULL : frames_get(&t->frames, (size_t)t->selected);
}

bool trace_frame_selected(const void *state) { return selected_frame(state); }

/* --- which frame ------------------------------------------------------------------------ */

struct wanted {
    enum { BY_PC, BY_TRACEPOINT, BY_RANGE, BY_OUTSIDE } by;
    uint64_t first, last;
};

static bool fits(const struct frame *f, const struct wanted *w) {
    bool inside = f->pc >= w->first && f->pc <= w->last;
    switch (w->by) {
    case BY_PC: return f->pc == w->first;
    case BY_TRACEPOINT: return f->tracepoint == w->first;
    case BY_RANGE: return inside;
    default: return !inside;
    }
}

static bool parse_wanted(struct cursor *c, struct wanted *w) {
    static const char *const words[] = {"pc:", "tdp:", "range:", "outside:"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!cursor_word(c, words[i]))
            continue;
        w->by = (int)i;
        return cursor_number(c, &w->first) &&
               (i < BY_RANGE || (cursor_char(c, ':') && cursor_number(c, &w->last)));
    }
    return false;
}

/* The next one after the selected frame. */
static bool find_frame(const struct trace *t, const struct wanted *w, uint64_t *number) {
    for (*number = (uint64_t)(t->selected + 1); *number < t->frames.count; ++*number)
        if (fits(frames_get(&t->frames, (size_t)*number), w))
            return true;
    return false;
}

/* A number without a frame leaves the selection as it is; -1 selects the present. */
void packet_trace_frame(struct session *s, struct cursor arguments) {
    struct trace *t = trace_of(s);
    struct wanted wanted;
    uint64_t number;
    struct cursor other = arguments;
    bool found = parse_wanted(&other, &wanted) ? find_frame(t, &wanted, &number)
                                               : cursor_number(&arguments, &number);
    if (found && number == 0xffffffff) { /* -1 */
        t->selected = -1;
        reply_ok(s);
        return;
    }
    if (!found || number >= t->frames.count) {
        buffer_text(&s->reply, "F-1");
        return;
    }
    t->selected = (long)number;
    buffer_printf(&s->reply, "F%lxT%x", t->selected, selected_frame(trace_of(s))->tracepoint);
}

/* --- registers ------------------------------------------------------------------------------ */

/* The same register in the layout that the frame was made with; its count: none. */
static unsigned number_then(const struct gdb_description *then, const struct gdb_description *d,
                            unsigned number) {
    unsigned i = 0;
    if (then == d)
        return number;
    while (i < then->count && (strcmp(then->registers[i].name, d->registers[number].name) ||
                               then->registers[i].bits != d->registers[number].bits))
        i++;
    return i;
}

/* The block with it, and where it is in there. */
static bool find_register(const struct frame *f, unsigned number, struct frame_block *b,
                          size_t *offset) {
    *offset = 0;
    if (number >= f->layout->count)
        return false;
    if (!f->layout->registers[number].in_g)
        return frame_find(f, 'r', number, b);
    for (unsigned i = 0; i < number; i++)
        *offset += register_size(&f->layout->registers[i]);
    return frame_find(f, 'R', 0, b);
}

bool trace_read_register(const void *state, const struct gdb_description *d, unsigned number,
                         uint8_t *value) {
    const struct frame *f = selected_frame(state);
    struct frame_block b;
    size_t offset;
    if (find_register(f, number_then(f->layout, d, number), &b, &offset)) {
        memcpy(value, b.data + offset, register_size(&d->registers[number]));
        return true;
    }
    for (unsigned i = 0; i < 8; i++)
        value[i] = (uint8_t)(f->pc >> 8 * i);
    return number == register_pc_number(d); /* that is known of every frame */
}

/* --- memory ----------------------------------------------------------------------------------- */

static size_t read_frame_block(const struct frame *f, uint64_t address, uint8_t *to, size_t size) {
    struct frame_block b;
    if (!frame_find(f, 'M', address, &b))
        return 0;
    size_t skip = (size_t)(address - b.name), part = b.length - skip;
    part = part < size ? part : size;
    memcpy(to, b.data + skip, part);
    return part;
}

static size_t read_readonly(struct session *s, struct gdb_thread thread, uint64_t address,
                            uint8_t *to, size_t size) {
    const struct trace *t = trace_of(s);
    for (size_t i = 0; i < t->readonly_count; i++) {
        if (address < t->readonly[i].start || address >= t->readonly[i].end)
            continue;
        uint64_t left = t->readonly[i].end - address;
        size_t part = left < size ? (size_t)left : size;
        return s->target->ops->read_memory(s->target->context, thread, address, to, part);
    }
    return 0;
}

size_t trace_read_memory(struct session *s, struct gdb_thread thread, uint64_t address, uint8_t *to,
                         size_t size) {
    size_t done = 0, part;
    do {
        part =
            read_frame_block(selected_frame(trace_of(s)), address + done, to + done, size - done);
        if (!part)
            part = read_readonly(s, thread, address + done, to + done, size - done);
        done += part;
    } while (part && done < size);
    return done;
}

/* Which memory was collected: gdb shows the rest as <unavailable>. */
void packet_trace_info(struct session *s, struct cursor arguments) {
    const struct frame *f = selected_frame(trace_of(s));
    struct frame_block b = {0};
    struct buffer document;
    if (!f || !cursor_char(&arguments, ':')) {
        reply_failure(s);
        return;
    }
    buffer_init(&document, TABLE_MAX);
    buffer_text(&document, "<traceframe-info>\n");
    while (frame_next(f, &b))
        if (b.kind == 'M')
            buffer_printf(&document, "<memory start=\"0x%llx\" length=\"0x%zx\"/>\n",
                          (unsigned long long)b.name, b.length);
        else if (b.kind == 'V')
            buffer_printf(&document, "<tvar id=\"0x%llx\"/>\n", (unsigned long long)b.name);
    buffer_text(&document, "</traceframe-info>\n");
    reply_piece(s, arguments, &document);
    buffer_free(&document);
}

/* --- the rest -----------------------------------------------------------------------------------
 */

/* In the frame, or now. */
void packet_trace_value(struct session *s, struct cursor arguments) {
    const struct frame *f = selected_frame(trace_of(s));
    const struct trace_variable *v;
    struct frame_block b;
    uint64_t number, value = 0;
    bool known = false;
    if (!cursor_number(&arguments, &number) || !cursor_done(&arguments)) {
        reply_failure(s);
        return;
    }
    if (f && frame_find(f, 'V', number, &b)) {
        memcpy(&value, b.data, sizeof value);
        known = true;
    } else if (!f && (v = trace_variable(trace_of(s), number))) {
        value = (uint64_t)v->value;
        known = true;
    }
    if (known)
        buffer_printf(&s->reply, "V%llx", (unsigned long long)value);
    else
        buffer_char(&s->reply, 'U');
}

/* "OFFSET,LENGTH" of what goes into a trace file; `l`: there is no more. */
void packet_trace_raw(struct session *s, struct cursor arguments) {
    struct buffer bytes;
    uint64_t offset, length;
    if (!cursor_range(&arguments, &offset, &length) || !cursor_done(&arguments)) {
        reply_failure(s);
        return;
    }
    size_t size = length < FRAMING_PACKET_SIZE / 2 ? (size_t)length : FRAMING_PACKET_SIZE / 2;
    buffer_init(&bytes, size);
    frames_export(&trace_of(s)->frames, offset, size, &bytes);
    if (bytes.length)
        buffer_hex(&s->reply, bytes.data, bytes.length);
    else
        buffer_char(&s->reply, 'l');
    buffer_free(&bytes);
}
