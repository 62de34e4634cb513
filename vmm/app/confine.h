/* The sandbox (sandbox.h) and the process beside it (broker.h), as the options want them:
 * in the order of these three, with the debug server's socket before all, the machines
 * and the terminal between the last two.
 *
 * Rule: a kernel without a wall is no reason not to run; a wall that cannot be made is.
 */
#ifndef MINIKVM_CONFINE_H
#define MINIKVM_CONFINE_H

#include "vmm/app/options.h"

/* Each returns 0, or an error that it has told. */
int confine_begin(const struct options *, const char *socket); /* or NULL: there is none */
int confine_files(const struct options *, char *const *paths); /* of the images */
int confine_calls(const struct options *);

#endif
