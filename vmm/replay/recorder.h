/* What vmm/machine/recorder.h asks for, done by history.c, replay.c and reverse.c. */
#ifndef MINIKVM_REPLAY_RECORDER_H
#define MINIKVM_REPLAY_RECORDER_H

#include "vmm/machine/recorder.h"

/* For machine_options.recorder. */
extern const struct recorder replay_recorder;

#endif
