/* A log of packets for developers: a line for each that comes or goes.
 *
 *     packets 12.034567 p1 -> m7c00,10            the client's, for the process that Hg names
 *     packets 12.034571 p1 <- fa31c08ed8…         the answer
 *     packets 12.040002 p1 -> \x03                an interrupt
 *
 * Acknowledgments and repeated packets are not in it, and payloads stand as they are before
 * run-length encoding. A byte that is not printable ASCII is written \xNN; a long payload is
 * cut, and its length is told.
 */
#ifndef GDBSTUB_PACKET_LOG_H
#define GDBSTUB_PACKET_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum { PACKET_LOG_LINE = 320 }; /* bytes of a line, with its NUL */

/* `seconds`: since the log began. pid 0: no process is selected. */
void packet_log_line(char line[PACKET_LOG_LINE], double seconds, int pid, bool from_client,
                     const char *payload, size_t length);

#endif
