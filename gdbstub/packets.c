/* The table of packets; see packets.h. */
#include "gdbstub/extension.h"

static const struct packet packets[] = {
    {"?", WHOLE, packet_status, "?", "why it stopped; stops what runs"},
    {"!", WHOLE, packet_extended, "!", "extended mode"},
    {"g", WHOLE, packet_g, "g", "registers, in the layout last described"},
    {"G", START, packet_G, "G", ""},
    {"p", START, packet_p, "p", "any register"},
    {"P", START, packet_P, "P", "any register"},
    {"m", START, packet_m, "m", "returns what could be read"},
    {"M", START, packet_M, "M", ""},
    {"x", START, packet_x, "x", "as gdb 16 and as lldb want it"},
    {"X", START, packet_X, "X", ""},
    {"Z", START, packet_insert, "Z0-Z4",
     "per process; conditions and commands (agent expressions)"},
    {"z", START, packet_remove, "z0-z4", ""},
    {"vCont?", WHOLE, packet_vcont_ask, "vCont?", ""},
    {"vCont;", START, packet_vcont, "vCont", "c C s S t r, per thread"},
    {"c", START, packet_continue, "c", ""},
    {"C", START, packet_continue_signal, "C", ""},
    {"s", START, packet_step, "s", ""},
    {"S", START, packet_step_signal, "S", ""},
    {"bs", WHOLE, packet_reverse_step, "bs", "the current thread, one instruction back"},
    {"bc", WHOLE, packet_reverse_continue, "bc", "back to a breakpoint or watchpoint"},
    {"H", START, packet_thread, "H", "Hg and Hc"},
    {"T", START, packet_alive, "T", ""},
    {"D", START, packet_detach, "D", "all, or one process"},
    {"k", WHOLE, packet_kill, "k", ""},
    {"R", START, packet_restart, "R", "starts every process anew"},
    {"vKill;", START, packet_vkill, "vKill", ""},
    {"vRun;", START, packet_vrun, "vRun", "file or none; a guest takes no arguments"},
    {"vAttach;", START, packet_vattach, "vAttach", "a process that was detached"},
    {"qAttached", START, packet_attached, "qAttached", "always 1: quitting gdb detaches"},
    {"qSupported", START, packet_supported, "qSupported", "PacketSize=20000"},
    {"QStartNoAckMode", WHOLE, packet_no_ack, "QStartNoAckMode", ""},
    {"QPassSignals:", START, packet_pass_signals, "QPassSignals", ""},
    {"QProgramSignals:", START, packet_program_signals, "QProgramSignals", "accepted"},
    {"qRcmd,", START, packet_monitor, "qRcmd", "monitor commands; text is streamed"},
    {"qSymbol:", START, packet_symbol, "qSymbol", "wants no symbols"},
    {"qC", WHOLE, packet_current, "qC", ""},
    {"qfThreadInfo", WHOLE, packet_threads_first, "qfThreadInfo", ""},
    {"qsThreadInfo", WHOLE, packet_threads_more, "qsThreadInfo", ""},
    {"qThreadExtraInfo,", START, packet_thread_extra, "qThreadExtraInfo", ""},
    {"qXfer:features:read:", START, packet_features, "qXfer:features:read", "target.xml"},
    {"qXfer:threads:read:", START, packet_xfer_threads, "qXfer:threads:read", ""},
    {"qXfer:exec-file:read:", START, packet_exec_file, "qXfer:exec-file:read",
     "the file with the symbols"},
    {"qXfer:libraries:read:", START, packet_libraries, "qXfer:libraries:read",
     "further files with symbols; T05library tells of a change"},
    {"qXfer:osdata:read:", START, packet_osdata, "qXfer:osdata:read", "`info os`"},
    {"qSearch:memory:", START, packet_search, "qSearch:memory", "up to 64 MiB at a time"},
    {"qCRC:", START, packet_crc, "qCRC", "up to 64 MiB at a time"},
    {"QThreadEvents:", START, packet_thread_events, "QThreadEvents",
     "accepted: a machine's CPUs neither come nor go"},
    {"qHostInfo", WHOLE, packet_host_info, "qHostInfo", "for lldb: the triple of the mode"},
    {"qProcessInfo", WHOLE, packet_process_info, "qProcessInfo", "for lldb"},
    {"qGDBServerVersion", WHOLE, packet_server_version, "qGDBServerVersion", ""},
    {"qqemu.Supported", START, packet_qemu_supported, "qqemu.Supported", ""},
    {"qqemu.PhyMemMode", WHOLE, packet_physical, "qqemu.PhyMemMode", "`monitor phys`"},
    {"Qqemu.PhyMemMode:", START, packet_set_physical, "Qqemu.PhyMemMode", "`monitor phys`"},
    {"qqemu.sstepbits", WHOLE, packet_sstep_bits, "qqemu.sstepbits", ""},
    {"qqemu.sstep", WHOLE, packet_sstep, "qqemu.sstep", "`monitor step irqs`"},
    {"Qqemu.sstep=", START, packet_set_sstep, "Qqemu.sstep", "NOIRQ alone is a choice"},
    {"QNonStop:", START, packet_nonstop, "QNonStop", "each machine for itself"},
    {"vStopped", WHOLE, packet_stopped, "vStopped", ""},
    {"vCtrlC", WHOLE, packet_ctrl_c, "vCtrlC", ""},
    {"vFile:setfs:", START, packet_file_setfs, "vFile:setfs", "one file system for all"},
    {"vFile:open:", START, packet_file_open, "vFile:open", "images in use, for reading"},
    {"vFile:close:", START, packet_file_close, "vFile:close", ""},
    {"vFile:pread:", START, packet_file_read, "vFile:pread", ""},
    {"vFile:fstat:", START, packet_file_fstat, "vFile:fstat", ""},
    {"vFile:stat:", START, packet_file_stat, "vFile:stat", ""},
    {"vFile:readlink:", START, packet_file_readlink, "vFile:readlink", "there are no links"},
    {"vFile:pwrite:", START, packet_file_write, "vFile:pwrite", "refused"},
    {"vFile:unlink:", START, packet_file_write, "vFile:unlink", "refused"},
};

