/* Agent expressions: conditions, commands and collections that gdb compiles for
 * us (GDB manual, "The GDB Agent Expression Mechanism").
 *
 * Rule: an expression is checked once, when it comes: every way through it is
 * walked, so that each jump lands on an instruction and the stack neither runs
 * dry nor over. So the evaluator checks none of that. It allocates nothing, takes
 * no lock, ends after a bounded number of steps, and touches the target by the
 * host's functions only: it may run on any thread.
 */
#ifndef GDBSTUB_AGENT_H
#define GDBSTUB_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AGENT_LENGTH_MAX = 4096, /* bytes of one expression */
    AGENT_STACK_MAX = 64,
    AGENT_STEPS_MAX = 100000,
};

/* What is done with a trace state variable. */
enum agent_variable { AGENT_GET, AGENT_SET, AGENT_COLLECT };

/* What an expression can reach. A function that is NULL makes those opcodes fail
 * that need it, but `collect`, without which nothing is collected. */
struct gdb_agent_host {
    void *context;
    /* false: there is no such register, or memory. Numbers are those of the
     * description that the client was served. */
    bool (*read_register)(void *context, unsigned number, uint64_t *value);
    bool (*read_memory)(void *context, uint64_t address, void *to, size_t length);
    /* For tracepoints: a register however wide, at most GDB_REGISTER_MAX bytes. */
    bool (*read_whole)(void *context, unsigned number, uint8_t *value);
    void (*print)(void *context, const char *text, size_t length);
    /* Is the guest to stop? Then an expression ends here, as one that fails. */
    bool (*interrupted)(void *context);
    bool (*variable)(void *context, unsigned number, int64_t *value, enum agent_variable);
    /* Memory for the trace frame. */
    bool (*collect)(void *context, uint64_t address, uint64_t length);
};

/* NULL if it is sound, else a sentence. */
const char *gdb_agent_check(const uint8_t *code, size_t length);
/* gdb (to 18.1 at least) compiles `&label` of a symbol without a type with one dereference
 * too many. Is what has been checked such code? Then only gdb itself can say what is meant:
 *
 *     *(int *)&label == 3    const LABEL, ref32, ref32, ext 32, …
 *     $eip == &label         …, const LABEL, ref32, equal
 *
 * `{int}&label` comes out right. */
bool gdb_agent_doubtful(const uint8_t *code, size_t length,
                        bool (*is_label)(void *context, uint64_t address), void *context);
/* Evaluates what has been checked. false: it failed (a division by zero, memory
 * that is not there, no end). The value is what is on top of the stack, or 0. */
bool gdb_agent_eval(const uint8_t *code, const struct gdb_agent_host *, int64_t *value);

/* print.c: a format and its arguments as C's printf would write them. Strings
 * are read from the target; what cannot be read is said in place of it. NULL, or
 * why a format cannot be used. */
const char *agent_print_check(const char *format, size_t length, unsigned arguments);
bool agent_print(const char *format, const uint64_t *arguments, unsigned count,
                 const struct gdb_agent_host *);

#endif
