/* The command line → machines → run them to their end, or serve them to a
 * debugger.
 *
 * The main thread owns the terminal and the stub; each machine has a thread of
 * its own. They meet in one poll(): machines write to an eventfd when they stop.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/host/broker.h"
#include "vmm/app/confine.h"
#include "vmm/app/console.h"
#include "vmm/app/drive_files.h"
#include "vmm/base/monotonic.h"
#include "vmm/debug/debug.h"
#include "vmm/host/files.h"
#include "vmm/host/stderr.h"
#include "vmm/app/images.h"
#include "vmm/app/options.h"
#include "vmm/app/screenshot.h"
#include "vmm/app/signals.h"
#include "vmm/app/stats.h"
#include "vmm/app/terminal.h"
#include "vmm/app/timers.h"
#include "vmm/replay/recorder.h"

enum { STATUS_USAGE = 2, STATUS_DIED = 124, STATUS_ERROR = 125 };
enum { IDLE_FLUSH_MS = 50, BACKGROUND_MS = 250 };

struct app {
    struct options options;
    struct console console;
    struct screen_view view;
    char *paths[MACHINES_MAX]; /* of the images; NULL: a ROM alone */
    struct machine machines[MACHINES_MAX];
    unsigned count;
    unsigned left;             /* machines that have not ended */
    struct screenshot screenshot;
    int status[MACHINES_MAX];
    struct debug *debug;       /* NULL without --gdb */
    int event;                 /* machines write here */
    int signals;               /* those that end us are read here */
    int jobs;                  /* those that stop us and let us go on; -1: no terminal */
    int timers;                /* of the machines */
    int ended_by;              /* one that was */
    bool quits;                /* the user or a signal wants an end; machines may still run */
    bool reads_input;
    uint64_t start_ns;
};

/* --- what machines ask of us ---------------------------------------------------------- */

static void owner_output(void *context, unsigned number, const char *text, size_t length) {
    struct app *a = context;
    console_print(&a->console, number, text, length);
}

