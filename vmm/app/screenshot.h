/* --screenshot: a picture of what a machine's screen shows at the end. */
#ifndef MINIKVM_SCREENSHOT_H
#define MINIKVM_SCREENSHOT_H

#include <stdio.h>

#include "vmm/machine/machine.h"

struct screenshot {
    const char *path; /* NULL: none is wanted */
    FILE *file;
};

/* Before the sandbox closes; false: it cannot be written, and why has been said. */
bool screenshot_open(struct screenshot *, const char *path);
/* Writes it. NULL, or a machine that could not be made: there is nothing to write. false: as above. */
bool screenshot_take(struct screenshot *, struct machine *);

#endif
