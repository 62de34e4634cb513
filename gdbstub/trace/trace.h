/* Tracepoints: places where the guest does not stop; registers and memory are recorded
 * in a trace frame instead (GDB manual, "Tracepoint Packets").
 *
 *     QTinit QTDP… QTDV QTStart     say what, and begin      define.c, run.c
 *     a hit, a step                 collect a frame        trace.c, on the target's thread
 *     QTFrame, then g, p, m, qTV    look at a frame          look.c
 *
 * A trace is about one process, that of QTinit. Its frames outlive the run, the
 * tracepoints and the client.
 *
 * Rule: what a client may define is bounded, and checked when it comes. There is no
 * lock: packets are handled only while the traced process stands still.
 */
#ifndef GDBSTUB_TRACE_H
#define GDBSTUB_TRACE_H

#include "gdbstub/agent/agent.h"
#include "gdbstub/session.h"
#include "gdbstub/trace/frames.h"

enum {
    TRACEPOINTS_MAX = 256,
    TRACE_VARIABLES_MAX = 256,
    TRACE_NAME_MAX = 64,
    TRACE_REGISTERS_MAX = 256,
    TRACE_READONLY_MAX = 64,       /* ranges of QTro */
    TRACE_NOTE_MAX = 512,          /* hex digits of one of QTNotes */
    TRACE_DEFINED_MAX = 256 * 1024 /* characters of all actions and their sources */
};

struct trace;

/* One thing to collect, or a condition. */
struct trace_item {
    struct trace_item *next;
    bool expression; /* else memory */
    int base;        /* the register that `offset` is relative to; -1: none */
    uint64_t offset, length;
    uint8_t code[]; /* `length` bytes, checked */
};

/* What a hit, or a step after one, collects. */
struct collection {
    bool registers;
    uint64_t mask[TRACE_REGISTERS_MAX / 64];
    struct trace_item *first, **last;
};

struct tracepoint {
    struct trace *trace;
    unsigned number;
    uint64_t address;
    const struct gdb_description *layout; /* what its register numbers mean */
    bool enabled, whole;                  /* whole: all packets of its definition have come */
    bool inserted;
    uint64_t steps, passes; /* after a hit; until the run ends */
    struct trace_item *condition;
    struct collection at_hit, at_step;
    uint64_t hits, usage, left; /* left: of the steps after the latest hit */
};

struct trace_variable {
    unsigned number;
    bool builtin;
    int64_t initial, value;
    char name[TRACE_NAME_MAX]; /* in hex, as it came */
};

enum trace_end {
    TRACE_NOT_RUN,
    TRACE_UNKNOWN,
    TRACE_COMMAND,
    TRACE_FULL,
    TRACE_DISCONNECTED,
    TRACE_PASSED,
    TRACE_ERROR
};

struct trace {
    int pid; /* 0: QTinit never came */
    bool running, disconnected;
    enum trace_end end;
    const char *error;         /* of TRACE_ERROR; what else than a command, of TRACE_COMMAND */
    unsigned end_number;       /* the tracepoint that it was due to */
    uint64_t started, stopped; /* microseconds since 1970 */
    struct tracepoint *tracepoints[TRACEPOINTS_MAX];
    size_t point_count;
    struct trace_variable variables[TRACE_VARIABLES_MAX];
    size_t variable_count;
    struct {
        uint64_t start, end;
    } readonly[TRACE_READONLY_MAX];
    size_t readonly_count;
    char user[TRACE_NOTE_MAX + 1], notes[TRACE_NOTE_MAX + 1], why[TRACE_NOTE_MAX + 1]; /* hex */
    struct buffer defined; /* actions and sources, as qTfP tells them; each ends with NUL */
    size_t reported_points, reported_definitions, reported_variables; /* by qTfP, qTfV */
    struct frames frames;
    struct buffer blocks; /* of the frame in the making */
    long selected;        /* the frame that the client looks at; -1: the present */
};

/* What the session keeps for this extension. */
static inline struct trace *trace_of(const struct session *s) { return s->extension_state; }

void trace_init(struct trace *);
void trace_free(struct trace *);
/* Forgets the trace; the size and kind of the buffer stay. */
void trace_clear(struct trace *);
void tracepoint_clear(struct tracepoint *); /* of what it is to collect, and when */
void trace_begin(struct trace *);
void trace_finish(struct trace *, enum trace_end, unsigned number, const char *error);
struct trace_variable *trace_variable(struct trace *, uint64_t number);

/* "NUMBER:ADDRESS" and the ':' behind it; the tracepoint that is defined there, or NULL. */
bool trace_parse_place(struct cursor *, uint64_t *number, uint64_t *address);
struct tracepoint *trace_parse_point(struct session *, struct cursor *);

/* On the target's thread: the tracepoint was hit; an instruction after a hit was executed; is
 * the next instruction wanted, too? */
void trace_hit(struct trace *, struct tracepoint *, const struct gdb_agent_host *);
void trace_step(struct trace *, struct tracepoint *, const struct gdb_agent_host *);
bool trace_follows(const struct trace *, const struct tracepoint *);

#endif
