/* The system calls: `int $0x80` with the number in EAX and the arguments in EBX
 * and ECX. The answer comes back in EAX; no other register changes.
 */
#ifndef OS_ABI_H
#define OS_ABI_H

enum {
    SYS_EXIT,        /* EBX: status; the last program's ends the machine */
    SYS_WRITE,       /* EBX: text, ECX: length; answers the length, or -1 */
    SYS_GETCHAR,     /* waits for a key; -1 at the end of input, then always */
    SYS_YIELD,       /* lets another process run */
    SYS_TICKS,       /* since boot, TICKS_PER_SECOND */
    SYS_FREE_MEMORY, /* in KiB */
    SYS_COUNT
};

enum { TICKS_PER_SECOND = 100 };

#endif
