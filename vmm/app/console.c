/* Guest output, and the terminal; see console.h. */
#include "vmm/app/console.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vmm/app/leftover.h"
#include "vmm/app/terminal.h"
#include "vmm/host/stderr.h"
#include "vmm/host/text.h"
#include "vmm/machine/machine_screen.h"

enum { CTRL_A = 1 };

/* SGR parameters, one a machine: the 16-colour palette without black, white and grey, then
 * orange, violet, steel blue and tan of the 256 colours. */
static const char *const colors[MACHINES_MAX] = {
    "35", "32", "33", "34", "36", "31", "95", "92", "93", "94", "96", "91",
    "38;5;208", "38;5;141", "38;5;67", "38;5;180"};

/* --- output ------------------------------------------------------------------------- */

int console_open(struct console *c, int fd, int signals, unsigned machines,
                 enum color_choice color) {
    memset(c, 0, offsetof(struct console, held_bytes));
    c->fd = fd;
    c->signals = signals;
    c->machines = machines;
    c->focus = 1;
    c->closed = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (c->closed < 0) {
        c->machines = 0; /* none are to come */
        return -errno;
    }
    lock_init(&c->lock, LOCK_CONSOLE);
    c->held = (struct tail){.bytes = c->held_bytes, .size = CONSOLE_HELD};
    for (unsigned i = 0; i < MACHINES_MAX; i++)
        c->tail[i] = (struct tail){.bytes = c->tail_bytes[i], .size = CONSOLE_TAIL};
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
    if (c->holds) {
        tail_put(&c->held, text, length);
        return;
    }
    while (length && has_room(c, true)) {
        size_t piece = length < PIPE_BUF ? length : PIPE_BUF;
        int err = stderr_or_write(c->fd, text, piece);
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
        n = sprintf(out, "\033[%sm", colors[i]);
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
    lock_take(&c->lock);
    leftover_note(&c->tail[(machine - 1) % MACHINES_MAX], text, length);
    if (c->machines == 1 && !c->color)
        write_text(c, text, length);
    else
        for (size_t i = 0; i < length; i++)
            keep(c, (machine - 1) % MACHINES_MAX, text[i]);
    lock_release(&c->lock);
}

void console_end_line(struct console *c, unsigned machine) {
    if (!lock_try(&c->lock))
        return;
    if (has_room(c, false))
        write_line(c, machine - 1);
    lock_release(&c->lock);
}

void console_idle(struct console *c) {
    if (!lock_try(&c->lock))
        return;
    for (unsigned i = 0; i < c->machines; i++) {
        if (c->line[i].length == c->line[i].before && has_room(c, false))
            write_line(c, i);
        c->line[i].before = c->line[i].length;
    }
    lock_release(&c->lock);
}

/* --- while a screen is shown ------------------------------------------------------------ */

bool console_hold(struct console *c) {
    if (!lock_try(&c->lock))
        return false;
    c->holds = true;
    lock_release(&c->lock);
    return true;
}

/* Nobody waits for room with the lock held: since console_hold() text only goes to `held`. */
void console_release(struct console *c) {
    const char *piece;
    lock_take(&c->lock);
    c->holds = false;
    size_t lost = c->held.lost;
    for (size_t n = 0, length; n < c->held.length; n += length) {
        length = tail_piece(&c->held, n, &piece);
        write_text(c, piece, length);
    }
    tail_clear(&c->held);
    lock_release(&c->lock);
    if (lost)
        say("the guest printed more while its screen was shown: the first %zu bytes are left out; "
            "--screen=off shows all of it", lost);
}

void console_write_held(const struct console *c) {
    const char *piece;
    for (size_t n = 0, length; n < c->held.length; n += length) {
        length = tail_piece(&c->held, n, &piece);
        if (write(c->fd, piece, length) < 0)
            return;
    }
}

/* --- what is left on a screen ----------------------------------------------------------- */

struct printing {
    struct console *console;
    unsigned machine;
};

static void print_row(void *context, const char *text, size_t length) {
    const struct printing *p = context;
    console_print(p->console, p->machine, text, length);
}

static bool has_leftover(struct console *c, unsigned machine, const struct screen *s, bool *in_line) {
    const struct tail *t = &c->tail[machine - 1];
    if (!lock_try(&c->lock))
        return false;
    bool has = leftover_is_there(s, t);
    *in_line = t->length && tail_at(t, t->length - 1) != '\n';
    lock_release(&c->lock);
    return has;
}

static void tell_graphics(struct console *c, unsigned machine) {
    if (!(c->told_graphics & 1u << machine))
        say("machine %u: its screen is in a graphics mode, which cannot be shown as text; --screenshot=FILE.png "
            "makes a picture", machine);
    c->told_graphics |= 1u << machine;
}

void console_leftover(struct console *c, struct machine *m) {
    struct printing p = {c, m->number};
    struct screen s;
    bool in_line;
    if (!machine_screen(m, &s))
        return;
    if (!s.text)
        tell_graphics(c, m->number);
    if (!s.text || !has_leftover(c, m->number, &s, &in_line))
        return;
    if (in_line)
        print_row(&p, "\n", 1);
    leftover_print(&s, text_is_utf8(), print_row, &p);
}

void console_stop_waiting(struct console *c) { eventfd_write(c->closed, 1); }

static void end_all_lines(struct console *c) {
    lock_take(&c->lock);
    for (unsigned i = 0; i < c->machines; i++)
        write_line(c, i);
    lock_release(&c->lock);
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
    console_stop_waiting(c);
    terminal_restore();
    c->raw = false;
}

static void help(void) {
    static const char text[] =
        "\nminikvm: Ctrl-A x quits, Ctrl-A 1-9 types to that machine, Ctrl-A n to the next, "
        "Ctrl-A s shows the screen or the text, Ctrl-A a sends a Ctrl-A, Ctrl-A h is this\n";
    stderr_or_write(STDERR_FILENO, text, sizeof text - 1);
}

/* The key after Ctrl-A; true if it is to be typed itself. */
static bool command_key(struct console *c, unsigned char key, bool *quit) {
    if (key == 'x')
        *quit = true;
    else if (key >= '1' && key <= '9' && (unsigned)(key - '0') <= c->machines)
        c->focus = key - '0';
    else if (key == 'n')
        c->focus = c->focus % c->machines + 1;
    else if (key == 's')
        c->wants_screen = true;
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
