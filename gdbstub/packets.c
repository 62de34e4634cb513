/* The table of packets; see packets.h. */
#include "gdbstub/packets.h"

/* A row either is the whole packet or what it starts with. */
enum match { WHOLE, START };

/* text, how it is matched, handler, name for the documentation, note */
#define PACKETS(ROW)                                                                               \
    ROW("?", WHOLE, packet_status, "?", "why it stopped; stops what runs")                         \
    ROW("!", WHOLE, packet_extended, "!", "extended mode")                                         \
    ROW("g", WHOLE, packet_g, "g", "registers, in the layout last described")                      \
    ROW("G", START, packet_G, "G", "")                                                             \
    ROW("p", START, packet_p, "p", "any register")                                                 \
    ROW("P", START, packet_P, "P", "any register")                                                 \
    ROW("m", START, packet_m, "m", "returns what could be read")                                   \
    ROW("M", START, packet_M, "M", "")                                                             \
    ROW("x", START, packet_x, "x", "as gdb 16 and as lldb want it")                                \
    ROW("X", START, packet_X, "X", "")                                                             \
    ROW("Z", START, packet_insert, "Z0-Z4",                                                        \
        "per process; conditions and commands (agent expressions)")                                \
    ROW("z", START, packet_remove, "z0-z4", "")                                                    \
    ROW("vCont?", WHOLE, packet_vcont_ask, "vCont?", "")                                           \
    ROW("vCont;", START, packet_vcont, "vCont", "c C s S t r, per thread")                         \
    ROW("c", START, packet_continue, "c", "")                                                      \
    ROW("C", START, packet_continue_signal, "C", "")                                               \
    ROW("s", START, packet_step, "s", "")                                                          \
    ROW("S", START, packet_step_signal, "S", "")                                                   \
    ROW("bs", WHOLE, packet_reverse_step, "bs", "the current thread, one instruction back")        \
    ROW("bc", WHOLE, packet_reverse_continue, "bc", "back to a breakpoint or watchpoint")          \
    ROW("H", START, packet_thread, "H", "Hg and Hc")                                               \
    ROW("T", START, packet_alive, "T", "")                                                         \
    ROW("D", START, packet_detach, "D", "all, or one process")                                     \
    ROW("k", WHOLE, packet_kill, "k", "")                                                          \
    ROW("R", START, packet_restart, "R", "starts every process anew")                              \
    ROW("vKill;", START, packet_vkill, "vKill", "")                                                \
    ROW("vRun;", START, packet_vrun, "vRun", "file or none; a guest takes no arguments")           \
    ROW("vAttach;", START, packet_vattach, "vAttach", "a process that was detached")               \
    ROW("qAttached", START, packet_attached, "qAttached", "always 1: quitting gdb detaches")       \
    ROW("qSupported", START, packet_supported, "qSupported", "PacketSize=20000")                   \
    ROW("QStartNoAckMode", WHOLE, packet_no_ack, "QStartNoAckMode", "")                            \
    ROW("QPassSignals:", START, packet_pass_signals, "QPassSignals", "")                           \
    ROW("QProgramSignals:", START, packet_program_signals, "QProgramSignals", "accepted")          \
    ROW("qRcmd,", START, packet_monitor, "qRcmd", "monitor commands; text is streamed")            \
    ROW("qSymbol:", START, packet_symbol, "qSymbol", "wants no symbols")                           \
    ROW("qC", WHOLE, packet_current, "qC", "")                                                     \
    ROW("qfThreadInfo", WHOLE, packet_threads_first, "qfThreadInfo", "")                           \
    ROW("qsThreadInfo", WHOLE, packet_threads_more, "qsThreadInfo", "")                            \
    ROW("qThreadExtraInfo,", START, packet_thread_extra, "qThreadExtraInfo", "")                   \
    ROW("qXfer:features:read:", START, packet_features, "qXfer:features:read", "target.xml")       \
    ROW("qXfer:threads:read:", START, packet_xfer_threads, "qXfer:threads:read", "")               \
    ROW("qXfer:exec-file:read:", START, packet_exec_file, "qXfer:exec-file:read",                  \
        "the file with the symbols")                                                               \
    ROW("qXfer:libraries:read:", START, packet_libraries, "qXfer:libraries:read",                  \
        "further files with symbols; T05library tells of a change")                                \
    ROW("qXfer:osdata:read:", START, packet_osdata, "qXfer:osdata:read", "`info os`")              \
    ROW("qSearch:memory:", START, packet_search, "qSearch:memory", "up to 64 MiB at a time")       \
    ROW("qCRC:", START, packet_crc, "qCRC", "up to 64 MiB at a time")                              \
    ROW("QThreadEvents:", START, packet_thread_events, "QThreadEvents",                            \
        "accepted: a machine's CPUs neither come nor go")                                          \
    ROW("qHostInfo", WHOLE, packet_host_info, "qHostInfo", "for lldb: the triple of the mode")     \
    ROW("qProcessInfo", WHOLE, packet_process_info, "qProcessInfo", "for lldb")                    \
    ROW("qGDBServerVersion", WHOLE, packet_server_version, "qGDBServerVersion", "")                \
    ROW("qqemu.Supported", START, packet_qemu_supported, "qqemu.Supported", "")                    \
    ROW("qqemu.PhyMemMode", WHOLE, packet_physical, "qqemu.PhyMemMode", "`monitor phys`")          \
    ROW("Qqemu.PhyMemMode:", START, packet_set_physical, "Qqemu.PhyMemMode", "`monitor phys`")     \
    ROW("qqemu.sstepbits", WHOLE, packet_sstep_bits, "qqemu.sstepbits", "")                        \
    ROW("qqemu.sstep", WHOLE, packet_sstep, "qqemu.sstep", "`monitor step irqs`")                  \
    ROW("Qqemu.sstep=", START, packet_set_sstep, "Qqemu.sstep", "NOIRQ alone is a choice")         \
    ROW("QNonStop:", START, packet_nonstop, "QNonStop", "each machine for itself")                 \
    ROW("vStopped", WHOLE, packet_stopped, "vStopped", "")                                         \
    ROW("vCtrlC", WHOLE, packet_ctrl_c, "vCtrlC", "")                                              \
    ROW("vFile:setfs:", START, packet_file_setfs, "vFile:setfs", "one file system for all")        \
    ROW("vFile:open:", START, packet_file_open, "vFile:open", "images in use, for reading")        \
    ROW("vFile:close:", START, packet_file_close, "vFile:close", "")                               \
    ROW("vFile:pread:", START, packet_file_read, "vFile:pread", "")                                \
    ROW("vFile:fstat:", START, packet_file_fstat, "vFile:fstat", "")                               \
    ROW("vFile:stat:", START, packet_file_stat, "vFile:stat", "")                                  \
    ROW("vFile:readlink:", START, packet_file_readlink, "vFile:readlink", "there are no links")    \
    ROW("vFile:pwrite:", START, packet_file_write, "vFile:pwrite", "refused")                      \
    ROW("vFile:unlink:", START, packet_file_write, "vFile:unlink", "refused")

