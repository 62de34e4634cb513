/* A run in a file: what is needed to do it again, and no more.
 *
 *   header   what it is, its version, which image and options, how long, how many events
 *   events   count, value, kind; inputs, then clocks, then holds
 *
 * Rule: a file is hostile until all of it was checked. What does not fit the image
 * and options given is refused with a sentence.
 */
#ifndef MINIKVM_REPLAY_H
#define MINIKVM_REPLAY_H

#include "vmm/replay/history.h"

/* Writes the run of a machine up to where it stands, which may be in the past. false,
 * with a sentence. On the machine's thread. */
bool replay_save(struct machine *, const char *path, char *error, size_t size);
/* Reads options->replay, if there is one, for a machine that was just made. 0, or -errno with a sentence. */
int replay_open(struct machine *, char *error, size_t size);
/* The same machine made anew: does the recording, if there is one, still fit it? 0, or -errno with a sentence. */
int replay_check(struct machine *, char *error, size_t size);
void replay_close(struct machine *);
/* The log that was read becomes that of the history that begins. */
void replay_give(struct machine *);
/* A sentence for the end of the recording: is everything as it was then? */
void replay_verdict(struct machine *, char *text, size_t size);

#endif
