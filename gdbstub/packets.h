/* The packets: one row is one packet, with its handler and its documentation.
 *
 * Rule: a packet that has no row gets the empty reply, which says "unknown" in
 * this protocol ("Overview"); what we claim in qSupported has a row here.
 */
#ifndef GDBSTUB_PACKETS_H
#define GDBSTUB_PACKETS_H

#include "gdbstub/session.h"

typedef void packet_handler(struct session *, struct cursor arguments);

struct packet {
    const char *text;
    enum { WHOLE, START } match; /* `text` is all of the packet, or what it starts with */
    packet_handler *handler;
    const char *name, *note; /* for the documentation */
};

/* Calls the handler of the packet; its reply is in session->reply. */
void packets_dispatch(struct session *, struct cursor packet);

/* Is it one of the extension's (extension.h)? */
bool packets_is_extension(const struct session *, struct cursor packet);

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
packet_handler packet_features, packet_xfer_threads, packet_exec_file;

#endif