/* Those about tracepoints: handled only while the traced process stands still. */
#define TRACES(ROW)                                                                                \
    ROW("QTinit", WHOLE, packet_trace_init, "QTinit", "the trace is about the current process")    \
    ROW("QTDP:", START, packet_trace_point, "QTDP",                                                \
        "conditions, R, M, X, while-stepping; up to 256, 256 KiB of actions")                      \
    ROW("QTDPsrc:", START, packet_trace_source, "QTDPsrc", "kept for the next client")             \
    ROW("QTDV:", START, packet_trace_variable, "QTDV", "up to 256")                                \
    ROW("QTro:", START, packet_trace_readonly, "QTro", "shown in frames as it is now")             \
    ROW("QTEnable:", START, packet_trace_enable, "QTEnable", "")                                   \
    ROW("QTDisable:", START, packet_trace_disable, "QTDisable", "")                                \
    ROW("QTStart", WHOLE, packet_trace_start, "QTStart", "")                                       \
    ROW("QTStop", WHOLE, packet_trace_stop, "QTStop", "")                                          \
    ROW("QTDisconnected:", START, packet_trace_disconnected, "QTDisconnected", "")                 \
    ROW("QTBuffer:circular:", START, packet_trace_circular, "QTBuffer:circular", "")               \
    ROW("QTBuffer:size:", START, packet_trace_size, "QTBuffer:size", "1 MiB if not said, up to 64") \
    ROW("QTNotes:", START, packet_trace_notes, "QTNotes", "up to 256 characters each")             \
    ROW("QTFrame:", START, packet_trace_frame, "QTFrame",                                          \
        "by number, pc, tdp, range, outside; g, p, m, x then read the frame")                      \
    ROW("qTStatus", WHOLE, packet_trace_status, "qTStatus", "")                                    \
    ROW("qTP:", START, packet_trace_point_status, "qTP", "")                                       \
    ROW("qTV:", START, packet_trace_value, "qTV", "now, or in the frame")                          \
    ROW("qTfP", WHOLE, packet_trace_points_first, "qTfP", "")                                      \
    ROW("qTsP", WHOLE, packet_trace_points_more, "qTsP", "")                                       \
    ROW("qTfV", WHOLE, packet_trace_variables_first, "qTfV", "")                                   \
    ROW("qTsV", WHOLE, packet_trace_variables_more, "qTsV", "")                                    \
    ROW("qTBuffer:", START, packet_trace_raw, "qTBuffer", "for `tsave`")                           \
    ROW("qXfer:traceframe-info:read:", START, packet_trace_info, "qXfer:traceframe-info:read",     \
        "which memory the frame has")

