/* The guest's screen on the terminal; see screen_view.h. */
#include "vmm/app/screen_view.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/app/attributes.h"
#include "vmm/app/palette.h"
#include "vmm/app/terminal.h"
#include "vmm/base/monotonic.h"
#include "vmm/host/stderr.h"
#include "vmm/host/text.h"
#include "vmm/machine/machine_screen.h"

/* Thirty looks a second while something changes, and for a moment after a key. */
enum { QUICK_MS = 33, SLOW_MS = 100, QUICK_FOR_MS = 500, BELL_MS = 300 };
enum { ROOM_MIN = 40 }; /* columns for a message, if there is anything beside it */
#define HELP "Ctrl-A h: help"
enum { PIECE = 512 }; /* a terminal with room takes so much at once */

static struct screen_view *the_view; /* for a signal handler: there is one terminal */

static uint64_t now_ms(void) { return monotonic_ns() / 1000000; }

/* --- messages ------------------------------------------------------------------------- */

/* Its last line, in characters that every terminal shows in one column. */
static void note_message(struct screen_view *v, const char *text, size_t length) {
    while (length && text[length - 1] == '\n')
        length--;
    size_t begin = length, n = 0;
    while (begin && text[begin - 1] != '\n')
        begin--;
    for (size_t i = begin; i < length && n < VIEW_MESSAGE - 1; i++)
        v->message[n++] = text[i] < ' ' || text[i] > '~' ? '?' : text[i];
    v->message[n] = 0;
    v->unread = true;
}

static bool take_message(void *view, const char *text, size_t length) {
    struct screen_view *v = view;
    lock_take(&v->lock);
    note_message(v, text, length);
    bool kept = v->holds && v->keeps_stderr;
    if (kept)
        tail_put(&v->messages, text, length);
    lock_release(&v->lock);
    v->wake(v->context);
    return kept;
}

static void write_messages(struct screen_view *v) {
    const char *piece;
    for (size_t n = 0, length; n < v->messages.length; n += length) {
        length = tail_piece(&v->messages, n, &piece);
        if (write(STDERR_FILENO, piece, length) < 0)
            return;
    }
}

/* A signal ends us, and the terminal has left the alternate screen. */
static void when_lost(void) {
    if (!the_view || !the_view->shown)
        return;
    console_write_held(the_view->console);
    write_messages(the_view);
}

/* --- open and close ------------------------------------------------------------------- */

static bool can_be_shown(enum screen_choice choice) {
    const char *term = getenv("TERM");
    bool smart = term && *term && strcmp(term, "dumb") != 0;
    return choice != SCREEN_OFF && isatty(STDOUT_FILENO) && smart &&
           (choice == SCREEN_ON || isatty(STDIN_FILENO));
}

static struct paint_style style_of(enum color_choice color) {
    enum paint_colors colors = PAINT_PLAIN;
    if (color != COLOR_NEVER)
        colors = palette_of(getenv("TERM"), getenv("COLORTERM"),
                            color == COLOR_ALWAYS ? NULL : getenv("NO_COLOR"));
    if (color == COLOR_ALWAYS && colors == PAINT_PLAIN)
        colors = PAINT_16;
    return (struct paint_style){colors, text_is_utf8()};
}

void screen_view_open(struct screen_view *v, struct console *c, enum screen_choice choice,
                      enum color_choice color, void (*wake)(void *), void *context) {
    v->possible = can_be_shown(choice) && c->fd == STDOUT_FILENO;
    if (!v->possible)
        return;
    c->told_graphics = UINT_MAX; /* it is seen */
    v->choice = choice;
    v->console = c;
    v->machines = c->machines;
    v->wake = wake;
    v->context = context;
    v->keeps_stderr = isatty(STDERR_FILENO);
    v->messages = (struct tail){.bytes = v->message_bytes, .size = VIEW_MESSAGES};
    v->next_ms = UINT64_MAX;
    lock_init(&v->lock, LOCK_MESSAGES);
    paint_open(&v->paint, style_of(color));
    the_view = v;
    stderr_watch(take_message, v);
}

