/* An extension of the stub: packets of its own and what it keeps for a session, given by
 * `struct gdb_target` as a table of functions. Tracepoints (trace/) are one.
 *
 * Rule: the core of the stub includes nothing of an extension, and works without one: it
 * calls the functions below, which then do nothing.
 */
#ifndef GDBSTUB_EXTENSION_H
#define GDBSTUB_EXTENSION_H

#include "gdbstub/packets.h"

struct gdb_extension {
    const char *features; /* for qSupported, each after a ';' */
    const struct packet *packets;
    size_t packet_count;
    /* Its state for a session, which outlives clients. NULL: no memory. */
    void *(*open)(void);
    void (*close)(void *state);
    /* The client is gone or resumes: no frame of the past is selected any more. */
    void (*select_present)(void *state);
    /* A process has ended or begun anew, or (why: NULL) the client has detached. */
    void (*process_gone)(void *state, int pid, const char *why);
    /* May one of its packets be handled now? If not, the reply says why. */
    bool (*may_handle)(struct session *);
    /* The process that its packets are about; 0: none. */
    int (*subject)(const void *state);
    /* Has the client selected a frame of the past? Then registers and memory are read from it,
     * and nothing can be written. */
    bool (*frame_selected)(const void *state);
    /* A register of that frame, described by `d`. false: it was not collected. */
    bool (*read_register)(const void *state, const struct gdb_description *d, unsigned number,
                          uint8_t *value);
    /* Bytes of that frame; returns how many from the first on it has. */
    size_t (*read_memory)(struct session *, struct gdb_thread, uint64_t address, uint8_t *to,
                          size_t size);
};

void extension_open(struct session *);
void extension_close(struct session *);
void extension_select_present(struct session *);
void extension_process_gone(struct session *, int pid, const char *why);
int extension_subject(const struct session *);
bool extension_frame_selected(const struct session *);

#endif
