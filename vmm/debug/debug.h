/* The bridge between machines and the gdb stub: machine n is process n, its CPU
 * the process's only thread.
 *
 * This is the only part that knows both sides.
 */
#ifndef MINIKVM_DEBUG_H
#define MINIKVM_DEBUG_H

#include <poll.h>

#include "vmm/machine/machine.h"

struct debug;

/* Listens, which needs rights that a sandbox takes: before the machines are made. NULL
 * with a sentence. */
struct debug *debug_open(const char *address, struct machine *machines, unsigned count, char *error,
                         size_t size);
/* The machines are made, and stopped. They outlive it. */
void debug_begin(struct debug *);
/* See gdb_server_admit_all() and gdb_server_warning(). */
void debug_admit_all(struct debug *);
const char *debug_warning(const struct debug *);
void debug_close(struct debug *);
const char *debug_address(const struct debug *);

/* Each packet of the remote protocol is a line on stderr. */
void debug_log_packets(struct debug *);
const char *debug_leave_socket(struct debug *); /* see gdb_server_leave_socket() */

unsigned debug_poll_fds(struct debug *, struct pollfd *fds, unsigned max);
enum { DEBUG_POLL_MAX = 8 };
/* After poll(): debug_handle() reads only where that has found something. */
void debug_polled(struct debug *, const struct pollfd *fds, unsigned count);
/* Do what can be done now, stops that have come among it. false: it is over
 * (all machines have ended or were killed, and no client is there to ask for
 * another run; or `monitor quit`). */
bool debug_handle(struct debug *);
/* The exit status of the whole: the first that is not 0. */
int debug_status(const struct debug *);
/* The packets of the remote protocol, as a table in Markdown, on stdout. */
void debug_list_packets(void);
/* A sentence for whoever watches: gdb's console, or stderr without a client. */
void debug_message(struct debug *, unsigned machine, const char *text);

#endif
