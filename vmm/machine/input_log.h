/* --log=input: a line on stderr for each byte of input that comes from the host, and for each
 * that a device takes.
 *
 *     minikvm: input 0.001934 m1 from stdin: 61 'a'
 *     minikvm: input 0.002075 m1 taken by uart: 61 'a', at icount 1523
 *
 * The time is in seconds since the machine was opened.
 */
#ifndef MINIKVM_INPUT_LOG_H
#define MINIKVM_INPUT_LOG_H

#include "vmm/machine/machine.h"

void input_log_open(struct machine *);
/* length 0: its end. */
void input_log_came(struct machine *, const uint8_t *bytes, size_t length);
/* A CPU accesses a device: what is taken from now on is taken by that. */
void input_log_access(struct machine *, const struct access *);

#endif