/* --- the alternate screen ------------------------------------------------------------- */

static void enter(struct screen_view *v) {
    if (!console_hold(v->console))
        return;
    lock_take(&v->lock);
    v->holds = true;
    v->unread = true; /* how to get out is seen once on a small terminal, too */
    lock_release(&v->lock);
    v->shown = true;
    v->paint.anew = true;
    v->paint.length = v->sixel.length = v->written = 0;
    v->stale = true;
    terminal_enter_screen(when_lost);
}

void screen_view_leave(struct screen_view *v) {
    if (!v->shown)
        return;
    lock_take(&v->lock);
    terminal_leave_screen();
    v->holds = false;
    write_messages(v);
    tail_clear(&v->messages);
    lock_release(&v->lock);
    v->shown = false;
    attributes_wait();
    console_release(v->console);
}

void screen_view_close(struct screen_view *v) {
    if (v->possible)
        screen_view_leave(v);
    v->possible = false;
}

/* --- looking -------------------------------------------------------------------------- */

static bool has_text(const struct screen *s) {
    for (unsigned row = 0; s->text && row < s->rows; row++)
        for (unsigned column = 0; column < s->columns; column++)
            if (!screen_is_blank(s->cell[row][column].character))
                return true;
    return false;
}

/* Cells that the screen does not have are not compared. */
static bool same(const struct screen *a, const struct screen *b) {
    if (memcmp(a, b, offsetof(struct screen, cell)))
        return false;
    for (unsigned row = 0; a->text && row < a->rows; row++)
        if (memcmp(a->cell[row], b->cell[row], a->columns * sizeof a->cell[row][0]))
            return false;
    return true;
}

static bool same_dots(const struct paint_dots *a, const struct paint_dots *b) {
    bool same = a->rows == b->rows && a->columns == b->columns;
    for (unsigned y = 0; same && y < a->rows; y++)
        same = !memcmp(a->dot[y], b->dot[y], a->columns * sizeof a->dot[y][0]);
    return same;
}

static void take(struct screen_view *v, const struct screen *s, unsigned number) {
    if (!v->used[number])
        v->used[number] = has_text(s) || !s->text;
    if (number == v->number && same(s, &v->screen))
        return;
    v->screen = *s;
    v->number = number;
    v->stale = true;
    v->quick_ms = now_ms() + QUICK_FOR_MS;
}

static uint32_t scaled[SIXEL_ROWS * SIXEL_COLUMNS]; /* the main thread's */
_Static_assert(SIXEL_ROWS * SIXEL_COLUMNS >= 2 * PAINT_ROWS * PAINT_COLUMNS, "it has room for either");

/* false: nothing has changed. */
static bool take_blocks(struct screen_view *v, const struct picture *p) {
    static struct paint_dots dots; /* the main thread's */
    paint_room(&v->paint, &dots.columns, &dots.rows);
    dots.rows *= 2;
    picture_fit(p, &dots.columns, &dots.rows);
    dots.rows += dots.rows & 1;
    picture_scale(p, dots.columns, dots.rows, scaled);
    for (unsigned y = 0; y < dots.rows; y++)
        memcpy(dots.dot[y], scaled + y * dots.columns, dots.columns * sizeof *scaled);
    if (same_dots(&dots, &v->dots))
        return false;
    v->dots = dots;
    return true;
}

static bool take_sixels(struct screen_view *v, const struct picture *p, unsigned cell_width, unsigned cell_height) {
    unsigned columns, rows;
    paint_room(&v->paint, &columns, &rows);
    columns = columns * cell_width < SIXEL_COLUMNS ? columns * cell_width : SIXEL_COLUMNS;
    rows = rows * cell_height < SIXEL_ROWS ? rows * cell_height : SIXEL_ROWS;
    picture_fit(p, &columns, &rows);
    picture_scale(p, columns, rows, scaled);
    return sixel_set(&v->sixel, columns, rows, cell_height, scaled);
}

