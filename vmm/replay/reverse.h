/* Going to another time: back by a step, back to the last stop, to a count.
 *
 * Rule: on its way a machine prints nothing, stops at nothing but what the search looks for,
 * and is left at an instruction boundary of its history.
 */
#ifndef MINIKVM_REVERSE_H
#define MINIKVM_REVERSE_H

#include "vmm/replay/history.h"
#include "vmm/host/text.h"

/* One instruction back, or to the last stop before now. Fills *exit and the vCPU's edge. */
void reverse_resume(struct machine *, bool run, struct cpu_exit *);
/* To a tick, or as near as the history goes. false: interrupted on the way. */
bool reverse_goto(struct machine *, uint64_t ticks);
/* The same, to the first tick with so many instructions done. */
bool reverse_goto_count(struct machine *, uint64_t count);
/* *answer is what `look` says of the machine at the start of its history; afterwards the machine
 * is where it was. false: no memory for the way back. */
bool reverse_look_at_start(struct machine *, uint64_t (*look)(struct machine *), uint64_t *answer);
/* The last write to memory, whatever address it went by. `physical`: what `address` is;
 * else it is the memory that is there now. */
struct reverse_write {
    enum { WRITE_FOUND, WRITE_NONE, WRITE_UNMAPPED, WRITE_INTERRUPTED } outcome;
    uint64_t ticks;          /* before the instruction */
    enum cpu_access_by by;
};
struct reverse_write reverse_find_write(struct machine *, uint64_t address, uint32_t length,
                                      bool physical);
/* One line for each change of the CPU's mode, up to now. */
void reverse_list_modes(struct machine *, const struct text *);

#endif
