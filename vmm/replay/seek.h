/* Going to a tick of a machine's history: load the snapshot before it, and run up to it. The
 * steps that vmm/replay/reverse.c is made of.
 *
 * Rule: between seek_begin() and seek_end() a machine prints nothing and stops at nothing of the
 * debugger's, unless that is kept. All of them return false when they were interrupted.
 */
#ifndef MINIKVM_SEEK_H
#define MINIKVM_SEEK_H

#include "vmm/replay/history.h"

/* What the machine stops at, saved while a search stops at its own. */
struct debug_state {
    struct breakpoints *breakpoints;
    struct cpu_catch catch;
    bool seeking; /* already: this seek is part of another */
};

/* keep: the debugger's breakpoints and catches stay in force. */
struct debug_state seek_begin(struct machine *, bool keep);
void seek_end(struct machine *, const struct debug_state *saved);

/* Between the two: */
/* Runs until something stops the search; CPU_EXIT_LIMIT: at `until`. */
enum cpu_exit_kind seek_run_until(struct machine *, uint64_t until, struct cpu_exit *);
bool seek_tick(struct machine *, uint64_t ticks);
/* To the first tick with so many instructions done. */
bool seek_count(struct machine *, uint64_t count);
/* To the beginning of the piece of a repeated instruction that this tick is amid. */
bool seek_piece(struct machine *, uint64_t ticks);

/* seek_tick() between a seek_begin() and a seek_end(). */
bool seek_quietly(struct machine *, uint64_t ticks);
/* Before the present is left: a snapshot of it, for the way back. */
void seek_keep_present(struct machine *);
/* The interrupt has been obeyed; the way back must not be interrupted, too. */
void seek_forget_interrupt(struct machine *);
bool seek_is_halted(struct machine *);

#endif
