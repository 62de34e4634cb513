/* Least privilege: what the process can still do once everything is set up.
 *
 * A guest that broke out of the built-in CPU, or a client that broke the stub,
 * would find a process that can run no program, make no connection, signal no other
 * process, see no file but the folders of its images, and write and remove none: for
 * a new file, when a run is saved, it has to ask (broker.h).
 * Two walls, each good without the other:
 *
 *   Landlock (kernel 5.13; Documentation/userspace-api/landlock.rst)  which files
 *   seccomp  (Documentation/userspace-api/seccomp_filter.rst)         which calls
 *
 * Rule: what is refused returns EPERM or EACCES and nothing else happens; a call
 * that the program turns out to need is a row in the table, not an exception.
 */
#ifndef MINIKVM_SANDBOX_H
#define MINIKVM_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

enum sandbox_use {
    SANDBOX_READ,        /* a file, or all below a folder */
    SANDBOX_READ_BESIDE, /* a file, and all in its folder and below */
    SANDBOX_DEVICE,      /* for reading and writing */
};

struct sandbox_path {
    const char *path; /* what does not exist is passed over */
    enum sandbox_use use;
};

/* From here on the calling thread and those that it starts open these only. No new
 * privileges by exec either. Nor do they connect by TCP, or reach abstract sockets and
 * other processes by signals, where the kernel can see to that. 0, or -errno: -ENOSYS or
 * -EOPNOTSUPP of a kernel without Landlock; all is as before. */
int sandbox_files(const struct sandbox_path *, size_t count);

/* From here on all threads make only the system calls of the table. 0, or -errno:
 * this kernel has no seccomp filters, and all is as before. */
int sandbox_calls(void);

#endif
