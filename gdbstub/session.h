/* One client's session: what the client knows, what runs, and which reply it waits
 * for. The packet files (registers.c, memory.c, resume.c, ...) work on this.
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
    ACTIONS_MAX = 64,        /* in one vCont */
    FILES_MAX = 64,          /* open at a time */
    LABEL_SIZE = 64,
    DOCUMENT_MAX = 1 << 20, /* qXfer */
    TABLE_MAX = 8 << 20,    /* qXfer:osdata */
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
    enum exec_file exec_file; /* what it has for the program */
    bool reads;               /* it reads the description by itself: it attaches or runs, ... */
    enum belief belief;       /* until it gets its exec: which layout it believes in */
    unsigned probes;          /* how often that was to be found out */
    enum trust trust;         /* has it accepted the description? */
    bool lists;               /* a first stop was reported, and it read the libraries then */
    uint64_t libraries;       /* mark of the list that it knows */
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

/* Begins a log of packets: gdb_server_log_packets(). */
void session_log(struct session *, void (*line)(void *context, const char *line), void *context);
/* Sends a packet; a notification. All that goes to the client goes this way. */
void session_send(struct session *, const char *payload, size_t length);
void session_notify(struct session *, const char *payload, size_t length);

/* --- replies ----------------------------------------------------------------- */
void reply_ok(struct session *);
/* For packets whose error no client shows as text. */
void reply_failure(struct session *);
/* A sentence for the user ("E.text"). */
void reply_error(struct session *, const char *sentence);
/* The piece of a document that "OFFSET,LENGTH" asks for (qXfer). */
void reply_piece(struct session *, struct cursor range, const struct buffer *document);
/* NULL is success. */
void reply_result(struct session *, const char *sentence_or_null);

/* --- threads.c: processes and threads --------------------------------------------------- */
/* Threads that the client may know, at most THREADS_MAX. */
size_t threads_list(struct session *, struct gdb_thread *list);
bool thread_exists(struct session *, struct gdb_thread);
/* The thread that g, m, ... are about. false: there is none. */
bool thread_current(struct session *, struct gdb_thread *);
/* Which CPU of its machine it is; -1: not known. */
int thread_core(struct session *, struct gdb_thread);
bool thread_matches(struct selection, struct gdb_thread);
/* The first thread of a process. false: it is not there, or has none. */
bool thread_first(struct session *, int pid, struct gdb_thread *);
/* Reads a thread-id ("Packets"), with or without process. */
bool thread_parse(struct session *, struct cursor *, struct selection *);
void thread_write(struct session *, struct buffer *, struct gdb_thread);
struct process *process_find(struct session *, int pid);
/* Finds it, or adds it when the target has such a process. */
struct process *process_get(struct session *, int pid);
/* Is it one whose threads the client may see and resume? */
bool process_present(const struct process *);
/* Takes the target's processes into the table. */
void processes_update(struct session *);

/* --- registers.c ------------------------------------------------------------------ */
/* The layout that the client believes in. */
const struct gdb_description *registers_layout(struct session *, struct gdb_thread);
/* One register as hex, "xx" for what is unavailable. */
void register_write_hex(struct session *, struct buffer *, struct gdb_thread,
                        const struct gdb_description *, unsigned number);
size_t register_size(const struct gdb_register *); /* bytes */
size_t registers_size_of_g(const struct gdb_description *);
/* The program counter's number; the description's count for none. */
unsigned registers_pc(const struct gdb_description *);
bool register_pc(struct session *, struct gdb_thread, uint64_t *pc);
bool register_set_pc(struct session *, struct gdb_thread, uint64_t pc);

/* --- breakpoints.c ----------------------------------------------------------------------- */
/* "XLENGTH,CODE"; the code is decoded and checked. NULL, or a sentence. */
const char *expression_parse(struct cursor *, uint8_t *code, size_t room, uint64_t *length);
/* What a program that has no expressions does instead, on the target's thread. */
struct program_hooks {
    void (*hit)(void *context, const struct gdb_agent_host *);
    /* An instruction after a hit was executed; is the next one wanted, too? */
    void (*step)(void *context, const struct gdb_agent_host *);
    bool (*follows)(const void *context);
    bool (*persists)(const void *context); /* after a detach */
    const struct gdb_description *(*layout)(const void *context);
};
/* NULL: no memory. */
struct gdb_program *program_of_hooks(const struct program_hooks *, void *context);

/* --- stops.c: all-stop ---------------------------------------------------------------- */
/* Notes a stop. */
void stops_note(struct session *, const struct gdb_stop *);
/* Sends the pending reply, if all processes have stopped. */
void stops_settle(struct session *);
/* The client wants everything that runs to stop. */
void stops_interrupt(struct session *);
/* The stop reply, into `reply`. */
void stops_write(struct session *, const struct gdb_stop *);
/* Sends the stop reply that was pending. */
void stops_report(struct session *, const struct gdb_stop *);
/* A client without multiprocess+ debugs one process; the others run free. */
void stops_release_others(struct session *);
/* The reply to `?` becomes pending: it is sent once all processes have stopped. */
void stops_pend_status(struct session *);