/* What has no row above because it needs none, or is not there. Together with those
 * it is every packet of the manual's appendix. */
static const struct gdb_packet_doc others[] = {
    {"\\x03", "yes", "interrupt"},
    {"vMustReplyEmpty", "yes", "as every unknown packet"},
    {"T05swbreak, hwbreak", "yes", "stop reply: at a breakpoint"},
    {"T05watch, rwatch, awatch", "yes", "stop reply: which address"},
    {"T05exec", "yes", "stop reply: the CPU mode has changed, read the description again"},
    {"T05library", "yes", "stop reply: the list of libraries has changed"},
    {"T05core", "yes", "stop reply: which CPU of the machine; in qXfer:threads, too"},
    {"T05replaylog", "yes", "stop reply: nothing is recorded beyond"},
    {"T05fork, vfork, vforkdone, clone", "no", "a machine does not fork"},
    {"T05syscall_entry, syscall_return", "no",
     "no system calls: `monitor catch interrupt` sees int n"},
    {"T05create, w", "no", "a machine's CPUs neither come nor go"},
    {"W, X", "yes", "stop reply: EXIT; with the process"},
    {"N", "no", "there always is a machine that can stop"},
    {"O", "yes", "console text while the guest runs and from monitor commands"},
    {"F", "no", "a guest makes no calls of gdb's File-I/O"},
    {"A", "no", "a guest takes no arguments; see vRun"},
    {"B, b, d, I, i, r, t", "no", "obsolete, or superseded by Z, vCont and X"},
    {"vCont t", "yes", "non-stop: stops it; all-stop: stays as it is"},
    {"vFlashErase, vFlashWrite, vFlashDone", "no", "ROM is written with M, as RAM is"},
    {"QAgent, QAllow", "no", "nothing to restrict"},
    {"QCatchSyscalls", "no", "no system calls"},
    {"QDisableRandomization", "no", "nothing is random"},
    {"QStartupWithShell", "no", "no shell starts a guest"},
    {"QEnvironmentHexEncoded, QEnvironmentUnset, QEnvironmentReset", "no",
     "a guest has no environment"},
    {"QSetWorkingDir", "no", "a guest has no folder"},
    {"QThreadOptions", "no", "a machine's CPUs neither come nor go"},
    {"QMemTags, qMemTags, qIsAddressTagged", "no", "x86 has no memory tags"},
    {"QTSave", "no", "the stub writes no files; `tsave` without -r asks qTBuffer"},
    {"qTMinFTPILen", "no", "no fast tracepoints: a guest runs no code of ours"},
    {"qTfSTM, qTsSTM, qTSTMat", "no", "no static tracepoints: a guest has no markers"},
    {"Qbtrace, Qbtrace-conf", "no", "no branch trace"},
    {"qXfer:btrace, qXfer:btrace-conf", "no", "no branch trace"},
    {"qXfer:auxv", "no", "a guest is not started by a kernel of the host"},
    {"qXfer:libraries-svr4", "no", "no dynamic linker; see qXfer:libraries"},
    {"qXfer:memory-map", "no", "under paging any linear address may be there"},
    {"qXfer:sdata", "no", "no static tracepoints"},
    {"qXfer:siginfo", "no", "a fault is told by its signal and a sentence"},
    {"qXfer:spu, qXfer:uib, qXfer:fdpic", "no", "for other machines"},
    {"qGetTLSAddr, qGetTIBAddr", "no", "no thread-local storage"},
    {"qOffsets", "no", "nothing is relocated"},
    {"qL, qP", "no", "superseded by qfThreadInfo and qThreadExtraInfo"},
    {"qExecAndArgs", "no", "gdb asks qXfer:exec-file"},
    {"qRelocInsn", "no", "no fast tracepoints"},
    {"vFile:lstat", "no", "there are no links; vFile:stat says all"},
};

