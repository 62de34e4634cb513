/* Raw mode, job control and fatal signals; see terminal.h. */
#include "vmm/app/terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "vmm/app/attributes.h"
#include "vmm/host/files.h"

static struct termios saved, raw; /* of the process: there is one terminal */
static volatile sig_atomic_t wanted, is_raw;
static bool is_doubtful; /* another job may have changed it since */
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
    if (wanted && is_foreground() && (!is_raw || is_doubtful)) {
        is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
        is_doubtful = false;
    }
    return !wanted || (is_raw && is_foreground());
}

/* --- keys ----------------------------------------------------------------------------- */

enum { REST_MS = 25 }; /* as long as a line may take between two bytes of a sequence */

/* Does an escape sequence begin at `text` that has no end there? ESC alone; ESC O; ESC [ and
 * numbers (ECMA-48, 5.4). */
static bool is_cut(const unsigned char *text, size_t length) {
    if (length == 1)
        return true;
    if (text[1] != '[')
        return text[1] == 'O' && length == 2;
    size_t n = 2;
    while (n < length && ((text[n] >= ' ' && text[n] < '@') || (n == 2 && text[n] == '[')))
        n++;
    return n == length;
}

static size_t cut_length(const unsigned char *bytes, size_t length) {
    for (size_t n = 1; n <= length && n < TERMINAL_SEQUENCE; n++)
        if (bytes[length - n] == '\033')
            return is_cut(bytes + length - n, n) ? n : 0;
    return 0;
}

bool terminal_ends_in_sequence(const unsigned char *bytes, size_t length) {
    return cut_length(bytes, length) > 0;
}

/* The begin of a sequence for which there was no room. */
static unsigned char cut[TERMINAL_SEQUENCE];
static size_t cut_kept;

static ssize_t read_behind_cut(unsigned char *bytes, size_t size) {
    size_t before = cut_kept < size ? cut_kept : 0;
    ssize_t n = read(STDIN_FILENO, bytes + before, size - before);
    if (n < 0 || (n == 0 && !before))
        return n;
    memcpy(bytes, cut, before);
    cut_kept -= before;
    return (ssize_t)before + n;
}

static size_t keep_cut(const unsigned char *bytes, size_t length) {
    size_t n = cut_length(bytes, length);
    if (!n || n == length)
        return length;
    memcpy(cut, bytes + length - n, n);
    cut_kept = n;
    return length - n;
}

ssize_t terminal_read(unsigned char *bytes, size_t size) {
    ssize_t length = read_behind_cut(bytes, size);
    struct pollfd more = {.fd = STDIN_FILENO, .events = POLLIN};
    while (length > 0 && is_raw && (size_t)length < size &&
           terminal_ends_in_sequence(bytes, (size_t)length) && poll(&more, 1, REST_MS) > 0) {
        ssize_t n = read(STDIN_FILENO, bytes + length, size - (size_t)length);
        if (n <= 0)
            break;
        length += n;
    }
    if (length > 0 && is_raw && (size_t)length == size)
        length = (ssize_t)keep_cut(bytes, size);
    ssize_t kept = length > 0 ? (ssize_t)attributes_take(bytes, (size_t)length) : length;
    if (kept == 0 && length > 0) /* nothing else has come, and it is not the end */
        errno = EAGAIN;
    return kept == 0 && length > 0 ? -1 : kept;
}

/* --- the alternate screen ------------------------------------------------------------- */

static volatile sig_atomic_t has_screen, tells_mouse;
static void (*when_left)(void);

static void write_sequence(const char *text, size_t length) {
    ssize_t n;
    do
        n = write(STDOUT_FILENO, text, length);
    while (n < 0 && errno == EINTR);
}

/* xterm's: the other screen, no wrap at the last column. */
void terminal_enter_screen(void (*left)(void)) {
    static const char enter[] = "\033[?1049h\033[?7l\033[2J";
    static bool begun;
    if (!begun)
        atexit(terminal_restore);
    begun = true;
    when_left = left;
    has_screen = true;
    write_sequence(enter, sizeof enter - 1);
}

/* xterm's: every movement, in decimal numbers. */
void terminal_tell_mouse(bool on) {
    static const char begin[] = "\033[?1003h\033[?1006h", end[] = "\033[?1003l\033[?1006l";
    if (!has_screen || tells_mouse == on)
        return;
    tells_mouse = on;
    write_sequence(on ? begin : end, sizeof begin - 1);
}

void terminal_ring(void) {
    if (has_screen)
        write_sequence("\a", 1);
}

/* CAN ends a sequence that was not written whole. Cursor and attributes are the default. */
void terminal_leave_screen(void) {
    static const char leave[] = "\030\033[0m\033[?7h\033[0 q\033[?25h\033[?1049l";
    if (has_screen) {
        write_sequence(leave, 1);
        terminal_tell_mouse(false);
        write_sequence(leave + 1, sizeof leave - 2);
    }
    has_screen = false;
}

bool terminal_has_screen(void) { return has_screen; }

bool terminal_size(unsigned *rows, unsigned *columns) {
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_row || !size.ws_col)
        return false;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return true;
}

void terminal_restore(void) {
    bool had_screen = has_screen;
    if (is_foreground())
        terminal_leave_screen();
    if (had_screen && !has_screen)
        when_left();
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

/* It is ours to restore all the same. */
void terminal_continued(void) { is_doubtful = true; }

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
