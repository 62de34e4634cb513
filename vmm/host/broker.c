/* The process beside the sandbox; see broker.h. */
#include "vmm/host/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum operation { CREATE, DISCARD, END };

struct request {
    enum operation operation;
    char name[BROKER_NAME + 1];
};

static bool name_ends_with(const char *name, const char *suffix) {
    size_t length = strlen(name), end = strlen(suffix);
    return length > end && !strcmp(name + length - end, suffix);
}

bool saved_name_is_good(const char *name) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+.=,@";
    size_t length = strlen(name);
    return length <= BROKER_NAME && strspn(name, plain) == length && *name != '.' && *name != '-' &&
           (name_ends_with(name, SAVED_SUFFIX) || name_ends_with(name, PICTURE_SUFFIX));
}

/* An error of the kernel's is no end of the other side: it is tried again, not for ever. */
enum { TRIES = 100 };

static ssize_t heard(int fd, void *to, size_t size) {
    ssize_t got = -1;
    for (int i = 0; i < TRIES && got < 0; i++)
        got = recv(fd, to, size, 0);
    return got;
}

/* --- in that process ----------------------------------------------------------------- */

struct work {
    int link;
    const char *socket;
    struct stat inode;
    int folder, files;
    char latest[BROKER_NAME + 1];
};

static int create(struct work *w, const char *name) {
    if (!saved_name_is_good(name))
        return -EINVAL;
    if (w->files == BROKER_FILES)
        return -EDQUOT;
    int fd = openat(w->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        return -errno;
    w->files++;
    strcpy(w->latest, name);
    return fd;
}

static void discard(struct work *w) {
    if (*w->latest && !unlinkat(w->folder, w->latest, 0))
        w->files--;
    *w->latest = 0;
}

static void remove_socket(struct work *w) {
    struct stat now;
    if (w->socket && !lstat(w->socket, &now) && now.st_ino == w->inode.st_ino &&
        now.st_dev == w->inode.st_dev)
        unlink(w->socket);
}

/* An answer is a number, and the descriptor if there is one. */
static void broker_answer(struct work *w, int result) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS}};
    struct iovec data = {&result, sizeof result};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    if (result >= 0) {
        memcpy(CMSG_DATA(&control.header), &result, sizeof result);
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
    }
    sendmsg(w->link, &message, MSG_NOSIGNAL);
    if (result >= 0)
        close(result);
}

/* false: it is at its end. */
static bool serve(struct work *w, struct request *r) {
    r->name[BROKER_NAME] = 0;
    switch (r->operation) {
    case CREATE:
        broker_answer(w, create(w, r->name));
        return true;
    case DISCARD:
        discard(w);
        broker_answer(w, -ECANCELED);
        return true;
    default:
        remove_socket(w);
        return false;
    }
}

/* All that the other process has open is not ours; and its terminal's signals are not
 * either: this one ends when the other one does. */
static _Noreturn void broker_run(int link, const char *socket) {
    struct work w = {.link = 3, .socket = socket};
    struct request r;
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    if (dup2(link, w.link) < 0)
        _exit(1);
    for (int fd = 0; fd < w.link; fd++)
        close(fd);
    if (syscall(SYS_close_range, w.link + 1, ~0u, 0))
        for (int fd = w.link + 1; fd < 256; fd++)
            close(fd);
    w.folder = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (socket && lstat(socket, &w.inode))
        w.socket = NULL;
    while (heard(w.link, &r, sizeof r) == sizeof r && serve(&w, &r))
        ;
    _exit(0);
}

/* --- in ours ------------------------------------------------------------------------------ */

static volatile int to_broker = -1;

int broker_start(const char *socket) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return -errno;
    pid_t pid = fork();
    int reason = errno;
    if (pid == 0)
        broker_run(ends[1], socket);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return -reason;
    }
    to_broker = ends[0];
    return 0;
}

bool broker_is_there(void) { return to_broker >= 0; }

static bool ask(enum operation operation, const char *name) {
    struct request r = {.operation = operation};
    ssize_t sent = -1;
    strncpy(r.name, name, BROKER_NAME);
    for (int i = 0; i < TRIES && sent < 0; i++)
        sent = send(to_broker, &r, sizeof r, MSG_NOSIGNAL);
    return sent == sizeof r;
}

static int listen_to(void) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {.room = {0}};
    int result, fd = -1;
    ssize_t got;
    struct iovec data = {&result, sizeof result};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof control};
    do
        got = recvmsg(to_broker, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got != sizeof result)
        return -EPIPE;
    if (message.msg_controllen && control.header.cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
    return result < 0 ? result : fd < 0 ? -EMFILE : fd;
}

int broker_create(const char *name) {
    if (strlen(name) > BROKER_NAME)
        return -EINVAL;
    return ask(CREATE, name) ? listen_to() : -EPIPE;
}

void broker_discard(void) {
    if (ask(DISCARD, ""))
        listen_to();
}

/* Waits until the other end is closed, so that nothing is left to be done when we end. */
void broker_end(void) {
    int fd = to_broker, reason = errno;
    char byte;
    if (fd < 0)
        return;
    if (ask(END, ""))
        while (heard(fd, &byte, 1) > 0)
            ;
    to_broker = -1;
    close(fd);
    errno = reason;
}
