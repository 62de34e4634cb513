/* A server for the GDB remote serial protocol, as a library.
 *
 * It knows packets, sessions and the target interface below; nothing of what
 * the target is. The caller owns the event loop and the target:
 *
 *     server = gdb_server_open(address, &target, error, sizeof error);
 *     for (;;) {
 *         n = gdb_server_poll_fds(server, fds, max);   // what to wait for
 *         poll(fds, n + others, -1);
 *         gdb_server_handle(server);                    // reads, answers
 *         ... when something stopped: gdb_server_stopped(server, &stop);
 *     }
 *
 * Everything happens on the caller's thread, nothing blocks: sockets are
 * non-blocking, a client that does not read is not read from either.
 *
 * Rule: every byte of a client is hostile. Every length is checked before use,
 * memory for one session is bounded, and a bad packet gets an error reply.
 *
 * References are to the GDB manual, appendix "Remote Protocol".
 */
#ifndef GDBSTUB_H
#define GDBSTUB_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Processes and threads are numbered from 1, as in the protocol's thread-id. */
struct gdb_thread {
    int pid, tid;
};

/* Signals have gdb's own numbers (include/gdb/signals.def). */
enum {
    GDB_SIGNAL_0 = 0,
    GDB_SIGNAL_INT = 2,
    GDB_SIGNAL_ILL = 4,
    GDB_SIGNAL_TRAP = 5,
    GDB_SIGNAL_FPE = 8,
    GDB_SIGNAL_KILL = 9,
    GDB_SIGNAL_BUS = 10,
    GDB_SIGNAL_SEGV = 11,
    GDB_SIGNAL_TERM = 15,
};

/* In the order of the Z packets' digits. At a tracepoint no thread stops: its program
 * is run (gdb_program_stops(), which is false then). */
enum gdb_bp_kind { GDB_TRACE = -1, GDB_SWBREAK, GDB_HWBREAK, GDB_WATCH, GDB_RWATCH, GDB_AWATCH };

/* "Stop Reply Packets". */
struct gdb_stop {
    enum { GDB_STOPPED, GDB_EXITED, GDB_TERMINATED } kind;
    struct gdb_thread thread; /* for EXITED and TERMINATED only pid counts */
    int status;               /* STOPPED, TERMINATED: signal; EXITED: exit status */
    bool has_breakpoint;      /* STOPPED at a breakpoint or watchpoint of kind `point` */
    enum gdb_bp_kind point;
    uint64_t address; /* of a watchpoint: the address that was hit */
    bool stuck;       /* STOPPED as before, with nothing executed since */
    enum { GDB_LOG_NONE, GDB_LOG_BEGIN, GDB_LOG_END } log; /* STOPPED at an end of the recording */
};

/* --- descriptions of registers: "Target Description Format" --------------- */

struct gdb_field { /* of a flags or struct type, or one value of an enum */
    const char *name;
    int start, end;   /* bits, for flags and bit-field structs; enum: start = value;
                         struct of typed fields: start = -1 */
    const char *type; /* struct of typed fields, else NULL for bool/uint */
};
struct gdb_type {
    enum { GDB_TYPE_FLAGS, GDB_TYPE_STRUCT, GDB_TYPE_ENUM, GDB_TYPE_VECTOR, GDB_TYPE_UNION } kind;
    const char *id;
    unsigned size;                  /* bytes; for VECTOR: the count of elements */
    const char *element;            /* VECTOR: the element's type */
    const struct gdb_field *fields; /* ends with name == NULL */
    const char *feature;            /* where it belongs; NULL: as the description says */
};
struct gdb_register {
    const char *name;
    unsigned bits;
    const char *type;    /* "int32", "data_ptr", an id of ours …; the first "code_ptr"
                            of a description is the program counter */
    const char *feature; /* rows of one feature stand together */
    const char *group;   /* "general", "float", "vector", "system" or NULL */
    bool in_g;           /* part of the g packet; these come first */
    bool expedite;       /* sent with every stop reply */
    bool view;           /* shows a part of others: no client need save or restore it */
};
struct gdb_description {
    const char *architecture; /* "i8086", "i386", "i386:x86-64" */
    const struct gdb_register *registers;
    unsigned count;
    const struct gdb_type *types; /* ends with id == NULL, users after what they use; or NULL */
    const char *types_feature;    /* the feature that types without one of their own belong to */
    const char *vector_feature;   /* the same for VECTOR and UNION; NULL: types_feature */
};