/* What has no row above because it needs none, or is not there. Together with those
 * it is every packet of the manual's appendix. */
#define OTHERS(ROW)                                                                                \
    ROW("\\x03", "yes", "interrupt")                                                               \
    ROW("vMustReplyEmpty", "yes", "as every unknown packet")                                       \
    ROW("T05swbreak, hwbreak", "yes", "stop reply: at a breakpoint")                               \
    ROW("T05watch, rwatch, awatch", "yes", "stop reply: which address")                            \
    ROW("T05exec", "yes", "stop reply: the CPU mode has changed, read the description again")      \
    ROW("T05library", "yes", "stop reply: the list of libraries has changed")                      \
    ROW("T05core", "yes", "stop reply: which CPU of the machine; in qXfer:threads, too")           \
    ROW("T05replaylog", "yes", "stop reply: nothing is recorded beyond")                           \
    ROW("T05fork, vfork, vforkdone, clone", "no", "a machine does not fork")                       \
    ROW("T05syscall_entry, syscall_return", "no",                                                  \
        "no system calls: `monitor catch interrupt` sees int n")                                   \
    ROW("T05create, w", "no", "a machine's CPUs neither come nor go")                              \
    ROW("W, X", "yes", "stop reply: EXIT; with the process")                                       \
    ROW("N", "no", "there always is a machine that can stop")                                      \
    ROW("O", "yes", "console text while the guest runs and from monitor commands")                 \
    ROW("F", "no", "a guest makes no calls of gdb's File-I/O")                                     \
    ROW("A", "no", "a guest takes no arguments; see vRun")                                         \
    ROW("B, b, d, I, i, r, t", "no", "obsolete, or superseded by Z, vCont and X")                  \
    ROW("vCont t", "yes", "non-stop: stops it; all-stop: stays as it is")                        \
    ROW("vFlashErase, vFlashWrite, vFlashDone", "no", "ROM is written with M, as RAM is")          \
    ROW("QAgent, QAllow", "no", "nothing to allow: a client may all that it can reach")            \
    ROW("QCatchSyscalls", "no", "no system calls")                                                 \
    ROW("QDisableRandomization", "no", "nothing is random")                                        \
    ROW("QStartupWithShell", "no", "no shell starts a guest")                                      \
    ROW("QEnvironmentHexEncoded, QEnvironmentUnset, QEnvironmentReset", "no",                      \
        "a guest has no environment")                                                              \
    ROW("QSetWorkingDir", "no", "a guest has no folder")                                           \
    ROW("QThreadOptions", "no", "a machine's CPUs neither come nor go")                            \
    ROW("QMemTags, qMemTags, qIsAddressTagged", "no", "x86 has no memory tags")                    \
    ROW("QTSave", "no", "the stub writes no files; `tsave` without -r asks qTBuffer")              \
    ROW("qTMinFTPILen", "no", "no fast tracepoints: a guest runs no code of ours")                 \
    ROW("qTfSTM, qTsSTM, qTSTMat", "no", "no static tracepoints: a guest has no markers")          \
    ROW("Qbtrace, Qbtrace-conf", "no", "no branch trace")                                          \
    ROW("qXfer:btrace, qXfer:btrace-conf", "no", "no branch trace")                                \
    ROW("qXfer:auxv", "no", "a guest is not started by a kernel of the host")                      \
    ROW("qXfer:libraries-svr4", "no", "no dynamic linker; see qXfer:libraries")                    \
    ROW("qXfer:memory-map", "no", "under paging any linear address may be there")                  \
    ROW("qXfer:sdata", "no", "no static tracepoints")                                              \
    ROW("qXfer:siginfo", "no", "a fault is told by its signal and a sentence")                     \
    ROW("qXfer:spu, qXfer:uib, qXfer:fdpic", "no", "for other machines")    \
    ROW("qGetTLSAddr, qGetTIBAddr", "no", "no thread-local storage")                               \
    ROW("qOffsets", "no", "nothing is relocated")                                                  \
    ROW("qL, qP", "no", "superseded by qfThreadInfo and qThreadExtraInfo")                         \
    ROW("qExecAndArgs", "no", "gdb asks qXfer:exec-file")                                          \
    ROW("qRelocInsn", "no", "no fast tracepoints")                                                 \
    ROW("vFile:lstat", "no", "there are no links; vFile:stat says all")

