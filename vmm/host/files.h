/* Files that a person or a client has named: opened without waiting, whatever they are.
 *
 * Rule: only a regular file is read. A FIFO would wait for a writer, a device may do
 * anything; neither may keep minikvm from its signals and its other clients.
 */
#ifndef MINIKVM_FILES_H
#define MINIKVM_FILES_H

#include <stdio.h>
#include <sys/stat.h>

/* For reading. -1, or NULL, with errno: ENOTSUP for what is no regular file. */
int file_open_fd(const char *path);
int file_open_writable_fd(const char *path); /* for writing, too; it must be there */
FILE *file_open(const char *path);
/* fstat() by the call that takes no path: the only one that the sandbox lets through. */
int file_stat(int fd, struct stat *);
/* So many bytes from where it stands. 0, or -errno: EIO where it is shorter. */
int file_read(int fd, void *to, size_t length);

/* A new file for a saved run or a picture; in a sandbox by the broker's rules. -1 with errno. */
int file_create(const char *path);
void file_discard(const char *path); /* the latest one: it could not be written */
/* The name of a socket, to be removed at the end; file_end() does it, also in a signal
 * handler. */
void file_remove_at_end(const char *path);
void file_end(void);
/* What went wrong, for a person, with the cure where it is not obvious. */
const char *file_error(int number);

#endif