/* Largest register, bytes. */
#define GDB_REGISTER_MAX 64

/* --- the target -------------------------------------------------------------
 * Calls come only while gdb_server_handle() or gdb_server_stopped() runs. The
 * thread named is stopped, except in threads(), thread_name(), running(),
 * alive(), interrupt(), and in detach() after a client has vanished. A stop
 * stops all threads of its process; when it is reported, running() of that process
 * is false already. "0 or error text": NULL is success, else a static sentence
 * for the user, sent as `E.text` where the packet allows that.
 */
enum gdb_resume { GDB_CONTINUE, GDB_STEP, GDB_RANGE, GDB_REVERSE_STEP, GDB_REVERSE_CONTINUE };
struct gdb_action {
    struct gdb_thread thread;
    enum gdb_resume how;
    int signal;          /* 0, or the signal to go on with */
    uint64_t start, end; /* RANGE: step while start <= pc < end */
};

/* A further file with symbols. */
struct gdb_library {
    const char *path;          /* absolute */
    uint64_t segment;          /* where its first segment lies, its headers included */
    const char *architectures; /* for clients whose description says one of these; NULL: any */
};

/* A table in the making. */
struct gdb_table;
void gdb_table_row(struct gdb_table *); /* begins a row */
/* Every row has the same columns. */
void gdb_table_cell(struct gdb_table *, const char *column, const char *text);

/* Conditions and commands of a breakpoint, checked; see agent.h. */
struct gdb_program;
struct gdb_agent_host;
/* Called when the breakpoint is hit, on any thread. true: the guest is to stop. false: it
 * continues, and commands, if there are any, have run. */
bool gdb_program_stops(const struct gdb_program *, const struct gdb_agent_host *);
/* Asked after that: is gdb_program_stepped() to be called after the next instruction, and then
 * this again? */
bool gdb_program_follows(const struct gdb_program *);
void gdb_program_stepped(const struct gdb_program *, const struct gdb_agent_host *);
/* Does it stay active after detach? */
bool gdb_program_persists(const struct gdb_program *);
/* What its register numbers mean. */
const struct gdb_description *gdb_program_layout(const struct gdb_program *);
void gdb_program_free(struct gdb_program *); /* or NULL */

struct gdb_out; /* where a monitor command writes; see gdb_print() */

struct gdb_target_ops {
    /* Fills up to max of the threads of all processes, ordered by pid, tid;
     * returns how many there are. */
    size_t (*threads)(void *target, struct gdb_thread *list, size_t max);
    /* Is a stop of this process still to come? Asked when a client attaches. */
    bool (*running)(void *target, int pid);
    /* One line about a thread ("vcpu0", "ring0 prot32"). */
    void (*thread_name)(void *target, struct gdb_thread, char *out, size_t size);
    void (*thread_extra)(void *target, struct gdb_thread, char *out, size_t size);

    /* The description that fits the thread's state of now. Static storage;
     * two calls that mean the same layout return the same pointer. */
    const struct gdb_description *(*describe)(void *target, struct gdb_thread);
    /* The description of that architecture. */
    const struct gdb_description *(*description_of)(void *target, const char *architecture);
    /* What the thread's CPU mode is called ("16-bit real mode"): no '/' in it, static
     * storage. Shown when the description changes; see gdbstub/modes.c. */
    const char *(*mode_name)(void *target, struct gdb_thread);
    /* Register `number` of description `d` (not always that of now: the one
     * last served), little-endian, (bits + 7) / 8 bytes; false: unavailable. */
    bool (*read_register)(void *target, struct gdb_thread, const struct gdb_description *d,
                          unsigned number, uint8_t *value);
    bool (*write_register)(void *target, struct gdb_thread, const struct gdb_description *d,
                           unsigned number, const uint8_t *value);
    /* Why write_register() refuses that one, whatever the value, in one sentence; NULL: it
     * does not. May be NULL. */
    const char *(*read_only)(void *target, const struct gdb_description *d, unsigned number);

