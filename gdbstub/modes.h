/* Mode following: execs and lists of libraries that are reported; see modes.c. */
#ifndef GDBSTUB_MODES_H
#define GDBSTUB_MODES_H

#include "gdbstub/session.h"

/* Reports an exec, and keeps the stop for later, if the client needs a new description. */
bool modes_report_instead(struct session *, const struct gdb_stop *);
/* Reports an exec when no stop is pending. */
void modes_report_exec(struct session *, struct process *);
/* Reports a new list of libraries when no stop is pending. false: it is the same list. */
bool modes_report_library(struct session *, struct process *);
/* The client resumes. true: that is answered, and nothing is to run. */
bool modes_resume(struct session *);
/* A breakpoint was inserted. */
void modes_breakpoint_inserted(struct session *, int pid, enum gdb_bp_kind, uint64_t address);
/* The client lists threads. */
void modes_threads_listed(struct session *);

#endif
