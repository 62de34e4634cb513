/* What guests print, and the terminal they are typed to.
 *
 * One machine writes straight through. Of several, each line is written whole
 * and in its machine's colour; a line that is not finished is kept until it is,
 * or until it does not grow (a prompt).
 *
 * Any thread may print, and then waits for who reads; the rest belongs to the main
 * thread, which has others to serve and does not wait.
 */
#ifndef MINIKVM_CONSOLE_H
#define MINIKVM_CONSOLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "vmm/app/tail.h"
#include "vmm/base/lock.h"
#include "vmm/machine/machine.h"

enum color_choice { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
enum { LINE_MAX_BYTES = 1024, CONSOLE_TAIL = 16384, CONSOLE_HELD = 1 << 18 };

struct console {
    struct lock lock;
    int fd;          /* where guests print: stdout, or stderr when that is taken */
    int signals;     /* readable when one came that ends us: nobody waits any more */
    int closed;      /* an eventfd, readable once we are at the end */
    _Atomic int lost; /* errno of the first output that could not be written */
    bool color;
    unsigned machines;
    unsigned focus;  /* the machine that the terminal types to, from 1 */
    bool raw;        /* a terminal types, in raw mode: Ctrl-A is ours */
    unsigned told_graphics; /* a bit for each machine: no text is left, and that was said */
    bool escape;     /* Ctrl-A was typed */
    bool wants_screen; /* Ctrl-A s: the screen in place of the text, or back; for who shows it */
    bool holds;        /* the screen is shown: text waits in `held` */
    struct tail held;
    struct {
        char text[LINE_MAX_BYTES];
        size_t length, before; /* now, and at the last console_idle() */
    } line[MACHINES_MAX];
    struct tail tail[MACHINES_MAX]; /* the last that each has printed */
    /* Not touched before they are needed: half a MiB. */
    char held_bytes[CONSOLE_HELD];
    char tail_bytes[MACHINES_MAX][CONSOLE_TAIL];
};

/* `signals` remains the caller's. 0 or -errno. */
int console_open(struct console *, int fd, int signals, unsigned machines, enum color_choice);
void console_print(struct console *, unsigned machine, const char *text, size_t length);
/* What a machine has on its screen is printed, if it was not (leftover.h). While somebody
 * prints, it is left out. */
void console_leftover(struct console *, struct machine *);
/* From now on nobody waits for who reads: what has no room is dropped. */
void console_stop_waiting(struct console *);
/* Text waits until it is released: the terminal shows something else. false: somebody prints
 * just now, try again. What is more than CONSOLE_HELD is lost, and that is told. */
bool console_hold(struct console *);
void console_release(struct console *);
/* What is held, from within a signal handler that ends us. */
void console_write_held(const struct console *);
/* Lines that have no end yet are written: a machine's; those that did not grow since
 * the last call. While somebody prints, or nobody reads, it is for the next time. */
void console_end_line(struct console *, unsigned machine);
void console_idle(struct console *);
/* Flushes partial lines and restores the terminal. wait: block until they are written,
 * else drop what nobody reads. */
void console_close(struct console *, bool wait);

/* Raw mode for a terminal on stdin: keys go to the guest as they are typed. See terminal.h. */
void console_raw(struct console *);

/* Takes Ctrl-A commands out of what was typed, up to one that gives the terminal to
 * another machine: *length is how much that was. Returns how many bytes remain at the
 * begin of `bytes` for the machine that had it. *quit: Ctrl-A x. */
size_t console_typed(struct console *, unsigned char *bytes, size_t *length, bool *quit);

#endif
