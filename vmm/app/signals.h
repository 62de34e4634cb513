/* Which signals are read from a descriptor, by the main loop alone. */
#ifndef MINIKVM_SIGNALS_H
#define MINIKVM_SIGNALS_H

/* *ending: those that end us. *jobs: of the terminal on stdin, -1 without one: those that stop
 * us and let us go on, and that it has another size. 0, or -1 with errno. */
int signals_catch(int *ending, int *jobs);

#endif
