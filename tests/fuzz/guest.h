/* A machine for fuzzers, on the built-in CPU: it comes to an end.
 *
 * Every resume ends after BUDGET instructions, as by an interrupt of the user; a sleep
 * is over as soon as it begins; and there is no KVM. The linker puts the functions of
 * guest.c in place of those of the same name (WRAP_GUEST in fuzz.mk).
 */
#ifndef MINIKVM_FUZZ_GUEST_H
#define MINIKVM_FUZZ_GUEST_H

#include "vmm/machine/machine.h"

enum { BUDGET = 3000 };

/* A machine with a file as its image (NULL: a ROM), no owner that looks at what it
 * prints, and no input to come. false: it cannot be made of that, and is closed. */
bool guest_open(struct machine *, unsigned number, const char *path,
                const struct machine_options *);

/* The kind of run that a resume is, to its end. */
struct machine_stop guest_do(struct machine *, enum machine_command);

/* Scratch files of this process; the path of one with these bytes. A kernel.elf with a
 * shell.elf beside it has a user program inside. */
enum guest_file { GUEST_KERNEL, GUEST_SHELL, GUEST_ROM, GUEST_RECORDING, GUEST_FILES };
const char *guest_file(enum guest_file, const void *bytes, size_t size);
/* Its path, nothing being there. */
const char *guest_no_file(enum guest_file);

#endif
