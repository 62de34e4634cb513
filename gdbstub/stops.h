/* Stops, and how they are reported: stop_reply.c writes the packet; stops.c is all-stop,
 * nonstop.c non-stop, monitor.c the end of a monitor command.
 */
#ifndef GDBSTUB_STOPS_H
#define GDBSTUB_STOPS_H

#include "gdbstub/session.h"

/* --- stop_reply.c --- */
/* The stop reply, into `reply`. */
void stops_write(struct session *, const struct gdb_stop *);

/* --- stops.c --- */
/* Does an attached process run? */
bool stops_any_runs(const struct session *);
/* Notes a stop. */
void stops_note(struct session *, const struct gdb_stop *);
/* Sends the pending reply, if all processes have stopped. */
void stops_settle(struct session *);
/* The client wants everything that runs to stop. */
void stops_interrupt(struct session *);
/* Sends the stop reply that was pending. */
void stops_report(struct session *, const struct gdb_stop *);
/* A client without multiprocess+ debugs one process; the others run free. */
void stops_release_others(struct session *);
/* The reply to `?` becomes pending: it is sent once all processes have stopped. */
void stops_pend_status(struct session *);

/* --- nonstop.c --- */
void nonstop_note(struct session *, struct process *, const struct gdb_stop *, bool ours);
/* Reports a stop, if one is pending and no notification is on its way. */
void nonstop_settle(struct session *);
/* `?` */
void nonstop_status(struct session *);
/* `vAttach`: the process's stop will be reported. */
void nonstop_attach(struct session *, struct process *);
/* Resumes and stops threads as the actions say; false: they select none. */
bool nonstop_resume(struct session *);
/* Must the packet wait for its process to stop? Then the process is being stopped.
 * `extension`: it is one of the extension's. */
bool nonstop_must_wait(struct session *, bool extension);
/* The packet is answered: what was paused for it is resumed. */
void nonstop_answered(struct session *);

/* --- monitor.c --- */
/* The monitor command whose reply is pending is done. */
void monitor_done(struct session *);

#endif
