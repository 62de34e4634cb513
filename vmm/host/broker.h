/* What must be done with the rights that the sandbox takes: a new file for a saved run or a
 * picture, and a socket's name removed at the end. A process of its own does it, started before the
 * sandbox closes; it takes two kinds of request and nothing else.
 *
 * Rule: the other side is hostile. It names a file in the folder that minikvm was started
 * in, as plain as saved_name_is_good() wants it, and gets an empty new one for writing, at
 * most BROKER_FILES times. What is removed was said before the start, or was made here.
 */
#ifndef MINIKVM_BROKER_H
#define MINIKVM_BROKER_H

#include <stdbool.h>

enum { BROKER_FILES = 64, BROKER_NAME = 100 };
#define SAVED_SUFFIX   ".replay"
#define PICTURE_SUFFIX ".png"

/* Ends with one of the suffixes; letters, digits and _ - + . = , @ only; no dot or dash at its begin. */
bool saved_name_is_good(const char *name);

/* Before any thread is made. socket: a name to remove at the end, or NULL. 0 or -errno. */
int broker_start(const char *socket);
bool broker_is_there(void);
/* A new file for writing, or -errno: -EINVAL a bad name, -EDQUOT too many. */
int broker_create(const char *name);
void broker_discard(void); /* the latest one */
/* The socket is removed, and the process ends. Safe in a signal handler; twice is once. */
void broker_end(void);

#endif
