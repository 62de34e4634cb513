/* Tracepoints as an extension of the stub: its packets and functions; see extension.h. */
#include "gdbstub/trace/packets.h"

#include <stdlib.h>

static const struct packet packets[] = {
    {"QTinit", WHOLE, packet_trace_init, "QTinit", "the trace is about the current process"},
    {"QTDP:", START, packet_trace_point, "QTDP",
     "conditions, R, M, X, while-stepping; up to 256, 256 KiB of actions"},
    {"QTDPsrc:", START, packet_trace_source, "QTDPsrc", "kept for the next client"},
    {"QTDV:", START, packet_trace_variable, "QTDV", "up to 256"},
    {"QTro:", START, packet_trace_readonly, "QTro", "shown in frames as it is now"},
    {"QTEnable:", START, packet_trace_enable, "QTEnable", ""},
    {"QTDisable:", START, packet_trace_disable, "QTDisable", ""},
    {"QTStart", WHOLE, packet_trace_start, "QTStart", ""},
    {"QTStop", WHOLE, packet_trace_stop, "QTStop", ""},
    {"QTDisconnected:", START, packet_trace_disconnected, "QTDisconnected", ""},
    {"QTBuffer:circular:", START, packet_trace_circular, "QTBuffer:circular", ""},
    {"QTBuffer:size:", START, packet_trace_size, "QTBuffer:size", "1 MiB if not said, up to 64"},
    {"QTNotes:", START, packet_trace_notes, "QTNotes", "up to 256 characters each"},
    {"QTFrame:", START, packet_trace_frame, "QTFrame",
     "by number, pc, tdp, range, outside; g, p, m, x then read the frame"},
    {"qTStatus", WHOLE, packet_trace_status, "qTStatus", ""},
    {"qTP:", START, packet_trace_point_status, "qTP", ""},
    {"qTV:", START, packet_trace_value, "qTV", "now, or in the frame"},
    {"qTfP", WHOLE, packet_trace_points_first, "qTfP", ""},
    {"qTsP", WHOLE, packet_trace_points_more, "qTsP", ""},
    {"qTfV", WHOLE, packet_trace_variables_first, "qTfV", ""},
    {"qTsV", WHOLE, packet_trace_variables_more, "qTsV", ""},
    {"qTBuffer:", START, packet_trace_raw, "qTBuffer", "for `tsave`"},
    {"qXfer:traceframe-info:read:", START, packet_trace_info, "qXfer:traceframe-info:read",
     "which memory the frame has"},
};

static void *open(void) {
    struct trace *t = malloc(sizeof *t);
    if (t)
        trace_init(t);
    return t;
}

static void close(void *state) {
    trace_free(state);
    free(state);
}

static void select_present(void *state) {
    struct trace *t = state;
    t->selected = -1;
}

static int subject(const void *state) {
    const struct trace *t = state;
    return t->pid;
}

const struct gdb_extension gdb_tracepoints = {
    .features = ";ConditionalTracepoints+;TracepointSource+;DisconnectedTracing+;"
                "EnableDisableTracepoints+;InstallInTrace+;tracenz+;QTBuffer:size+;"
                "qXfer:traceframe-info:read+",
    .packets = packets,
    .packet_count = sizeof packets / sizeof *packets,
    .open = open,
    .close = close,
    .select_present = select_present,
    .process_gone = trace_process_gone,
    .may_handle = trace_may_handle,
    .subject = subject,
    .frame_selected = trace_frame_selected,
    .read_register = trace_read_register,
    .read_memory = trace_read_memory,
};
