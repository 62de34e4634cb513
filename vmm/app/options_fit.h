/* Do the options go together? */
#ifndef MINIKVM_OPTIONS_FIT_H
#define MINIKVM_OPTIONS_FIT_H

#include "vmm/app/options.h"

/* false: they do not, and why has been said. What follows from several of them is set: which drive
 * is booted, the drive that a kernel is told. */
bool options_fit(struct options *);

#endif
