/* Lines of the packet log; see packet_log.h. */
#include "gdbstub/packet_log.h"

#include <stdio.h>

enum { TAIL = 32 }; /* room for "… (N bytes)" */

/* Writes at most 5 bytes. Returns how many, without the NUL. */
static size_t log_byte(char *to, unsigned char byte) {
    if (byte >= ' ' && byte < 0x7f && byte != '\\')
        return (size_t)sprintf(to, "%c", byte);
    return (size_t)sprintf(to, "\\x%02x", byte);
}

void packet_log_line(char line[PACKET_LOG_LINE], double seconds, int pid, bool from_client,
                     const char *payload, size_t length) {
    char process[16] = "-";
    if (pid > 0)
        snprintf(process, sizeof process, "p%d", pid);
    size_t n = (size_t)snprintf(line, PACKET_LOG_LINE, "packets %.6f %s %s ", seconds, process,
                                from_client ? "->" : "<-");
    size_t i = 0;
    for (; i < length && n < PACKET_LOG_LINE - TAIL; i++)
        n += log_byte(line + n, (unsigned char)payload[i]);
    if (i < length)
        snprintf(line + n, PACKET_LOG_LINE - n, "... (%zu bytes)", length);
}
