/* The terminal on stdin: raw while a guest has it, and as it was whenever it has not; the
 * alternate screen of the one on stdout; and the signals that end us.
 *
 * Rule: only the foreground job reads a terminal or changes it. In the background we
 * neither do (the kernel would stop us: SIGTTIN, SIGTTOU), and try again later. Whatever
 * signal ends us, the terminal is as it was and no socket is left behind.
 */
#ifndef MINIKVM_TERMINAL_H
#define MINIKVM_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>

/* Signals that would end us at once do so behind terminal_restore() and file_end(). */
void terminal_catch_fatal(void);

/* From here on it is to be raw. false: stdin is no terminal. */
bool terminal_wants_raw(void);
/* Makes it raw if that is wanted and we are in the foreground. true: it may be read. */
bool terminal_update(void);
/* As it was; safe in a signal handler. */
void terminal_restore(void);

/* Longer than any escape sequence that a terminal sends for a key or its mouse. */
enum { TERMINAL_SEQUENCE = 24 };
/* read() of stdin. On a terminal the rest of an escape sequence is waited for a moment, so
 * that it is never taken for the Esc key, and one for which there is no room is kept for the
 * next time: `size` is to be TERMINAL_SEQUENCE at least for that. */
ssize_t terminal_read(unsigned char *bytes, size_t size);

/* Do they end within an escape sequence, as a key may send it? */
bool terminal_ends_in_sequence(const unsigned char *bytes, size_t length);

/* The alternate screen, blank; terminal_restore() leaves it, too. `left` is called when that
 * has left it, maybe in a signal handler. */
void terminal_enter_screen(void (*left)(void));
void terminal_leave_screen(void);
/* While the alternate screen is there: does it tell of the mouse? */
void terminal_tell_mouse(bool);
void terminal_ring(void);
bool terminal_has_screen(void);
/* false: it does not say. */
bool terminal_size(unsigned *rows, unsigned *columns);

/* SIGTSTP has come: stops, and returns when we are to go on. */
void terminal_suspend(void);
/* SIGCONT has come: who had the terminal meanwhile may have changed it. */
void terminal_continued(void);

#endif
