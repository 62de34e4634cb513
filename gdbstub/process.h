/* Attaching to processes and leaving them; see process.c. */
#ifndef GDBSTUB_PROCESS_H
#define GDBSTUB_PROCESS_H

#include "gdbstub/session.h"

void process_attach(struct session *, struct process *);
void process_release(struct session *, struct process *);
void process_kill(struct session *, struct process *);
/* Stops at its first instruction; another image if that is not "". NULL, or a sentence. */
const char *process_restart(struct session *, struct process *, const char *image);

#endif