struct packet {
    const char *text;
    enum match match;
    packet_handler *handler;
    bool trace;
};

#define PACKET_ROW(text, match, handler, name, note) {text, match, handler, false},
#define TRACE_ROW(text, match, handler, name, note)  {text, match, handler, true},
static const struct packet packets[] = {PACKETS(PACKET_ROW) TRACES(TRACE_ROW)};

#define DOC_ROW(text, match, handler, name, note) {name, "yes", note},
#define OTHER_ROW(name, supported, note)          {name, supported, note},
static const struct gdb_packet_doc docs[] = {PACKETS(DOC_ROW) TRACES(DOC_ROW) OTHERS(OTHER_ROW)};

const struct gdb_packet_doc *gdb_packet_docs(size_t *count) {
    *count = sizeof docs / sizeof *docs;
    return docs;
}

/* The row, and what follows its text. */
static const struct packet *find(struct cursor packet, struct cursor *arguments) {
    for (size_t i = 0; i < sizeof packets / sizeof *packets; i++) {
        *arguments = packet;
        if (!cursor_word(arguments, packets[i].text))
            continue;
        if (packets[i].match == START || cursor_done(arguments))
            return &packets[i];
    }
    return NULL;
}

bool packets_is_trace(struct cursor packet) {
    struct cursor arguments;
    const struct packet *p = find(packet, &arguments);
    return p && p->trace;
}

void packets_dispatch(struct session *s, struct cursor packet) {
    struct cursor arguments;
    const struct packet *p = find(packet, &arguments);
    if (p && (!p->trace || trace_is_ours(s)))
        p->handler(s, arguments);
}