enum { PACKETS = sizeof packets / sizeof *packets, OTHERS = sizeof others / sizeof *others };

/* --- documentation ------------------------------------------------------------------ */

static struct gdb_packet_doc doc_of(const struct packet *p) {
    return (struct gdb_packet_doc){p->name, "yes", p->note};
}

bool gdb_packet_doc(const struct gdb_extension *extension, size_t number,
                    struct gdb_packet_doc *doc) {
    size_t count = extension ? extension->packet_count : 0;
    if (number < PACKETS)
        *doc = doc_of(&packets[number]);
    else if (number < PACKETS + count)
        *doc = doc_of(&extension->packets[number - PACKETS]);
    else if (number < PACKETS + count + OTHERS)
        *doc = others[number - PACKETS - count];
    else
        return false;
    return true;
}

/* --- handling --------------------------------------------------------------------------- */

/* The row, and what follows its text. */
static const struct packet *find_row(const struct packet *list, size_t count, struct cursor packet,
                                     struct cursor *arguments) {
    for (size_t i = 0; i < count; i++) {
        *arguments = packet;
        if (!cursor_word(arguments, list[i].text))
            continue;
        if (list[i].match == START || cursor_done(arguments))
            return &list[i];
    }
    return NULL;
}

static const struct packet *find_extension(const struct session *s, struct cursor packet,
                                           struct cursor *arguments) {
    const struct gdb_extension *e = s->extension;
    return e ? find_row(e->packets, e->packet_count, packet, arguments) : NULL;
}

bool packets_is_extension(const struct session *s, struct cursor packet) {
    struct cursor arguments;
    return !find_row(packets, PACKETS, packet, &arguments) && find_extension(s, packet, &arguments);
}

void packets_dispatch(struct session *s, struct cursor packet) {
    struct cursor arguments;
    const struct packet *p = find_row(packets, PACKETS, packet, &arguments);
    if (!p && (p = find_extension(s, packet, &arguments)) && !s->extension->may_handle(s))
        return;
    if (p)
        p->handler(s, arguments);
}
