/* One client's session: what it was told, what runs, and which answer it waits
 * for. The packet files (registers.c, memory.c, resume.c, …) work on this.
 *
 * Rule: while an answer is owed (a resume, `?`, vAttach) no packet is handled;
 * it is held until the target has stopped. So every handler may read and write
 * the target, except what gdbstub.h says of running threads.
 *
 * The table of processes outlives a client: a stop that nobody heard is told
 * to the next one.
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

/* The answer that is owed to the client. */
enum pending_reply { REPLY_NONE, REPLY_RESUME, REPLY_STATUS, OWED_MONITOR };

struct process {
    int pid;
    bool attached; /* the client debugs it */
    bool ended;
    bool running;
    bool interrupted; /* by us, for all-stop: such a stop is nobody's news */
    bool resumed;     /* by the latest resume: its stops answer that */
    bool has_pending; /* stopped, and the client does not know */
    unsigned order;   /* which pending stop came first */
    struct gdb_stop pending;
    bool stepped;   /* its latest resume was a step */
    bool forgotten; /* the client has forgotten, by an exec, that it steps */
    /* mode following (follow.c) */
    const struct gdb_description *described; /* last served; NULL: none yet */
    const struct gdb_description *told;      /* what the client knows or was told to fetch */
    enum exec_file exec_file; /* what it has for the program (exec_file.c) */
    bool reads;               /* it reads the description by itself: it attaches or runs, … */
    enum belief belief;       /* while it owes an exec: which layout it believes in */
    unsigned probed;          /* how often that was to be found out */
    enum trust trust;         /* has it accepted the description? */
    bool lists;               /* it was told of a first stop, and read the libraries then */
    uint64_t libraries;       /* mark of the list that it knows */
    enum { FOLLOW_NOTHING, FOLLOW_EXEC, FOLLOW_LIBRARY } following; /* what was told in place
                         of the pending stop, or before a resume; it will go on by itself */
    /* non-stop */
    bool hidden;      /* stands still, and waits for a client to attach */
    bool paused;      /* it ran, and is to go on once a packet is answered */
    bool stopping;    /* vCont;t */
    bool exec_due;    /* its exec is to be told, … */
    bool library_due; /* … then its libraries, … */
    bool has_saved;   /* … and then it does this */
    struct gdb_action saved, latest;
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

struct session {
    const struct gdb_target *target;
    void (*push)(void *); /* writes what the link can get rid of now */
    void *push_context;
    struct framing framing;
    struct buffer reply; /* the packet in work */
    struct {
        void (*line)(void *context, const char *line); /* NULL: no log */
        void *context;
        double begun; /* seconds of CLOCK_MONOTONIC */
    } log;
    bool connected;

    struct features features;
    bool extended;        /* `!` */
    bool bare_x;          /* the client probed `x0,0`: an lldb that wants no 'b' before the data */
    const char *lldb_mode; /* the triple that lldb has asked for or been told of, see lldb.c */
    bool silent;          /* the packet in work has no reply */
    bool no_ack_next;     /* once the reply is out */
    bool goodbye;         /* close the connection once the reply is out */
    bool over;            /* `k`: close for good */
    bool in_monitor;      /* inside qRcmd: O packets are allowed */
    int monitored;        /* OWED_MONITOR: the process that the command is about … */
    bool given_up;        /* … whose answer the client no longer waits for */
    bool held;            /* a packet came while an answer was owed */
    struct cursor packet; /* that packet, or the one in work */

    struct selection general, resuming; /* Hg and Hc */
    bool passed[SIGNALS_MAX];           /* QPassSignals */
    bool looked;     /* the client has asked something since the last stop was told */
    bool blind;      /* the latest resume came without that */
    bool passed_one; /* since then a stop was passed, not told */

    enum pending_reply pending_reply;
    unsigned stops; /* counts, to order them */
    bool has_told;  /* the latest stop told, for another `?` */
    struct gdb_stop told;
    struct resume_action actions[ACTIONS_MAX]; /* of the latest resume */
    size_t action_count;
    struct resume_action saved[ACTIONS_MAX]; /* a resume that waits for execs to be told first */
    size_t saved_count;
    bool non_stop; /* QNonStop */
    bool notified; /* a %Stop is on its way, or stops behind it are asked for */
    /* mode following (follow.c, exec_file.c) */
    int asked_about;        /* whose description is read next, if not Hg's; or 0 */
    bool asked_description; /* ever */
    bool own_description;   /* `set tdesc filename`: it does not ask for ours */
    enum label_open label;  /* what the next open of a label is for, … */
    int label_pid;          /* … at the exec of this process */
    int files[FILES_MAX];   /* files.c */
    struct buffer table;    /* tables.c, between its pieces */
    char table_name[64];
    const struct gdb_extension *extension; /* NULL: none */
    void *extension_state;

