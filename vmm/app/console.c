/* Guest output, and the terminal; see console.h. */
#include "vmm/app/console.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/app/terminal.h"

enum { CTRL_A = 1 };

/* The seed's four, then the rest of the palette. */
static const char *const colors[] = {"35", "32", "33", "34", "36", "31", "95", "92",
                                     "93", "94", "96", "91"};
enum { COLORS = sizeof colors / sizeof *colors };

/* 0, or the errno for which the rest is lost. */
static int write_all(int fd, const char *text, size_t length) {
    while (length) {
        ssize_t n = write(fd, text, length);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd p = {.fd = fd, .events = POLLOUT};
            poll(&p, 1, -1);
        } else if (n < 0 && errno != EINTR) {
            return errno;
        }
        if (n > 0) {
            text += n;
            length -= n;
        }
    }
    return 0;
}

/* --- where stderr goes --------------------------------------------------------------- */

/* Of the process, as stderr is. */
static struct {
    int strays[2]; /* a pipe: what stderr becomes; 0: it stays */
    void *context;
    void (*_Atomic to)(void *context, const char *text, size_t length);
} divert;

static bool is_gdbs_pipe(void) {
    struct stat in, out, err;
    return !fstat(STDIN_FILENO, &in) && !fstat(STDOUT_FILENO, &out) &&
           !fstat(STDERR_FILENO, &err) && S_ISSOCK(in.st_mode) && S_ISSOCK(err.st_mode) &&
           in.st_ino == out.st_ino && in.st_ino != err.st_ino;
}

void console_prepare_divert(void) {
    if (!is_gdbs_pipe() || pipe2(divert.strays, O_CLOEXEC | O_NONBLOCK) < 0)
        divert.strays[1] = 0;
}

void console_divert(void (*to)(void *context, const char *text, size_t length), void *context) {
    if (!divert.strays[1] || divert.to || dup2(divert.strays[1], STDERR_FILENO) < 0)
        return;
    close(divert.strays[1]);
    divert.context = context;
    divert.to = to;
}

int console_strays(void) { return divert.to ? divert.strays[0] : -1; }

void console_read_strays(void) {
    char text[1024];
    ssize_t n;
    while (divert.to && (n = read(divert.strays[0], text, sizeof text)) > 0)
        divert.to(divert.context, text, (size_t)n);
}

/* 0, or the errno for which the rest is lost. */
static int write_out(int fd, const char *text, size_t length) {
    if (fd != STDERR_FILENO || !divert.to)
        return write_all(fd, text, length);
    divert.to(divert.context, text, length);
    return 0;
}

void say(const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    int n = snprintf(text, sizeof text, "minikvm: ");
    n += vsnprintf(text + n, sizeof text - n - 3, format, args);
    va_end(args);
    if (n > (int)sizeof text - 4)
        n = sizeof text - 4;
    n += sprintf(text + n, "\n");
    write_out(STDERR_FILENO, text, n);
}

/* --- output ------------------------------------------------------------------------- */

int console_open(struct console *c, int fd, int signals, unsigned machines,
                 enum color_choice color) {
    *c = (struct console){.fd = fd, .signals = signals, .machines = machines, .focus = 1};
    c->closed = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (c->closed < 0) {
        c->machines = 0; /* none are to come */
        return -errno;
    }
    pthread_mutex_init(&c->lock, NULL);
    bool sensible = machines > 1 && isatty(fd);
    c->color = color == COLOR_ALWAYS || (color == COLOR_AUTO && sensible);
    return 0;
}

/* For a piece of PIPE_BUF (pipe(7)). false: there is none, and it is not waited for. */
static bool has_room(struct console *c, bool wait) {
    struct pollfd fds[] = {{.fd = c->fd, .events = POLLOUT}, {.fd = c->signals, .events = POLLIN},
                           {.fd = c->closed, .events = POLLIN}};
    while (poll(fds, sizeof fds / sizeof *fds, wait ? -1 : 0) < 0 && errno == EINTR)
        ;
    return fds[0].revents;
}