static bool wants_sixel(const struct screen_view *v) {
    bool can = v->pixels == PIXELS_SIXEL || attributes_have_sixel();
    return can && v->pixels != PIXELS_BLOCKS && v->paint.style.colors != PAINT_PLAIN;
}

/* A picture in a graphics mode: something has changed if a dot has that is seen. */
static void look_at_picture(struct screen_view *v, struct machine *m) {
    struct vga registers;
    struct picture p;
    unsigned width, height;
    if (!machine_picture(m, &registers, &p))
        return;
    bool sixel = wants_sixel(v) && attributes_cell(&width, &height), before = v->uses_sixel;
    v->uses_sixel = sixel;
    v->width = p.width;
    v->height = p.height;
    bool changed = sixel ? take_sixels(v, &p, width, height) : take_blocks(v, &p);
    v->paint.anew |= sixel != before;
    if (!changed && sixel == before)
        return;
    v->stale = true;
    v->quick_ms = now_ms() + QUICK_FOR_MS;
}

/* Once for each tone that begins, and not too often. */
static bool hears_tone(struct screen_view *v, struct machine *m) {
    struct machine_sound s = machine_sound(m), before = v->sound;
    bool same_machine = v->heard == m->number;
    bool begins = same_machine && (s.tones != before.tones || (s.hz && s.hz != before.hz));
    v->sound = s;
    v->heard = m->number;
    v->begins |= begins;
    if (!v->begins || now_ms() - v->rang_ms < BELL_MS)
        return false;
    v->rang_ms = now_ms();
    v->begins = false;
    return true;
}

static void look(struct screen_view *v, struct machine *m) {
    struct screen s;
    memset(&s, 0, offsetof(struct screen, cell));
    if (machine_screen(m, &s))
        take(v, &s, m->number);
    if (!v->screen.text)
        look_at_picture(v, m);
    machine_state(m, v->state, sizeof v->state);
    v->rings |= hears_tone(v, m);
    uint64_t now = now_ms();
    v->next_ms = now + (now < v->quick_ms ? QUICK_MS : SLOW_MS);
}

/* A machine that stands is looked at once more. */
static void look_if_due(struct screen_view *v, struct machine *m) {
    bool busy = machine_busy(m);
    if (v->next_ms == UINT64_MAX && busy)
        v->next_ms = 0;
    if (m->number == v->number && now_ms() < v->next_ms)
        return;
    look(v, m);
    if (!busy)
        v->next_ms = UINT64_MAX;
}

void screen_view_poke(struct screen_view *v) { v->next_ms = 0; }

void screen_view_typed(struct screen_view *v) {
    if (!v->possible)
        return;
    lock_take(&v->lock);
    v->unread = false;
    lock_release(&v->lock);
    v->quick_ms = now_ms() + QUICK_FOR_MS;
    v->next_ms = 0;
    v->stale = true;
}

void screen_view_switch(struct screen_view *v) {
    v->choice = v->shown ? SCREEN_OFF : SCREEN_ON;
    v->next_ms = 0;
}

/* --- painting ------------------------------------------------------------------------- */

static void resize(struct screen_view *v) {
    unsigned rows, columns;
    if (terminal_size(&rows, &columns) && (rows != v->paint.rows || columns != v->paint.columns)) {
        paint_resize(&v->paint, rows, columns);
        v->stale = true;
        v->next_ms = 0; /* a picture is scaled anew */
    }
}

/* The message on the left; on the right, if there is room, what the machine does and how to
 * get out. */
static void compose_status(const struct screen_view *v, char *out, size_t size) {
    char which[32] = "", mode[32] = "", left[PAINT_STATUS + 80];
    int width = (int)(v->paint.columns < size - 1 ? v->paint.columns : size - 1);
    int room = width - (int)strlen(v->state) - (int)strlen(HELP) - 4;
    if (v->machines > 1)
        snprintf(which, sizeof which, "machine %u of %u  ", v->number, v->machines);
    if (!v->screen.text)
        snprintf(mode, sizeof mode, "%ux%u  ", v->width, v->height);
    snprintf(left, sizeof left, " %s%s%s", which, mode, *v->message ? v->message : "minikvm");
    if (room > ROOM_MIN)
        snprintf(out, size, "%-*.*s %s  %s ", room, room, left, v->state, HELP);
    else
        snprintf(out, size, "%.*s", (int)size - 1, left);
}

