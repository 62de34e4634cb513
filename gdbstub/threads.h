/* Processes and threads that a client may know; see threads.c. */
#ifndef GDBSTUB_THREADS_H
#define GDBSTUB_THREADS_H

#include "gdbstub/session.h"

/* Threads that the client may know, at most THREADS_MAX. */
size_t threads_list(struct session *, struct gdb_thread *list);
bool thread_exists(struct session *, struct gdb_thread);
/* The thread that g, m, ... are about. false: there is none. */
bool thread_current(struct session *, struct gdb_thread *);
/* Which CPU of its machine it is; -1: not known. */
int thread_core(struct session *, struct gdb_thread);
bool thread_matches(struct selection, struct gdb_thread);
/* The first thread that is selected. false: there is none. */
bool thread_select(struct session *, struct selection, struct gdb_thread *);
/* The first thread of a process. false: it is not there, or has none. */
bool thread_first(struct session *, int pid, struct gdb_thread *);
/* Reads a thread-id ("Packets"), with or without process. */
bool thread_parse(struct session *, struct cursor *, struct selection *);
void thread_write(struct session *, struct buffer *, struct gdb_thread);
struct process *process_find(struct session *, int pid);
/* Finds it, or adds it when the target has such a process. */
struct process *process_get(struct session *, int pid);
/* Is it one whose threads the client may see and resume? */
bool process_present(const struct process *);
/* Takes the target's processes into the table. */
void processes_update(struct session *);

#endif
