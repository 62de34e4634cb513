/* Choosing and changing engines; see engines.h. */
#include "engines.h"

#include <errno.h>
#include <stdio.h>

#include "kvm/kvm.h"

static int open_kvm(struct machine *m, char *error, size_t size) {
    struct kvm_options options = {.chips = m->chips, .debugged = m->options->debugged};
    return kvm_open(&m->cpu, &options, error, size);
}

int engines_open(struct machine *m, enum engine_choice choice, char *error, size_t size) {
    (void)choice;
    return open_kvm(m, error, size);
}

int engines_switch(struct machine *m, enum engine_choice to, char *error, size_t size) {
    (void)m, (void)to;
    snprintf(error, size, "no other engine");
    return -ENOSYS;
}
