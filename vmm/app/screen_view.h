/* The guest's screen on the terminal: in the alternate screen, while the guest uses it.
 *
 * What guests print and minikvm's own messages wait meanwhile, the last message in a line
 * under the screen; all of it is written when the view ends.
 *
 * Rule: the main thread alone shows and writes; messages come from any thread. The guest never
 * waits for the terminal, and nothing wakes up for a machine that stands.
 */
#ifndef MINIKVM_SCREEN_VIEW_H
#define MINIKVM_SCREEN_VIEW_H

#include "vmm/app/console.h"
#include "vmm/app/paint.h"
#include "vmm/app/sixel.h"
#include "vmm/app/tail.h"
#include "vmm/base/lock.h"
#include "vmm/machine/machine_screen.h"

enum screen_choice { SCREEN_AUTO, SCREEN_ON, SCREEN_OFF };
enum { VIEW_MESSAGES = 1 << 16, VIEW_MESSAGE = 200 };

struct screen_view {
    bool possible; /* else nothing below is used */
    enum screen_choice choice; /* as the user has it now */
    struct console *console;
    bool used[MACHINES_MAX + 1]; /* by number: its guest has put something on its screen */
    bool shown;
    struct paint paint;
    struct screen screen; /* as it was looked at last ... */
    struct paint_dots dots; /* ... and the picture, in a graphics mode */
    unsigned width, height; /* of that, on the guest's screen */
    enum pixel_choice { PIXELS_AUTO, PIXELS_SIXEL, PIXELS_BLOCKS } pixels;
    bool uses_sixel;        /* for this picture */
    struct sixel sixel;
    unsigned number, machines;
    char state[32];       /* of the machine, for people */
    bool stale;           /* it is not painted whole */
    size_t written;       /* of the bytes in paint */
    uint64_t next_ms;     /* the next look; UINT64_MAX: when something happens */
    uint64_t quick_ms;    /* until then often */
    struct machine_sound sound; /* as it was heard last, of machine `heard` */
    unsigned heard;
    uint64_t rang_ms;
    bool begins;          /* a tone has, and it is too early for the bell */
    bool rings;           /* the bell is to ring when no sequence is under way */

    struct lock lock; /* the rest */
    bool holds;           /* messages are kept */
    bool keeps_stderr;    /* stderr is a terminal, too */
    bool unread;          /* a message has come since a key was typed */
    char message[VIEW_MESSAGE];
    struct tail messages;
    char message_bytes[VIEW_MESSAGES];
    void (*wake)(void *context); /* any thread: a message has come */
    void *context;
};

/* Whether it is possible at all: view->possible. The console outlives it. */
void screen_view_open(struct screen_view *, struct console *, enum screen_choice, enum color_choice,
                      void (*wake)(void *), void *context);
void screen_view_close(struct screen_view *);

/* Looks at the machine that has the keys, when it is time, and shows what it has to show.
 * foreground: the terminal is ours. */
void screen_view_update(struct screen_view *, struct machine *, bool foreground);
/* Milliseconds until it wants to be updated; -1: when something happens. */
int screen_view_patience(const struct screen_view *);
/* Is something waiting for room on stdout? */
bool screen_view_writes(const struct screen_view *);
/* A key was typed; or something happened (a stop, a signal): look soon. */
void screen_view_typed(struct screen_view *);
void screen_view_poke(struct screen_view *);
/* Ctrl-A s. */
void screen_view_switch(struct screen_view *);
/* The terminal is given away (SIGTSTP): shows nothing until the next update. */
void screen_view_leave(struct screen_view *);

#endif
