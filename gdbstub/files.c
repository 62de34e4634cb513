/* Files for a client on another machine: vFile (GDB manual, "Host I/O Packets").
 *
 * Rule: a client reads the files that the target names as its images and the
 * labels of modes, and nothing else: no other path, no link, no directory, no
 * device, never for writing. Few are open at a time, and none outlives its client.
 *
 * A label is a file that exists only here: LABELS/NAME, with NAME a mode of the
 * CPU (follow.c). It holds two S-records and so has symbols and architecture of
 * nothing: gdb then believes the description.
 */
#include "gdbstub/hex.h"
#include "gdbstub/packets.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LABELS "/cpu/"
static const char label_content[] = "S00600004844521B\r\nS9030000FC\r\n";
enum { LABEL_LENGTH = sizeof label_content - 1, NO_FILE = -1, LABEL_FILE = -2 };

/* The protocol's own numbers ("Errno Values"). */
enum { IO_EPERM = 1, IO_ENOENT = 2, IO_EBADF = 9, IO_EACCES = 13, IO_EINVAL = 22, IO_EMFILE = 24,
       IO_EROFS = 30, IO_EUNKNOWN = 9999 };

static void reply_io_error(struct session *s, int number) {
    buffer_printf(&s->reply, "F-1,%x", number);
}

/* --- labels --------------------------------------------------------------------- */

void file_label(struct session *s, struct gdb_thread thread, char label[LABEL_SIZE]) {
    snprintf(label, LABEL_SIZE, LABELS "%s",
             s->target->ops->mode_name(s->target->context, thread));
}

bool file_is_label(const char *path) {
    size_t folder = strlen(LABELS);
    return !strncmp(path, LABELS, folder) && path[folder] && !strchr(path + folder, '/');
}

/* --- opening ---------------------------------------------------------------------- */

static bool has_dots(const char *path) {
    for (const char *at = path; (at = strstr(at, "..")); at++)
        if ((at == path || at[-1] == '/') && (!at[2] || at[2] == '/'))
            return true;
    return false;
}

/* A descriptor, LABEL_FILE, or minus one of the numbers above. Without waiting:
 * what was a file a moment ago may be a pipe now. */
static int open_path(struct session *s, const char *path) {
    struct stat about;
    if (file_is_label(path))
        return LABEL_FILE;
    if (path[0] != '/' || has_dots(path) || !s->target->ops->may_read(s->target->context, path))
        return NO_FILE;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0 && (fstat(fd, &about) || !S_ISREG(about.st_mode))) {
        close(fd);
        fd = -1;
    }
    return fd >= 0 ? fd : NO_FILE;
}

static void close_file(int *file) {
    if (*file >= 0)
        close(*file);
    *file = NO_FILE;
}

void files_init(struct session *s) {
    for (size_t i = 0; i < FILES_MAX; i++)
        s->files[i] = NO_FILE;
}

void files_close(struct session *s) {
    for (size_t i = 0; i < FILES_MAX; i++)
        close_file(&s->files[i]);
}

/* "PATH,FLAGS,MODE" */
void packet_file_open(struct session *s, struct cursor arguments) {
    char path[PATH_MAX];
    uint64_t flags, mode;
    struct cursor name = cursor_until(&arguments, ',');
    if (!cursor_hex_text(&name, path, sizeof path) || !cursor_range(&arguments, &flags, &mode)) {
        reply_io_error(s, IO_EINVAL);
        return;
    }
    if (flags) { /* O_RDONLY is 0 */
        reply_io_error(s, IO_EROFS);
        return;
    }
    size_t slot = 0;
    while (slot < FILES_MAX && s->files[slot] != NO_FILE)
        slot++;
    if (slot == FILES_MAX) {
        reply_io_error(s, IO_EMFILE);
        return;
    }
    s->files[slot] = open_path(s, path);
    if (s->files[slot] == NO_FILE)
        reply_io_error(s, IO_ENOENT);
    else
        buffer_printf(&s->reply, "F%x", (unsigned)slot);
}

/* --- using what is open -------------------------------------------------------------- */

static int *open_file(struct session *s, uint64_t number) {
    if (number < FILES_MAX && s->files[number] != NO_FILE)
        return &s->files[number];
    reply_io_error(s, IO_EBADF);
    return NULL;
}

