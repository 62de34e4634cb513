/* Files that a client opens (files.c), names of modes among them (label.c), what it gets for
 * the program (exec_file.c), and lists of further files (libraries.c).
 */
#ifndef GDBSTUB_FILES_H
#define GDBSTUB_FILES_H

#include "gdbstub/session.h"

/* --- files.c --- */
void files_init(struct session *);
void files_close(struct session *);

/* --- label.c --- */
bool file_is_label(const char *path);
#define LABELS "/cpu/"
/* The path of the virtual file that names the thread's mode. */
void file_label(struct session *, struct gdb_thread, char label[LABEL_SIZE]);

/* --- exec_file.c --- */
/* What the client is to find in what it opens now. */
enum exec_content { CONTENT_FILE, CONTENT_RECORDS, CONTENT_BLANK };
/* `for_exec`: whose exec file it will be, if it is opened for the architecture. */
enum exec_content exec_file_opened(struct session *, const char *path,
                                   const struct process **for_exec);
/* The client has closed that. */
void exec_file_closed(struct session *, struct process *);

/* --- libraries.c --- */
/* Differs when the list of a process does; 0 of an empty one. */
uint64_t libraries_mark(struct session *, int pid);

#endif
