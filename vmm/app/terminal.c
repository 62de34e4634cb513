/* Raw mode, job control and fatal signals; see terminal.h. */
#include "vmm/app/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "vmm/host/files.h"

static struct termios saved, raw; /* of the process: there is one terminal */
static volatile sig_atomic_t wanted, is_raw;
static pid_t group; /* a sandbox does not let it be asked */

/* One that is not our controlling terminal has no foreground job. */
static bool is_foreground(void) {
    int reason = errno;
    pid_t foreground = tcgetpgrp(STDIN_FILENO);
    errno = reason;
    return foreground < 0 || foreground == group;
}

bool terminal_wants_raw(void) {
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &saved) < 0)
        return false;
    raw = saved;
    raw.c_lflag &= ~(ICANON | ECHO | ISIG | IEXTEN);
    raw.c_iflag &= ~(ICRNL | INLCR | IXON); /* output processing stays: \n is a new line */
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    group = getpgrp();
    wanted = true;
    atexit(terminal_restore);
    terminal_update();
    return true;
}

bool terminal_update(void) {
    if (wanted && is_foreground() && !is_raw)
        is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
    return !wanted || (is_raw && is_foreground());
}

void terminal_restore(void) {
    if (is_raw && is_foreground())
        tcsetattr(STDIN_FILENO, TCSANOW, &saved);
    is_raw = 0;
}

void terminal_suspend(void) {
    sigset_t set;
    terminal_restore();
    sigemptyset(&set);
    sigaddset(&set, SIGTSTP);
    raise(SIGTSTP); /* blocked: pending until the next line, where all threads stop */
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

void terminal_continued(void) { is_raw = 0; }

/* --- signals that end us ------------------------------------------------------------ */

static struct sigaction before[65];

/* A fault comes again when its instruction is tried again, now for who was there before:
 * the default, which ends us with this very signal, or a sanitizer's. */
static void on_fatal(int number, siginfo_t *info, void *context) {
    (void)context;
    terminal_restore();
    file_end();
    sigaction(number, &before[number], NULL);
    if (info->si_code <= 0)
        raise(number);
}

static bool is_fault(int number) {
    return number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL ||
           number == SIGTRAP || number == SIGSYS || number == SIGABRT;
}

/* Those that do not end a process, and those that the main loop reads (SIGINT, …). */
static bool is_harmless(int number) {
    static const int others[] = {SIGKILL, SIGSTOP, SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGTSTP, SIGTTIN,
                                 SIGTTOU, SIGPIPE, SIGXFSZ, SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i] == number)
            return true;
    return false;
}

void terminal_catch_fatal(void) {
    struct sigaction action = {.sa_sigaction = on_fatal, .sa_flags = SA_SIGINFO};
    for (int number = 1; number < 65; number++) {
        struct sigaction *old = &before[number];
        if (is_harmless(number) || sigaction(number, NULL, old) < 0 || old->sa_handler == SIG_IGN)
            continue;
        if (old->sa_handler == SIG_DFL || is_fault(number))
            sigaction(number, &action, NULL);
    }
}