static void owner_notify(void *context) {
    struct app *a = context;
    uint64_t one = 1;
    while (write(a->event, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

static void owner_message(void *context, unsigned number, const char *text) {
    struct app *a = context;
    if (a->count > 1)
        say("machine %u: %s", number, text);
    else
        say("%s", text);
}

/* --- without a debugger ------------------------------------------------------------------ */

/* 0 at a final hlt; else it died, and says of what. */
static int fate(struct app *a, unsigned i, const struct machine_stop *stop) {
    if (stop->ended)
        return stop->status;
    if (stop->edge == EDGE_END) {
        owner_message(a, i + 1, stop->exit.text);
        return 0;
    }
    if (stop->exit.kind == CPU_EXIT_HALTED)
        return 0;
    char where[160];
    const struct cpu_state *s = cpu_read(&boot_vcpu(&a->machines[i])->cpu, CPU_REGS | CPU_SREGS);
    snprintf(where, sizeof where, "at %04x:%08llx; rerun with --gdb to inspect", s->sregs.cs.selector,
             (unsigned long long)s->regs.rip);
    owner_message(a, i + 1, stop->exit.text);
    say("machine %u (%s) died %s", i + 1, a->machines[i].image.path ? a->machines[i].image.path
                                                                    : "ROM", where);
    return STATUS_DIED;
}

static void take_stops(struct app *a) {
    struct machine_stop stop;
    for (unsigned i = 0; i < a->count; i++) {
        if (!machine_take_stop(&a->machines[i], &stop))
            continue;
        console_leftover(&a->console, &a->machines[i]);
        console_end_line(&a->console, i + 1);
        a->status[i] = fate(a, i, &stop);
        a->left--;
    }
}

/* --- input --------------------------------------------------------------------------------- */

static struct machine *focused(struct app *a) { return &a->machines[a->console.focus - 1]; }

static void end_input(struct app *a) {
    a->reads_input = false;
    for (unsigned i = 0; i < a->count; i++)
        machine_end_input(&a->machines[i]);
}

/* false: Ctrl-A x */
static bool read_input(struct app *a) {
    unsigned char bytes[256];
    bool quit = false;
    size_t room = input_room(&focused(a)->board.input);
    ssize_t n = terminal_read(bytes, room < sizeof bytes ? room : sizeof bytes);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (n <= 0) {
        end_input(a);
        return true;
    }
    screen_view_typed(&a->view);
    for (size_t done = 0, part; done < (size_t)n && !quit; done += part) {
        struct machine *m = focused(a);
        part = n - done;
        size_t kept = console_typed(&a->console, bytes + done, &part, &quit);
        machine_input(m, bytes + done, kept);
    }
    if (a->console.wants_screen)
        screen_view_switch(&a->view);
    a->console.wants_screen = false;
    return !quit;
}

static void start_input(struct app *a) {
    a->reads_input = !(a->options.gdb && !strcmp(a->options.gdb, "-")) && !a->options.machine.replay;
    if (!a->reads_input) {
        end_input(a);
        return;
    }
    console_raw(&a->console);
    if (!a->console.raw) /* a pipe or a file is the first machine's alone */
        for (unsigned i = 1; i < a->count; i++)
            machine_end_input(&a->machines[i]);
}

/* --- the loop ----------------------------------------------------------------------------------- */

/* Before its stop is told, which may end the session. */
static void finish_text(struct app *a) {
    stderr_read_strays();
    for (unsigned i = 0; i < a->count; i++)
        if (machine_has_stop(&a->machines[i])) {
            if (boot_vcpu(&a->machines[i])->ended)
                console_leftover(&a->console, &a->machines[i]);
            console_end_line(&a->console, i + 1);
        }
}

static bool over(struct app *a) {
    if (a->debug) {
        finish_text(a);
        return !debug_handle(a->debug);
    }
    take_stops(a);
    return a->left == 0;
}

static void read_signal(struct app *a) {
    struct signalfd_siginfo s;
    if (read(a->signals, &s, sizeof s) == sizeof s)
        a->ended_by = s.ssi_signo;
}

static void read_job_signal(struct app *a) {
    struct signalfd_siginfo s;
    if (read(a->jobs, &s, sizeof s) != sizeof s)
        return;
    screen_view_poke(&a->view);
    if (s.ssi_signo == SIGWINCH)
        return;
    screen_view_leave(&a->view);
    if (s.ssi_signo == SIGTSTP)
        terminal_suspend();
    terminal_continued();
}

/* In the background one looks now and then whether one still is: nothing tells. */
static int patience(struct app *a, bool foreground) {
    if (!foreground)
        return BACKGROUND_MS;
    bool keys = false;
    for (unsigned i = 0; i < a->count; i++)
        keys |= machine_holds_keys(&a->machines[i]);
    int idle = a->count > 1 || keys ? IDLE_FLUSH_MS : -1, view = screen_view_patience(&a->view);
    return view >= 0 && (idle < 0 || view < idle) ? view : idle;
}

/* Sleeps until something happens; false: the user quits, or a signal. */
static bool wait_and_read(struct app *a) {
    enum { EVENT, SIGNALS, JOBS, INPUT, STRAYS, SCREEN, TIMERS, OURS };
    bool ours = terminal_update();
    screen_view_update(&a->view, focused(a), ours);
    bool room = ours && a->reads_input && input_room(&focused(a)->board.input) >= INPUT_PIECE;
    struct pollfd fds[OURS + DEBUG_POLL_MAX] = {
        [EVENT] = {.fd = a->event, .events = POLLIN},
        [SIGNALS] = {.fd = a->signals, .events = POLLIN},
        [JOBS] = {.fd = a->jobs, .events = POLLIN},
        [INPUT] = {.fd = room ? STDIN_FILENO : -1, .events = POLLIN},
        [STRAYS] = {.fd = stderr_strays(), .events = POLLIN},
        [TIMERS] = {.fd = a->timers, .events = POLLIN},
        [SCREEN] = {.fd = screen_view_writes(&a->view) ? STDOUT_FILENO : -1, .events = POLLOUT}};
    unsigned n = OURS;
    if (a->debug)
        n += debug_poll_fds(a->debug, fds + OURS, DEBUG_POLL_MAX);
    if (poll(fds, n, patience(a, ours)) == 0)
        console_idle(&a->console);
    if (a->debug)
        debug_polled(a->debug, fds + OURS, n - OURS);
    for (unsigned i = OURS; i < n; i++)
        if (fds[i].revents) /* a client may change what the screen shows */
            screen_view_poke(&a->view);
    if (fds[TIMERS].revents)
        timers_expired(a->machines, a->count);
    uint64_t events;
    if (fds[EVENT].revents && read(a->event, &events, sizeof events) < 0 && errno != EAGAIN &&
        errno != EINTR)
        return false;
    if (fds[SIGNALS].revents)
        read_signal(a);
    if (a->ended_by) /* a shell that ends a stopped job has it go on, too */
        return false;
    if (fds[JOBS].revents) {
        read_job_signal(a);
        return true; /* the terminal may be another job's now */
    }
    return !fds[INPUT].revents || read_input(a);
}

static int loop(struct app *a) {
    while (!over(a))
        if (!wait_and_read(a)) {
            a->quits = true;
            return a->ended_by ? 128 + a->ended_by : 0;
        }
    if (a->debug)
        return debug_status(a->debug);
    for (unsigned i = 0; i < a->count; i++)
        if (a->status[i])
            return a->status[i];
    return 0;
}

static int told_all(struct app *a, int status) {
    int lost = a->console.lost; /* machines may still print */
    if (!lost)
        return status;
    say("some of the guest's output was lost: cannot write to stdout: %s", strerror(lost));
    return status ? status : STATUS_ERROR;
}

/* --- start and end -------------------------------------------------------------------------------- */

static int find_images(struct app *a) {
    char error[512];
    for (unsigned i = 0; i < a->options.count; i++) {
        a->paths[i] = image_find(a->options.images[i], error, sizeof error);
        if (!a->paths[i]) {
            say("%s", error);
            return STATUS_ERROR;
        }
    }
    return 0;
}

static int open_machines(struct app *a) {
    char error[512];
    struct machine_owner owner = {a, owner_output, owner_notify, owner_message};
    unsigned wanted = a->options.count ? a->options.count : 1; /* a ROM alone is a machine */
    for (unsigned i = 0; i < wanted; i++) {
        if (machine_open(&a->machines[i], i + 1, a->paths[i], &a->options.machine, &owner, error,
                         sizeof error)) {
            say("%s", error);
            machine_close(&a->machines[i]);
            return STATUS_ERROR;
        }
        a->count = i + 1;
        if (a->paths[i])
            a->machines[i].spelled = a->options.images[i];
    }
    a->left = a->count;
    a->timers = timers_open(a->machines, a->count);
    if (a->timers < 0)
        say("cannot wait for timers: %s", strerror(-a->timers));
    return a->timers < 0 ? STATUS_ERROR : 0;
}

static void tell_images(struct app *a) {
    bool looks = a->options.machine.verbose || (a->options.gdb && strcmp(a->options.gdb, "-"));
    char text[512];
    for (unsigned i = 0; i < a->count; i++) {
        if (images_taken_for(&a->machines[i].image, looks, text, sizeof text))
            owner_message(a, i + 1, text);
        if (images_wish(&a->machines[i].image, text, sizeof text))
            owner_message(a, i + 1, text);
        if (images_unused(&a->machines[i].image, text, sizeof text))
            owner_message(a, i + 1, text);
    }
}

static int open_debugger(struct app *a) {
    char error[512];
    if (!a->options.gdb)
        return 0;
    unsigned machines = a->options.count ? a->options.count : 1;
    a->debug = debug_open(a->options.gdb, a->machines, machines, error, sizeof error);
    if (!a->debug) {
        say("%s", error);
        return STATUS_ERROR;
    }
    if (a->options.gdb_any_user)
        debug_admit_all(a->debug);
    if (a->options.log_packets)
        debug_log_packets(a->debug);
    return 0;
}

/* As a word for the shell within '…'. */
static void tell_waiting(struct app *a) {
    char word[1024];
    size_t n = 0;
    for (const char *c = debug_address(a->debug); *c && n < sizeof word - 5; c++)
        n += (size_t)snprintf(word + n, sizeof word - n, *c == '\'' ? "'\\''" : "%c", *c);
    if (debug_warning(a->debug))
        say("%s", debug_warning(a->debug));
    say("waiting for a debugger: gdb -ex 'target remote %s'", word);
}

static void begin_debugger(struct app *a) {
    if (!a->debug)
        return;
    debug_begin(a->debug);
    if (strcmp(a->options.gdb, "-"))
        tell_waiting(a);
}

/* A descriptor 0, 1 or 2 that is closed would be taken by the next open(). */
static void open_standard_files(void) {
    for (int fd = 0; fd <= 2; fd++) /* what cannot be written to is an error when it is */
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0)
            return;
}

static bool stdin_is_file(void) {
    struct stat st;
    return fstat(STDIN_FILENO, &st) < 0 || S_ISREG(st.st_mode) ||
           (S_ISCHR(st.st_mode) && !isatty(STDIN_FILENO)); /* /dev/null */
}

/* A recording may be named without its suffix, as it was when it was saved. */
static void find_recording(struct app *a) {
    static char path[PATH_MAX];
    const char *name = a->options.machine.replay;
    if (name && access(name, F_OK) &&
        (size_t)snprintf(path, sizeof path, "%s" SAVED_SUFFIX, name) < sizeof path && !access(path, F_OK))
        a->options.machine.replay = path;
}

/* Whatever needs rights that the sandbox takes comes before it. */
static int open_all(struct app *a) {
    find_recording(a);
    if (find_images(a) || !screenshot_open(&a->screenshot, a->options.screenshot) || images_open_symbols(&a->options) || drive_files_open(&a->options.machine) || open_debugger(a) ||
        confine_begin(&a->options, a->debug ? debug_leave_socket(a->debug) : NULL) ||
        confine_files(&a->options, a->paths) || open_machines(a))
        return STATUS_ERROR;
    return 0;
}

/* A log on the same terminal is not to be mixed with a screen. */
static enum screen_choice screen_wanted(const struct options *o) {
    bool logs = o->machine.verbose || o->log_packets;
    return o->screen == SCREEN_AUTO && logs && isatty(STDERR_FILENO) ? SCREEN_OFF : o->screen;
}

static int start(struct app *a) {
    int taken = a->options.gdb && !strcmp(a->options.gdb, "-"); /* stdout is gdb's */
    unsigned images = a->options.count ? a->options.count : 1;
    a->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (a->event < 0 || signals_catch(&a->signals, &a->jobs) < 0 ||
        console_open(&a->console, taken ? STDERR_FILENO : STDOUT_FILENO, a->signals, images,
                     a->options.color) < 0) {
        say("cannot make an eventfd or a signalfd: %s", file_error(errno));
        return STATUS_ERROR;
    }
    screen_view_open(&a->view, &a->console, screen_wanted(&a->options), a->options.color,
                     owner_notify, a);
    a->view.pixels = a->options.pixels;
    if (a->options.screen == SCREEN_ON && !a->view.possible) {
        say("--screen=on: stdout is no terminal that can show it (TERM); leave it out, and what the "
            "guest leaves on its screen is printed at its end");
        return STATUS_ERROR;
    }
    /* Statistics come when gdb has gone, and of exits there are too many. */
    if (taken && !a->options.stats && !a->options.machine.verbose &&
        !a->options.log_packets && !a->options.log_input)
        stderr_prepare_divert();
    a->options.machine.bios_text = !a->view.possible; /* else it is seen on the screen */
    a->options.machine.input_is_file = taken || stdin_is_file();
    if (a->options.log_input)
        a->options.machine.log_input = isatty(STDIN_FILENO) ? "the terminal" : "stdin";
    if (open_all(a))
        return STATUS_ERROR;
    tell_images(a);
    begin_debugger(a);
    start_input(a);
    if (confine_calls(&a->options))
        return STATUS_ERROR;
    if (!a->options.gdb || a->options.gdb_nowait)
        for (unsigned i = 0; i < a->count; i++)
            machine_resume(&a->machines[i], COMMAND_RUN);
    return loop(a);
}

/* What was printed with stdio is out; or that is told, and the status says so. */
static int flushed(FILE *f, const char *what, int status) {
    bool failed = ferror(f), more = fflush(f);
    if (!failed && !more)
        return status;
    say("cannot write %s: %s", what, strerror(errno));
    return status ? status : STATUS_ERROR;
}

/* Where gdb has stdout, it has gone by now. */
static void leave_screens(struct app *a) {
    if (!a->console.machines)
        return;
    if (a->quits)
        console_stop_waiting(&a->console);
    for (unsigned i = 0; i < a->count && a->left && a->console.fd == STDOUT_FILENO; i++)
        console_leftover(&a->console, &a->machines[i]);
}

static int run(struct app *a) {
    int status = start(a);
    if (!screenshot_take(&a->screenshot, a->count ? &a->machines[0] : NULL) && !status)
        status = STATUS_ERROR;
    screen_view_close(&a->view);
    leave_screens(a);
    console_close(&a->console, !a->quits);
    status = told_all(a, status);
    if (a->options.stats && a->count) {
        stats_print(a->machines, a->count, a->start_ns);
        status = flushed(stderr, "the statistics", status);
    }
    if (a->debug)
        debug_close(a->debug);
    file_end();
    for (unsigned i = 0; i < a->count; i++)
        machine_close(&a->machines[i]);
    for (unsigned i = 0; i < a->options.count; i++)
        free(a->paths[i]);
    images_close_symbols(&a->options);
    options_close(&a->options);
    return status;
}

int main(int argc, char **argv) {
    static struct app app;
    app.start_ns = monotonic_ns();
    open_standard_files();
    signal(SIGPIPE, SIG_IGN); /* a pipe that nobody reads is an error of write(), too */
    enum options_result result = options_parse(&app.options, argc, argv);
    app.options.machine.recorder = &replay_recorder;
    if (result == OPTIONS_WRONG)
        return STATUS_USAGE;
    if (result == OPTIONS_RUN && !app.options.list_packets && !app.options.list_images)
        return run(&app);
    if (app.options.list_packets)
        debug_list_packets();
    if (app.options.list_images)
        images_list();
    return flushed(stdout, "to stdout", 0);
}
