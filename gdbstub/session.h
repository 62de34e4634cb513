/* One client's session: what the client knows, what runs, and which reply it waits
 * for. All other files work on this; each has its part of it, and session.c calls them.
 *
 * Rule: while a reply is pending (to a resume, `?`, vAttach) no packet is handled;
 * it waits until the target has stopped. So every handler may read and write the
 * target, except what gdbstub.h says of running threads.
 *
 * The table of processes outlives a client: a stop that no client was there for is
 * reported to the next one.
 */
#ifndef GDBSTUB_SESSION_H
#define GDBSTUB_SESSION_H

#include "gdbstub/gdbstub.h"
#include "gdbstub/agent/agent.h"
#include "gdbstub/framing.h"

enum {
    PROCESSES_MAX = 64,
    THREADS_MAX = 256,
    ACTIONS_MAX = 64, /* in one vCont */
    FILES_MAX = 64,   /* open at a time */
    LABEL_SIZE = 64,
    DOCUMENT_MAX = 1 << 20,  /* qXfer */
    TABLE_MAX = 8 << 20,     /* qXfer:osdata */
    CONSOLE_MAX = 64 * 1024, /* text kept until an O packet is allowed */
    SIGNALS_MAX = 256,
};

/* What the client has for an exec file: its architecture, if it has one, overrules
 * the description's. */
enum exec_file {
    EXEC_UNKNOWN, /* perhaps one of its own */
    EXEC_ASKED,   /* it has asked once which one we have, as it does with one of its own, too */
    EXEC_OPENED,  /* it has opened ours, for the architecture or for the build-id */
    EXEC_NEUTRAL, /* it has one without architecture, or none at all */
};

enum belief { BELIEF_NONE, BELIEF_PROBED, BELIEF_NARROW, BELIEF_WIDE };

/* A client may reject a description (`set architecture`, a file of its own), and says nothing. */
enum trust {
    TRUST_NONE,
    TRUST_NEXT_READ, /* it has all registers: does it read memory at the pc next? */
    TRUST_PROVEN,
};

/* The reply that the client waits for. */
enum pending_reply { REPLY_NONE, REPLY_RESUME, REPLY_STATUS, REPLY_MONITOR };

/* What a process's client knows of its CPU's mode (modes.c, exec_file.c). */
struct process_mode {
    const struct gdb_description *described; /* last served; NULL: none yet */
    const struct gdb_description *announced; /* what the client knows, or was told to fetch */
    enum exec_file exec_file;                /* what it has for the program */
    bool reads;         /* it reads the description by itself: it attaches or runs, ... */
    enum belief belief; /* until it gets its exec: which layout it believes in */
    unsigned probes;    /* how often that was to be found out */
    enum trust trust;   /* has it accepted the description? */
    bool lists;         /* a first stop was reported, and it read the libraries then */
    uint64_t libraries; /* mark of the list that it knows */
    /* What was reported in place of the pending stop, or before a resume; the client will
     * continue by itself. */
    enum { FOLLOW_NOTHING, FOLLOW_EXEC, FOLLOW_LIBRARY } following;
};

/* What a process is about in non-stop (nonstop.c). */
struct process_nonstop {
    bool hidden;        /* stopped, until the client attaches to it */
    bool paused;        /* it ran, and is resumed once a packet is answered */
    bool stopping;      /* vCont;t */
    bool exec_due;      /* its exec is reported next, ... */
    bool library_due;   /* ... then its libraries, ... */
    bool has_postponed; /* ... and then it does this */
    struct gdb_action postponed, latest;
};

struct process {
    int pid;
    bool attached; /* the client debugs it */
    bool ended;
    bool running;
    bool interrupted; /* by us, for all-stop: such a stop is not reported */
    bool resumed;     /* by the latest resume: its stops answer that */
    bool has_pending; /* stopped, and the client does not know */
    unsigned order;   /* which pending stop came first */
    struct gdb_stop pending;
    bool stepped;   /* its latest resume was a step */
    bool forgotten; /* the client has forgotten, by an exec, that it steps */
    struct process_mode mode;
    struct process_nonstop nonstop;
};

/* gdb opens the label of an exec twice. */
enum label_open { LABEL_ANY, LABEL_ARCHITECTURE, LABEL_SYMBOLS };