/* The guest runs on; the loss is told at the end. */
static void write_text(struct console *c, const char *text, size_t length) {
    while (length && has_room(c, true)) {
        size_t piece = length < PIPE_BUF ? length : PIPE_BUF;
        int err = write_out(c->fd, text, piece);
        if (!c->lost)
            c->lost = err;
        text += piece;
        length -= piece;
    }
}

/* One write for one line, so that two processes' lines do not mix either. */
static void write_line(struct console *c, unsigned i) {
    char out[LINE_MAX_BYTES + 32];
    size_t length = c->line[i].length;
    if (!length)
        return;
    bool ended = c->line[i].text[length - 1] == '\n';
    int n = 0;
    if (c->color)
        n = sprintf(out, "\033[%sm", colors[i % COLORS]);
    memcpy(out + n, c->line[i].text, length - ended);
    n += length - ended;
    n += sprintf(out + n, "%s%s", c->color ? "\033[0m" : "", ended ? "\n" : "");
    write_text(c, out, n);
    c->line[i].length = 0;
}

static void keep(struct console *c, unsigned i, char byte) {
    c->line[i].text[c->line[i].length++] = byte;
    if (byte == '\n' || c->line[i].length == LINE_MAX_BYTES)
        write_line(c, i);
}

void console_print(struct console *c, unsigned machine, const char *text, size_t length) {
    pthread_mutex_lock(&c->lock);
    if (c->machines == 1 && !c->color)
        write_text(c, text, length);
    else
        for (size_t i = 0; i < length; i++)
            keep(c, (machine - 1) % MACHINES_MAX, text[i]);
    pthread_mutex_unlock(&c->lock);
}

void console_end_line(struct console *c, unsigned machine) {
    if (pthread_mutex_trylock(&c->lock))
        return;
    if (has_room(c, false))
        write_line(c, machine - 1);
    pthread_mutex_unlock(&c->lock);
}

void console_idle(struct console *c) {
    if (pthread_mutex_trylock(&c->lock))
        return;
    for (unsigned i = 0; i < c->machines; i++) {
        if (c->line[i].length == c->line[i].before && has_room(c, false))
            write_line(c, i);
        c->line[i].before = c->line[i].length;
    }
    pthread_mutex_unlock(&c->lock);
}

static void end_all_lines(struct console *c) {
    pthread_mutex_lock(&c->lock);
    for (unsigned i = 0; i < c->machines; i++)
        write_line(c, i);
    pthread_mutex_unlock(&c->lock);
}

/* --- the terminal ---------------------------------------------------------------------- */

void console_raw(struct console *c) { c->raw = terminal_wants_raw(); }

void console_close(struct console *c, bool wait) {
    if (!c->machines)
        return;
    if (wait)
        end_all_lines(c);
    for (unsigned i = 0; !wait && i < c->machines; i++)
        console_end_line(c, i + 1);
    eventfd_write(c->closed, 1);
    terminal_restore();
    c->raw = false;
}

static void help(void) {
    fprintf(stderr, "\nminikvm: Ctrl-A x quits, Ctrl-A 1…9 types to that machine, Ctrl-A a sends "
                    "a Ctrl-A, Ctrl-A h is this\n");
}

/* The key after Ctrl-A; true if it is to be typed itself. */
static bool command_key(struct console *c, unsigned char key, bool *quit) {
    if (key == 'x')
        *quit = true;
    else if (key >= '1' && key <= '9' && (unsigned)(key - '0') <= c->machines)
        c->focus = key - '0';
    else if (key == 'h' || key == '?')
        help();
    return key == 'a' || key == CTRL_A;
}

size_t console_typed(struct console *c, unsigned char *bytes, size_t *length, bool *quit) {
    size_t kept = 0, done = 0;
    unsigned focus = c->focus;
    while (done < *length && c->focus == focus) {
        unsigned char key = bytes[done++];
        if (c->escape) {
            c->escape = false;
            if (command_key(c, key, quit))
                bytes[kept++] = CTRL_A;
        } else if (c->raw && key == CTRL_A) {
            c->escape = true;
        } else {
            bytes[kept++] = key;
        }
    }
    *length = done;
    return kept;
}
