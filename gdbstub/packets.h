/* The packets: one row is one packet, with its handler and its documentation.
 *
 * Rule: a packet that has no row gets the empty reply, which says "unknown" in
 * this protocol ("Overview"); what we claim in qSupported has a row here.
 */
#ifndef GDBSTUB_PACKETS_H
#define GDBSTUB_PACKETS_H

#include "gdbstub/session.h"

/* Calls the handler of the packet; its reply is in session->reply. */
void packets_dispatch(struct session *, struct cursor packet);

/* Is it about tracepoints? */
bool packets_is_trace(struct cursor packet);

typedef void packet_handler(struct session *, struct cursor arguments);

packet_handler packet_extended, packet_status, packet_detach, packet_kill, packet_vkill,
    packet_restart, packet_vrun, packet_vattach, packet_attached;
packet_handler packet_g, packet_G, packet_p, packet_P;
packet_handler packet_m, packet_M, packet_x, packet_X;
packet_handler packet_insert, packet_remove;
packet_handler packet_vcont, packet_vcont_ask, packet_continue, packet_continue_signal, packet_step,
    packet_step_signal, packet_reverse_step, packet_reverse_continue;
packet_handler packet_thread, packet_alive, packet_current, packet_threads_first,
    packet_threads_more, packet_thread_extra;
packet_handler packet_supported, packet_no_ack, packet_pass_signals, packet_program_signals,
    packet_monitor, packet_symbol;
packet_handler packet_nonstop, packet_stopped, packet_ctrl_c;
packet_handler packet_search, packet_crc, packet_host_info, packet_process_info,
    packet_thread_events;
packet_handler packet_libraries, packet_osdata;
packet_handler packet_server_version, packet_qemu_supported, packet_physical, packet_set_physical,
    packet_sstep_bits, packet_sstep, packet_set_sstep;
packet_handler packet_file_setfs, packet_file_open, packet_file_close, packet_file_read,
    packet_file_fstat, packet_file_stat, packet_file_readlink, packet_file_write;
packet_handler packet_trace_init, packet_trace_point, packet_trace_source, packet_trace_variable,
    packet_trace_readonly, packet_trace_enable, packet_trace_disable, packet_trace_start,
    packet_trace_stop, packet_trace_disconnected, packet_trace_circular, packet_trace_size,
    packet_trace_notes, packet_trace_status, packet_trace_point_status, packet_trace_points_first,
    packet_trace_points_more, packet_trace_variables_first, packet_trace_variables_more,
    packet_trace_frame, packet_trace_value, packet_trace_raw, packet_trace_info;
packet_handler packet_features, packet_xfer_threads, packet_exec_file;

#endif
