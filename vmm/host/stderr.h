/* minikvm's own messages, and where they go: stderr, or gdb's console in its place.
 *
 * gdb reads the stderr of a program behind its pipe, and before each character of an
 * answer it looks there again, for as long as it is open. So once gdb takes text by the
 * protocol, what would be printed to stderr goes that way, and gdb's end is closed.
 */
#ifndef MINIKVM_STDERR_H
#define MINIKVM_STDERR_H

#include <stdbool.h>
#include <stddef.h>

/* Makes the diversion possible, while files may still be opened, if stdin and stdout are
 * one socket and stderr is another, as `target remote | ...` gives them to a program. */
void stderr_prepare_divert(void);
/* If that was prepared: from now on `to` gets what is for stderr, on the thread that
 * prints it, and gdb's end of stderr is closed. Once. */
void stderr_divert(void (*to)(void *context, const char *text, size_t length), void *context);
/* After a diversion, a pipe is stderr: a library or a sanitizer may print there all the
 * same. Where to wait for that, or -1; reading passes it on. */
int stderr_strays(void);
void stderr_read_strays(void);

/* Writes all of it to fd, or to where stderr is diverted if fd is stderr. 0, or the errno
 * for which the rest is lost. */
int stderr_or_write(int fd, const char *text, size_t length);

/* What is for stderr is shown to `watch` first, on the thread that prints it; if it answers
 * true, it has kept the text and nothing is written. Once. */
void stderr_watch(bool (*watch)(void *context, const char *text, size_t length), void *context);

/* "minikvm: ..." on stderr, one whole line, without a \n in the format. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