    /* Return how many bytes were done, from the first on. */
    size_t (*read_memory)(void *target, struct gdb_thread, uint64_t address, void *to,
                          size_t length);
    size_t (*write_memory)(void *target, struct gdb_thread, uint64_t address, const void *from,
                           size_t length);

    /* The program (NULL: none) belongs to the target from then on, unless there is
     * an error; it takes the place of the one that the same point had. The length of
     * a tracepoint is its number: there may be many at an address. */
    const char *(*insert)(void *target, int pid, enum gdb_bp_kind, uint64_t address,
                          uint64_t length, struct gdb_program *program);
    const char *(*remove)(void *target, int pid, enum gdb_bp_kind, uint64_t address,
                          uint64_t length);
    /* Takes all points of a process out, but tracepoints. Inserting one twice is once. */
    void (*remove_all)(void *target, int pid);

    /* Let one thread go; its stop comes later by gdb_server_stopped(). */
    void (*resume)(void *target, const struct gdb_action *);
    /* Stop a thread's process soon; comes as a stop with GDB_SIGNAL_INT, or with
     * whatever it stopped at by itself before. Harmless when it is stopped. */
    void (*interrupt)(void *target, int pid);

    /* The client detaches from a process: its breakpoints go, and it runs again. An
     * interrupt that has not taken effect is cancelled. */
    void (*detach)(void *target, int pid);
    /* End a process (k, vKill) and remove its breakpoints. It may be restarted later. */
    void (*kill)(void *target, int pid);
    /* Restart a process from its image (R, vRun; image "": the same one), stopped at
     * its first instruction, without breakpoints; no stop is reported. It may be alive
     * or not. 0 or error text. */
    const char *(*restart)(void *target, int pid, const char *image);
    bool (*alive)(void *target, int pid);

    /* Absolute path of the file with the symbols, or NULL. */
    const char *(*exec_file)(void *target, int pid);

    /* Is a symbol there that has no type for a debugger: a label of an assembler's? NULL:
     * there are none. */
    bool (*is_label)(void *target, int pid, uint64_t address);

    /* May a client read this file (absolute, no `..`)? Only images in use. */
    bool (*may_read)(void *target, const char *path);

    /* Fills up to max of the further files of a process; returns how many. NULL:
     * there never are any. */
    size_t (*libraries)(void *target, int pid, struct gdb_library *list, size_t max);

    /* `info os`: the types of tables, by number from 0, false behind the last; and
     * the table of a type, false: there is none. Both NULL: no tables. */
    bool (*table_type)(void *target, unsigned number, const char **name, const char **description);
    bool (*table)(void *target, struct gdb_thread, const char *name, struct gdb_table *);

    /* Switches that QEMU's clients know; set is 0, 1 or -1 to ask, the answer how it is.
     * Do memory packets take physical addresses? May interrupts enter in a step? NULL: no
     * such switch. */
    int (*physical)(void *target, int set);
    int (*step_irqs)(void *target, struct gdb_thread, int set);
    /* Which CPU of its machine the thread is, from 0 ("core"); -1, or NULL: not told. */
    int (*core)(void *target, struct gdb_thread);

    /* `monitor LINE`; writes its answer with gdb_print(). false: unknown. The
     * thread is {0, 0} when there is none. */
    bool (*monitor)(void *target, struct gdb_thread, const char *line, struct gdb_out *);
    /* This client is all-stop, so gdb_server_console() reaches it whenever something
     * runs. NULL: of no interest. */
    void (*takes_text)(void *target);
    /* The client connected (true) or is gone without detach (false). */
    void (*session)(void *target, bool connected);
};

