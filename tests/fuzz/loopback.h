/* Connections to the stub without a system: gdbstub/transport.h over what a fuzzer
 * sends. It is linked in place of gdbstub/transport.c.
 *
 * Rule: peers are numbered from 0 in the order in which they connect; what the server
 * writes to them is dropped.
 */
#ifndef MINIKVM_LOOPBACK_H
#define MINIKVM_LOOPBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PEERS_MAX = 16 };

void loopback_reset(void);
/* One more waits to be accepted; false: enough of them. */
bool loopback_connect(void);
unsigned loopback_peers(void);
/* The bytes stay the caller's, until the server has read them: how many of them it has
 * not yet. */
void loopback_send(unsigned peer, const uint8_t *bytes, size_t size);
size_t loopback_unread(unsigned peer);
void loopback_hang_up(unsigned peer);
/* A deaf one reads nothing, and who writes to it has to wait. */
void loopback_deafen(unsigned peer, bool deaf);

#endif
