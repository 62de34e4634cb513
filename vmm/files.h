/* Files that a person or a client has named: opened without waiting, whatever they are.
 *
 * Rule: only a regular file is read. A FIFO would wait for a writer, a device may do
 * anything; neither may keep minikvm from its signals and its other clients.
 */
#ifndef MINIKVM_FILES_H
#define MINIKVM_FILES_H

#include <stdio.h>

/* For reading. -1, or NULL, with errno: ENOTSUP for what is no regular file. */
int file_open_fd(const char *path);
FILE *file_open(const char *path);
/* What went wrong, for a person, with the cure where it is not obvious. */
const char *file_error(int number);

#endif
