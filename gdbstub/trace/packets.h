/* Packets about tracepoints, and what their files share.
 *
 * Rule: they are handled only while the traced process stands still.
 */
#ifndef GDBSTUB_TRACE_PACKETS_H
#define GDBSTUB_TRACE_PACKETS_H

#include "gdbstub/extension.h"
#include "gdbstub/trace/trace.h"

/* --- run.c ------------------------------------------------------------------------------- */
/* Inserts it if its definition is complete and it is not inserted. NULL, or a sentence. */
const char *trace_insert(struct session *, struct tracepoint *);
/* NULL, or why there is no machine to trace. */
const char *trace_without_machine(struct session *);
/* Functions of the extension. */
bool trace_may_handle(struct session *);
void trace_process_gone(void *state, int pid, const char *why);

/* --- look.c: functions of the extension -------------------------------------------------- */
bool trace_frame_selected(const void *state);
bool trace_read_register(const void *state, const struct gdb_description *, unsigned number,
                         uint8_t *value);
size_t trace_read_memory(struct session *, struct gdb_thread, uint64_t address, uint8_t *to,
                         size_t size);

packet_handler packet_trace_init, packet_trace_point, packet_trace_source, packet_trace_variable,
    packet_trace_readonly, packet_trace_enable, packet_trace_disable, packet_trace_start,
    packet_trace_stop, packet_trace_disconnected, packet_trace_circular, packet_trace_size,
    packet_trace_notes, packet_trace_status, packet_trace_point_status, packet_trace_points_first,
    packet_trace_points_more, packet_trace_variables_first, packet_trace_variables_more,
    packet_trace_frame, packet_trace_value, packet_trace_raw, packet_trace_info;

#endif
