/* A built-in CPU in protected mode whose 256 handlers halt, for tests of what comes to which. */
#ifndef MINIKVM_SOFT_HANDLERS_H
#define MINIKVM_SOFT_HANDLERS_H

#include "tests/lockstep/rig.h"

enum { HANDLERS_AT = 0x12000, HANDLER_SIZE = 16 };

static struct rig r;

static void handlers(void) {
    for (unsigned n = 0; n < 256; n++) {
        rig_gate(&r, n, 8, HANDLERS_AT + HANDLER_SIZE * n, 0x8E);
        rig_put(&r, HANDLERS_AT + HANDLER_SIZE * n, "\xF4", 1);
    }
}

/* Runs to the handler's hlt: the vector, or -1. */
static int vector_reached(void) {
    if (rig_run(&r) != CPU_EXIT_HALTED)
        return -1;
    return (int)((rig_get(&r)->regs.rip - 1 - HANDLERS_AT) / HANDLER_SIZE);
}

/* What the exception has pushed, from the top of the stack on. */
static uint32_t stacked(unsigned n) { return rig_get32(&r, rig_get(&r)->regs.rsp + 4 * n); }

#endif