    struct process processes[PROCESSES_MAX];
    size_t process_count;
    struct buffer console;
    size_t console_lost;
};

/* --- session.c: life and packets -------------------------------------------- */
void session_init(struct session *, const struct gdb_target *);
void session_free(struct session *);
void session_begin(struct session *);
/* Lets go of everything, as a detach would. */
void session_end(struct session *);
/* One event of the link, or the packet that was held. */
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
/* For packets whose error nobody reads as text. */
void reply_failure(struct session *);
/* A sentence for the user ("E.text"). */
void reply_error(struct session *, const char *sentence);
/* The piece of a document that "OFFSET,LENGTH" asks for (qXfer). */
void reply_piece(struct session *, struct cursor range, const struct buffer *document);
/* NULL is success. */
void reply_result(struct session *, const char *sentence_or_null);

/* --- threads.c: who is there --------------------------------------------------- */
/* Threads that the client may know, at most THREADS_MAX. */
size_t threads_list(struct session *, struct gdb_thread *list);
bool thread_exists(struct session *, struct gdb_thread);
/* The thread that g, m, … are about. false: there is none. */
bool thread_current(struct session *, struct gdb_thread *);
/* Which CPU of its machine it is; -1: not told. */
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
/* Sends the answer that is owed, if all have stopped. */
void stops_settle(struct session *);
/* The client wants whatever runs to stop. */
void stops_interrupt(struct session *);
/* The stop reply, into `reply`. */
void stops_write(struct session *, const struct gdb_stop *);
/* Sends the stop reply, as the answer that was owed. */
void stops_tell(struct session *, const struct gdb_stop *);
/* A client without multiprocess+ debugs one process; the others run free. */
void stops_release_others(struct session *);
/* The client will be told the state of these processes as soon as all are still. */
void stops_pend_status(struct session *);

/* --- nonstop.c ------------------------------------------------------------------------ */
void nonstop_note(struct session *, struct process *, const struct gdb_stop *, bool ours);
/* Tells a stop, if one waits and none is on its way. */
void nonstop_settle(struct session *);
/* `?` */
void nonstop_status(struct session *);
/* `vAttach`: its stop is told */
void nonstop_attach(struct session *, struct process *);
/* Lets go and stops as the wishes want; false: there is nobody. */
bool nonstop_resume(struct session *);
/* The packet must wait until its process stands still, and it is being stopped. */
bool nonstop_must_wait(struct session *);
/* The packet is answered: what was paused for it goes on. */
void nonstop_answered(struct session *);

/* --- follow.c: CPU modes -------------------------------------------------------------- */
/* Tells an exec and holds the stop back, if the client needs a new description. */
bool follow_instead(struct session *, const struct gdb_stop *);
/* Tells an exec, nothing being held back. */
void follow_tell(struct session *, struct process *);
/* Tells that there is another list of libraries, nothing being held back. false: there is none. */
bool follow_library(struct session *, struct process *);
/* The client resumes; true: that is answered, nothing is to move. */
bool follow_resume(struct session *);
/* A breakpoint was inserted. */
void follow_point(struct session *, int pid, enum gdb_bp_kind, uint64_t address);
/* The client lists threads. */
void follow_user_looks(struct session *);
/* It is to believe in this description next. */
void follow_doubt(struct process *, const struct gdb_description *next);
/* The client reads registers; memory. */
void follow_registers_read(struct session *, struct gdb_thread);
void follow_memory_read(struct session *, struct gdb_thread, uint64_t address, uint64_t length);
/* Is this `g` to be answered with unavailable registers only? In any case, with no more
 * bytes than there is room. */
bool follow_probes(struct session *, struct gdb_thread, size_t *room);
/* Has the client been found out to believe in gdb's own layout, not in the one described? */
bool follow_rejected(struct session *, struct gdb_thread);
void follow_register_asked(struct session *, struct gdb_thread, uint64_t number);
/* It must have an exec before it may go on. */
bool follow_owes_exec(const struct session *, const struct process *);
/* The layout that the client believes in. */
const struct gdb_description *follow_layout(struct session *, struct gdb_thread);

/* --- exec_file.c ------------------------------------------------------------------------ */
/* What the client is to find in what it opens now. */
enum face { FACE_FILE, FACE_RECORDS, FACE_BLANK };
/* `for_exec`: whose exec file it will be, if it is opened for the architecture. */
enum face exec_file_opened(struct session *, const char *path, const struct process **for_exec);
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
/* What the latest resume wants of a thread; NULL: nothing, it stays as it is. */
const struct resume_action *action_for(const struct session *, struct gdb_thread);
/* Goes on as the latest resume wanted, with a signal for one thread. */
void resume_again(struct session *, struct gdb_thread, int signal);

/* --- process.c ------------------------------------------------------------------------------ */
void process_attach(struct session *, struct process *);
void process_release(struct session *, struct process *);

/* --- console.c -------------------------------------------------------------------------------- */
/* A stop in a mode that lldb, if the client is one, does not show right. */
void lldb_tell_mode(struct session *, struct gdb_thread);

void console_text(struct session *, const char *text, size_t length);
/* The monitor command that was to be answered later is done. */
void console_monitor_done(struct session *);
/* Sends what was kept, if O packets are allowed now. */
void console_flush(struct session *);

/* --- xml.c --------------------------------------------------------------------------------------
 */
void xml_description(struct buffer *, const struct gdb_description *);
void xml_threads(struct session *, struct buffer *);

#endif