/* A thread-id of the protocol; ALL and ANY may stand for either number. */
enum { ALL = -1, ANY = 0 };
struct selection {
    int pid, tid;
};

/* One action of vCont, for those threads that it selects. */
struct resume_action {
    struct selection who;
    struct gdb_action action; /* its thread is not used */
    bool stay;                /* 't': leave it stopped */
};

/* What the client said in qSupported. */
struct features {
    bool multiprocess, swbreak, hwbreak, error_message, exec_events;
    bool xml;          /* it reads descriptions, if it has none of its own */
    bool after_gdb_16; /* it says single-inf-arg+, as 18 does and 16 does not; see exec_file.c */
};

/* What the client has said of itself and chosen; forgotten when it goes. */
struct client {
    struct features features;
    bool extended;           /* `!` */
    bool non_stop;           /* QNonStop */
    bool bare_x;             /* it probed `x0,0`: an lldb that wants no 'b' before the data */
    const char *lldb_triple; /* that lldb has asked for or was told of, see lldb.c */
    struct selection general, resuming; /* Hg and Hc */
    bool passed[SIGNALS_MAX];           /* QPassSignals */
};

/* The packet in work, or one that waits until the target has stopped. */
struct request {
    struct cursor packet;
    bool waits;
    bool silent;      /* it has no reply */
    bool no_ack_next; /* once the reply is out */
    bool closes;      /* close the connection once the reply is out */
};

/* A monitor command (console.c). */
struct monitor {
    bool active;    /* O packets are allowed */
    int pid;        /* REPLY_MONITOR: the process that it is about ... */
    bool abandoned; /* ... and whose answer the client no longer waits for */
};

/* The latest resume (resume.c). */
struct resume {
    struct resume_action actions[ACTIONS_MAX];
    size_t action_count;
    struct resume_action postponed[ACTIONS_MAX]; /* a resume that waits until execs are reported */
    size_t postponed_count;
    bool looked;     /* the client has asked something since the latest reported stop */
    bool blind;      /* the latest resume came without that */
    bool passed_one; /* since then a stop was passed, not reported */
};

/* Reports of stops (stops.c, nonstop.c). */
struct stops {
    enum pending_reply pending_reply;
    unsigned count;    /* of all stops, to order them */
    bool has_reported; /* the latest one reported, for another `?` */
    struct gdb_stop reported;
    bool notified; /* a %Stop is on its way, or stops behind it are asked for */
};

/* Mode following, as far as it is about all processes (modes.c, exec_file.c). */
struct modes {
    int asked_about;        /* whose description is read next, if not Hg's; or 0 */
    bool asked_description; /* ever */
    bool own_description;   /* `set tdesc filename`: it does not ask for ours */
    enum label_open label;  /* what the next open of a label is for, ... */
    int label_pid;          /* ... at the exec of this process */
};

struct session {
    const struct gdb_target *target;
    void (*push)(void *); /* writes what the connection can take now */
    void *push_context;
    struct framing framing;
    bool connected;
    bool over; /* `k`: close for good */
    struct client client;
    struct request request;
    struct buffer reply; /* to the packet in work */
    struct monitor monitor;
    struct resume resume;
    struct stops stops;
    struct modes modes;
    int files[FILES_MAX]; /* files.c */
    struct {
        struct buffer text; /* of the latest one, between its pieces */
        char name[64];
    } tables; /* tables.c */
    struct {
        struct buffer text; /* not sent yet */
        size_t lost;
    } console; /* console.c */
    struct {
        void (*line)(void *context, const char *line); /* NULL: no log */
        void *context;
        double begun; /* seconds of CLOCK_MONOTONIC */
    } log;
    const struct gdb_extension *extension; /* NULL: none */
    void *extension_state;

    struct process processes[PROCESSES_MAX];
    size_t process_count;
};

/* --- session.c: life and packets -------------------------------------------- */
void session_init(struct session *, const struct gdb_target *);
void session_free(struct session *);
void session_begin(struct session *);
/* Detaches from every process. */
void session_end(struct session *);
/* Handles one event of the connection, or the packet that waited. */
enum work {
    WORK_NONE, /* nothing to do: more bytes are needed, output waits or a stop is awaited */
    WORK_MORE, /* call again, once output was pushed */
    WORK_END,  /* close the connection */
};
enum work session_step(struct session *);

#endif