/* What a server can be given beyond its core. */
struct gdb_extension;
extern const struct gdb_extension gdb_tracepoints; /* trace/ */

struct gdb_target {
    const struct gdb_target_ops *ops;
    void *context;                         /* handed to every call as `target` */
    const char *name, *version;            /* of the program, without ';'; NULL: not told */
    const struct gdb_extension *extension; /* or NULL */
};

/* --- the server ----------------------------------------------------------- */
struct gdb_server;

/* address: "[HOST:]PORT" (host default 127.0.0.1; [::1]:PORT for IPv6; port 0:
 * any free one), "unix:PATH", or "-" for stdin and stdout. NULL with a sentence
 * in error. The server owns its sockets and removes a Unix socket when closed;
 * the target must outlive it, and is not called when it closes. */
struct gdb_server *gdb_server_open(const char *address, const struct gdb_target *target,
                                   char *error, size_t size);
void gdb_server_close(struct gdb_server *);
/* What it really listens on, as gdb's `target remote` takes it ("127.0.0.1:1234", a path). */
const char *gdb_server_address(const struct gdb_server *);
/* From here on every user of this computer may connect by TCP; else only its own, root,
 * and who has started it by sudo. A Unix socket is its user's. */
void gdb_server_admit_all(struct gdb_server *);
/* The path of its Unix socket, or NULL. From here on the caller removes it. */
const char *gdb_server_leave_socket(struct gdb_server *);
/* A sentence about who else may connect, or NULL. */
const char *gdb_server_warning(const struct gdb_server *);

/* For developers: `line` gets each packet that comes or goes as a line of text, without a
 * newline: time, process, direction, payload; on the server's thread. See packet_log.h. */
void gdb_server_log_packets(struct gdb_server *, void (*line)(void *context, const char *line),
                            void *context);

/* File descriptors to wait for; returns how many of max were set. */
unsigned gdb_server_poll_fds(struct gdb_server *, struct pollfd *fds, unsigned max);
#define GDB_POLL_MAX 8
/* What poll() said of them. Who calls this does so after each poll(): gdb_server_handle()
 * then reads and accepts only where something is; without it, it tries everywhere. */
void gdb_server_polled(struct gdb_server *, const struct pollfd *fds, unsigned count);
/* Do all that can be done without waiting. false: the session is over for good
 * (stdin/stdout at end of file; `k` or `monitor quit` was handled by the target). */
bool gdb_server_handle(struct gdb_server *);
bool gdb_server_connected(const struct gdb_server *);
/* Did the client look at the stop before the latest resume? It did not if the stop was passed
 * (QPassSignals), or if it resumed without asking anything. */
bool gdb_server_looked(const struct gdb_server *);

/* A thread stopped or a process ended. With no client, the stop is kept and reported
 * to the next one. May be called from within resume() and interrupt(). */
void gdb_server_stopped(struct gdb_server *, const struct gdb_stop *);
/* Text for gdb's console (an O packet); sent only while that is allowed (the
 * target is running or a monitor command is), else kept, bounded, until it is. */
void gdb_server_console(struct gdb_server *, const char *text, size_t length);
/* The client does not read as fast as text comes: it would be dropped soon. */
bool gdb_server_console_waits(const struct gdb_server *);

/* Called in monitor(): the command goes on, its text comes by gdb_server_console(). Until
 * gdb_server_monitor_done() the client gets no other answer; interrupt() of the process is
 * called if it does not want to wait. */
void gdb_monitor_later(struct gdb_out *, int pid);
void gdb_server_monitor_done(struct gdb_server *);
/* Output of a monitor command, streamed to the client. */
void gdb_print(struct gdb_out *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The table of packets, for the documentation: name, "yes"/"no", what or why. */
struct gdb_packet_doc {
    const char *name, *supported, *note;
};
/* A row by its number, from 0, with those of the extension (or NULL). false: that is behind the
 * last one. */
bool gdb_packet_doc(const struct gdb_extension *, size_t number, struct gdb_packet_doc *);

#endif
