/* One CPU of a machine, and what belongs to it alone: how it runs, and what it stopped by.
 *
 * Rule: it is the context of the CPU's callbacks (cpu.host.context), so that whoever is asked
 * by an engine knows which CPU asks.
 */
#ifndef MINIKVM_VCPU_H
#define MINIKVM_VCPU_H

#include <stddef.h>

#include "vmm/cpu/engine.h"

enum { VCPUS_MAX = 1 }; /* of a machine */

/* Has a stop to do with the end of what is recorded? */
enum edge { EDGE_NONE, EDGE_BEGIN, EDGE_END };

struct machine_stop {
    bool ended;           /* by EXIT or port 0xF4; else it stands at `exit` */
    int status;           /* exit status, if ended */
    struct cpu_exit exit;
    enum edge edge;
    bool stuck;           /* as the stop before, and nothing was executed in between */
};

/* A command in the BIOS's ROM; rom_step.h. */
struct rom_steps {
    bool began_inside; /* the command did */
    bool inside;       /* it has entered since, at this stack: */
    uint64_t ss;
    uint16_t sp;
    bool step_irqs; /* the CPU's, put back when it has left */
    bool holds;     /* a watchpoint was hit inside, to be told outside */
    struct cpu_exit held;
};

struct emulator;
struct machine;

struct vcpu {
    struct machine *machine;
    unsigned number; /* from 0; a debugger's thread is one more */
    struct cpu cpu;
    struct emulator *emulator; /* emulate_step.h; NULL until it is needed */
    struct rom_steps rom;
    uint64_t range_start, range_end; /* COMMAND_RANGE: step while pc is inside */
    bool follows; /* call debugger_hooks.stepped after the next instruction */
    bool touched; /* somebody has changed state or memory since it ran */
    bool dead;    /* a triple fault: it stays one until the state is changed */

    /* What a device said while the last instruction ran. */
    bool caught; /* stop_text is the text of a caught event */
    bool ended;
    int status;
    char stop_text[192];

    enum edge edge; /* of the stop in the making */
    struct machine_stop stop;
};

/* The vCPU that a CPU is part of. */
static inline struct vcpu *vcpu_of(struct cpu *cpu) {
    return (struct vcpu *)((char *)cpu - offsetof(struct vcpu, cpu));
}

#endif
