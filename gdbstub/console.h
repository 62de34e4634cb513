/* Text for the user, and warnings to an lldb. */
#ifndef GDBSTUB_CONSOLE_H
#define GDBSTUB_CONSOLE_H

#include "gdbstub/session.h"

/* --- console.c --- */
void console_text(struct session *, const char *text, size_t length);
/* Sends text that was kept, if O packets are allowed now. */
void console_flush(struct session *);

/* --- lldb.c --- */
/* Warns if the client is an lldb that shows the CPU's present mode wrongly. */
void lldb_report_mode(struct session *, struct gdb_thread);

#endif
