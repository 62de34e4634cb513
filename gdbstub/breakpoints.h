/* Agent expressions that come with breakpoints, and programs made of them. */
#ifndef GDBSTUB_BREAKPOINTS_H
#define GDBSTUB_BREAKPOINTS_H

#include "gdbstub/session.h"
#include "gdbstub/agent/agent.h"

/* "XLENGTH,CODE"; the code is decoded and checked. NULL, or a sentence. */
const char *expression_parse(struct cursor *, uint8_t *code, size_t room, uint64_t *length);
/* What a program that has no expressions does instead, on the target's thread. */
struct program_hooks {
    void (*hit)(void *context, const struct gdb_agent_host *);
    /* An instruction after a hit was executed; is the next one wanted, too? */
    void (*step)(void *context, const struct gdb_agent_host *);
    bool (*follows)(const void *context);
    bool (*persists)(const void *context); /* after a detach */
    const struct gdb_description *(*layout)(const void *context);
};
/* NULL: no memory. */
struct gdb_program *program_of_hooks(const struct program_hooks *, void *context);

#endif