/* --- nonstop.c ------------------------------------------------------------------------ */
void nonstop_note(struct session *, struct process *, const struct gdb_stop *, bool ours);
/* Reports a stop, if one is pending and no notification is on its way. */
void nonstop_settle(struct session *);
/* `?` */
void nonstop_status(struct session *);
/* `vAttach`: the process's stop will be reported. */
void nonstop_attach(struct session *, struct process *);
/* Resumes and stops threads as the actions say; false: they select none. */
bool nonstop_resume(struct session *);
/* Must the packet wait for its process to stop? Then the process is being stopped. */
bool nonstop_must_wait(struct session *);
/* The packet is answered: what was paused for it is resumed. */
void nonstop_answered(struct session *);

/* --- modes.c: CPU modes -------------------------------------------------------------- */
/* Reports an exec, and keeps the stop for later, if the client needs a new description. */
bool modes_report_instead(struct session *, const struct gdb_stop *);
/* Reports an exec when no stop is pending. */
void modes_report_exec(struct session *, struct process *);
/* Reports a new list of libraries when no stop is pending. false: it is the same list. */
bool modes_report_library(struct session *, struct process *);
/* The client resumes. true: that is answered, and nothing is to run. */
bool modes_resume(struct session *);
/* A breakpoint was inserted. */
void modes_breakpoint_inserted(struct session *, int pid, enum gdb_bp_kind, uint64_t address);
/* The client lists threads. */
void modes_threads_listed(struct session *);
/* The client is about to get this description: will it accept it? */
void modes_doubt(struct process *, const struct gdb_description *next);
/* The client reads registers; memory. */
void modes_registers_read(struct session *, struct gdb_thread);
void modes_memory_read(struct session *, struct gdb_thread, uint64_t address, uint64_t length);
/* Is this `g` to be answered with unavailable registers only? In any case, with no more
 * bytes than there is room. */
bool modes_probes(struct session *, struct gdb_thread, size_t *room);
/* Has the client been found out to believe in gdb's own layout, not in the one described? */
bool modes_rejected(struct session *, struct gdb_thread);
void modes_register_asked(struct session *, struct gdb_thread, uint64_t number);
/* Must an exec be reported before the process may run? */
bool modes_owes_exec(const struct session *, const struct process *);
/* The layout that the client believes in. */
const struct gdb_description *modes_layout(struct session *, struct gdb_thread);

/* --- exec_file.c ------------------------------------------------------------------------ */
/* What the client is to find in what it opens now. */
enum exec_content { CONTENT_FILE, CONTENT_RECORDS, CONTENT_BLANK };
/* `for_exec`: whose exec file it will be, if it is opened for the architecture. */
enum exec_content exec_file_opened(struct session *, const char *path, const struct process **for_exec);
/* The client has closed that. */
void exec_file_closed(struct session *, struct process *);

/* --- libraries.c ------------------------------------------------------------------------ */
/* Differs when the list of a process does; 0 of an empty one. */
uint64_t libraries_mark(struct session *, int pid);

/* --- files.c ---------------------------------------------------------------------------- */
void files_init(struct session *);
void files_close(struct session *);
bool file_is_label(const char *path);
#define LABELS "/cpu/"
/* The path of the virtual file that names the thread's mode. */
void file_label(struct session *, struct gdb_thread, char label[LABEL_SIZE]);

/* --- resume.c --------------------------------------------------------------------------- */
/* The latest resume's action for a thread; NULL: none, it stays as it is. */
const struct resume_action *action_for(const struct session *, struct gdb_thread);
/* Repeats the latest resume, with a signal for one thread. */
void resume_again(struct session *, struct gdb_thread, int signal);

/* --- process.c ------------------------------------------------------------------------------ */
void process_attach(struct session *, struct process *);
void process_release(struct session *, struct process *);

/* --- console.c -------------------------------------------------------------------------------- */
/* Warns if the client is an lldb that shows the CPU's present mode wrongly. */
void lldb_report_mode(struct session *, struct gdb_thread);

void console_text(struct session *, const char *text, size_t length);
/* The monitor command whose reply is pending is done. */
void console_monitor_done(struct session *);
/* Sends text that was kept, if O packets are allowed now. */
void console_flush(struct session *);

/* --- xml.c --------------------------------------------------------------------------------------
 */
void xml_description(struct buffer *, const struct gdb_description *);
void xml_threads(struct session *, struct buffer *);

#endif
