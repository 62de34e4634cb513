/* Trace frames: what tracepoints have collected, in the order of time.
 *
 * A frame is a row of blocks. Those that gdb knows from its trace files have the
 * form that they have there (GDB manual, "Trace File Format"), numbers little-endian:
 *
 *     'R' the registers of a g packet
 *     'M' address (8 bytes) length (2 bytes) the memory
 *     'V' number (4 bytes) value (8 bytes)      a trace state variable
 *     'r' number (2 bytes) value                one register more; in no trace file
 *
 * Rule: all frames together stay below a size; beyond it nothing is added, or, in a
 * circular buffer, the oldest make room. A block never reaches past its frame.
 */
#ifndef GDBSTUB_TRACE_FRAMES_H
#define GDBSTUB_TRACE_FRAMES_H

#include "gdbstub/buffer.h"
#include "gdbstub/gdbstub.h"

enum { FRAMES_SIZE = 1 << 20, FRAMES_SIZE_MAX = 64 << 20 };

struct frame {
    unsigned tracepoint;
    uint64_t pc;
    const struct gdb_description *layout; /* of its registers */
    size_t length;
    uint8_t data[];
};

struct frames {
    struct frame **list; /* a ring */
    size_t head, count, room;
    size_t used, size; /* bytes */
    uint64_t created;  /* in all */
    bool circular;
};

struct frame_block {
    char kind;
    uint64_t name; /* 'M': the address; 'V', 'r': the number */
    const uint8_t *data;
    size_t length; /* of the data */
    const uint8_t *end;
};

void frames_clear(struct frames *); /* size and kind of buffer stay */
/* Makes a frame of blocks. false: it is full, and the frame is not kept. */
bool frames_add(struct frames *, const struct frame *head, const struct buffer *blocks);
const struct frame *frames_get(const struct frames *, size_t number);
/* Appends a part of what a trace file holds of all frames. */
void frames_export(const struct frames *, uint64_t offset, size_t length, struct buffer *);

/* Blocks for frames_add(), into a buffer that has a limit. */
void frame_put_memory(struct buffer *, uint64_t address, const void *data, size_t length);
void frame_put_variable(struct buffer *, uint32_t number, int64_t value);
void frame_put_register(struct buffer *, uint16_t number, const void *value, size_t size);

/* The next block (of *b all zero: the first). false: there is none. */
bool frame_next(const struct frame *, struct frame_block *b);
/* The block of this kind and name; the memory block that holds the address. */
bool frame_find(const struct frame *, char kind, uint64_t name, struct frame_block *);

#endif
