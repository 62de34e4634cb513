/* The actions of a resume (actions.c); resume.c has the packets. */
#ifndef GDBSTUB_RESUME_H
#define GDBSTUB_RESUME_H

#include "gdbstub/session.h"

/* The latest resume's action for a thread; NULL: none, it stays as it is. */
const struct resume_action *action_for(const struct session *, struct gdb_thread);
/* Resumes a thread by an action, with another signal than that has if `signal` is not 0. */
void resume_thread(struct session *, struct gdb_thread, const struct resume_action *, int signal);
/* Repeats the latest resume, with a signal for one thread. */
void resume_again(struct session *, struct gdb_thread, int signal);

#endif
