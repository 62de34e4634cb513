/* Events that a user stops at (`monitor catch`): told apart by who can see them.
 *
 *   ports and hypercalls      the machine's bus, on any engine
 *   modes, exceptions,        the built-in CPU, which sees every instruction; a
 *   interrupts, CR3           machine on KVM changes to it when it runs next
 */
#ifndef MINIKVM_CATCH_H
#define MINIKVM_CATCH_H

#include "vmm/inspect/text.h"
#include "vmm/machine/machine.h"

/* "mode", "exception 14", "port 0x3f8", "off", or "" for a list of what is set. */
void catch_command(struct machine *, const char *words, const struct text *);
/* Is something set that only the built-in CPU sees? */
bool catch_needs_soft(const struct machine *);
/* A port access is about to be answered by IO_DONE: stop after it? Then
 * m->stop_text says why. */
bool catch_port(struct machine *, const struct access *);

#endif