void packet_file_close(struct session *s, struct cursor arguments) {
    uint64_t number;
    int *file = cursor_number(&arguments, &number) ? open_file(s, number) : NULL;
    if (!file) {
        buffer_clear(&s->reply);
        reply_io_error(s, IO_EBADF);
        return;
    }
    close_file(file);
    buffer_text(&s->reply, "F0");
}

static ssize_t read_label(void *to, size_t size, uint64_t offset) {
    size_t left = offset < LABEL_LENGTH ? LABEL_LENGTH - (size_t)offset : 0;
    size = size < left ? size : left;
    memcpy(to, label_content + (left ? offset : 0), size);
    return (ssize_t)size;
}

/* "FILE,COUNT,OFFSET"; every byte may be escaped, and the count stands before. */
void packet_file_read(struct session *s, struct cursor arguments) {
    enum { PIECE_MAX = LINK_PACKET_SIZE / 2 - 16 };
    char bytes[PIECE_MAX];
    uint64_t number, count, offset;
    if (!cursor_range(&arguments, &number, &count) || !cursor_char(&arguments, ',') ||
        !cursor_number(&arguments, &offset) || offset > INT64_MAX) {
        reply_io_error(s, IO_EINVAL);
        return;
    }
    int *file = open_file(s, number);
    if (!file)
        return;
    size_t size = count < sizeof bytes ? (size_t)count : sizeof bytes;
    ssize_t got = *file == LABEL_FILE ? read_label(bytes, size, offset)
                                      : pread(*file, bytes, size, (off_t)offset);
    if (got < 0) {
        reply_io_error(s, IO_EUNKNOWN);
        return;
    }
    buffer_printf(&s->reply, "F%zx;", (size_t)got);
    buffer_binary(&s->reply, bytes, (size_t)got);
}

/* --- stat ------------------------------------------------------------------------------- */

static void put(uint8_t **to, uint64_t value, unsigned size) {
    while (size--)
        *(*to)++ = (uint8_t)(value >> 8 * size);
}

/* "struct stat": big-endian; a regular file is 0100000. Who owns it is not said. */
static void reply_stat(struct session *s, const struct stat *about) {
    uint8_t bytes[64], *to = bytes;
    put(&to, 0, 8);
    put(&to, 0100444, 4);
    put(&to, 1, 4);
    put(&to, 0, 8);
    put(&to, 0, 4);
    put(&to, (uint64_t)about->st_size, 8);
    put(&to, 4096, 8);
    put(&to, ((uint64_t)about->st_size + 511) / 512, 8);
    for (unsigned i = 0; i < 3; i++)
        put(&to, (uint64_t)about->st_mtime, 4);
    buffer_printf(&s->reply, "F%zx;", sizeof bytes);
    buffer_binary(&s->reply, bytes, sizeof bytes);
}

static void stat_file(struct session *s, int file) {
    struct stat about = {.st_size = LABEL_LENGTH};
    if (file == LABEL_FILE || !fstat(file, &about))
        reply_stat(s, &about);
    else
        reply_io_error(s, IO_EUNKNOWN);
}

void packet_file_fstat(struct session *s, struct cursor arguments) {
    uint64_t number;
    if (!cursor_number(&arguments, &number) || !cursor_done(&arguments)) {
        reply_io_error(s, IO_EINVAL);
        return;
    }
    int *file = open_file(s, number);
    if (file)
        stat_file(s, *file);
}

void packet_file_stat(struct session *s, struct cursor arguments) {
    char path[PATH_MAX];
    int file = cursor_hex_text(&arguments, path, sizeof path) ? open_path(s, path) : NO_FILE;
    if (file == NO_FILE)
        reply_io_error(s, IO_ENOENT);
    else
        stat_file(s, file);
    close_file(&file);
}

/* --- what is refused --------------------------------------------------------------------- */

/* All processes see the same files. */
void packet_file_setfs(struct session *s, struct cursor arguments) {
    (void)arguments;
    buffer_text(&s->reply, "F0");
}

/* Nothing that a client may open is a link. */
void packet_file_readlink(struct session *s, struct cursor arguments) {
    (void)arguments;
    reply_io_error(s, IO_EINVAL);
}

void packet_file_write(struct session *s, struct cursor arguments) {
    (void)arguments;
    reply_io_error(s, IO_EROFS);
}