/* Where the screen leaves no row free, only a message that was not seen covers one. */
static const char *status_line(struct screen_view *v, char *out, size_t size) {
    lock_take(&v->lock);
    bool wanted = v->paint.rows > v->screen.rows || !v->screen.text || v->unread;
    compose_status(v, out, size);
    lock_release(&v->lock);
    return wanted ? out : NULL;
}

static void paint(struct screen_view *v) {
    char status[PAINT_STATUS];
    const char *line = status_line(v, status, sizeof status);
    if (!v->screen.text && v->uses_sixel) {
        v->sixel.known &= !v->paint.anew;
        v->stale = !paint_blank(&v->paint, line) || !sixel_paint(&v->sixel);
        return;
    }
    if (!v->screen.text && v->pixels == PIXELS_AUTO && !screen_view_writes(v))
        attributes_ask();
    v->stale = v->screen.text ? !paint_frame(&v->paint, &v->screen, line) : !paint_dots(&v->paint, &v->dots, line);
}

bool screen_view_writes(const struct screen_view *v) {
    return v->shown && v->written < v->paint.length + v->sixel.length;
}

static void forget_bytes(struct screen_view *v) { v->paint.length = v->sixel.length = v->written = 0; }

/* Sixels come behind what else is painted. */
static size_t next_bytes(const struct screen_view *v, const char **at) {
    bool first = v->written < v->paint.length;
    size_t from = first ? v->written : v->written - v->paint.length;
    size_t left = (first ? v->paint.length : v->sixel.length) - from;
    *at = (first ? v->paint.bytes : v->sixel.bytes) + from;
    return left < PIECE ? left : PIECE;
}

/* The terminal has gone. */
static void give_up(struct screen_view *v) {
    v->choice = SCREEN_OFF;
    v->stale = false;
    forget_bytes(v);
}

/* Piece by piece, while the terminal takes it. */
static void write_bytes(struct screen_view *v) {
    struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
    while (screen_view_writes(v) && poll(&p, 1, 0) > 0) {
        const char *at;
        size_t length = next_bytes(v, &at);
        ssize_t n = write(STDOUT_FILENO, at, length);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            give_up(v);
        if (n <= 0)
            return;
        v->written += (size_t)n;
    }
    if (!screen_view_writes(v))
        forget_bytes(v);
}

static bool message_came(struct screen_view *v) {
    char status[PAINT_STATUS];
    const char *line = status_line(v, status, sizeof status);
    return line && strcmp(line, v->paint.status) != 0;
}

static void show(struct screen_view *v) {
    resize(v);
    v->stale |= message_came(v);
    while (v->stale && !screen_view_writes(v)) {
        paint(v);
        write_bytes(v);
    }
    write_bytes(v);
}

/* --- all together --------------------------------------------------------------------- */

static bool wants(const struct screen_view *v) {
    return v->choice == SCREEN_ON || (v->choice == SCREEN_AUTO && v->used[v->number]);
}

void screen_view_update(struct screen_view *v, struct machine *m, bool foreground) {
    if (!v->possible || !foreground)
        return;
    look_if_due(v, m);
    if (v->shown && !wants(v))
        screen_view_leave(v);
    else if (!v->shown && wants(v))
        enter(v);
    if (!v->shown)
        return;
    show(v);
    if (screen_view_writes(v)) /* within a sequence */
        return;
    terminal_tell_mouse(machine_wants_mouse(m));
    if (v->rings)
        terminal_ring();
    v->rings = false;
}

int screen_view_patience(const struct screen_view *v) {
    if (!v->possible || v->next_ms == UINT64_MAX)
        return -1;
    uint64_t now = now_ms();
    return v->next_ms > now ? (int)(v->next_ms - now) : 0;
}
