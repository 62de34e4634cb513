/* Files for a client on another machine: vFile (GDB manual, "Host I/O Packets").
 *
 * Rule: a client reads the files that the target names as its images and the
 * labels of modes, and nothing else: no other path, no link, no directory, no
 * device, never for writing. Few are open at a time, and none outlives its client.
 *
 * A label is a file that exists only here: LABELS/NAME, with NAME a mode of the CPU.
 * What is in it, and in the exec file, exec_file.c tells.
 */
#include "gdbstub/files.h"
#include "gdbstub/hex.h"
#include "gdbstub/packets.h"
#include "gdbstub/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What an open file is, if not a descriptor. The made ones are there for all who open
 * them, under numbers of their own: gdb up to 16 leaves one open at each exec. That which
 * gdb has for the exec file of a process has one of its own. */
enum { NO_FILE = -1, RECORDS_FILE = -2, BLANK_FILE = -3 };
enum { EXEC_NUMBERS = FILES_MAX, RECORDS_NUMBER = EXEC_NUMBERS + PROCESSES_MAX, BLANK_NUMBER };

/* Longer than what gdb reads at once: it would ask again at each read beyond the end. */
enum { MADE_LENGTH = 4096 };
static const char records[] = "S00600004844521B\r\nS9030000FC\r\n";

/* The protocol's own numbers ("Errno Values"). */
enum {
    IO_EPERM = 1,
    IO_ENOENT = 2,
    IO_EBADF = 9,
    IO_EACCES = 13,
    IO_EINVAL = 22,
    IO_EMFILE = 24,
    IO_EROFS = 30,
    IO_EUNKNOWN = 9999
};

static void reply_io_error(struct session *s, int number) {
    buffer_printf(&s->reply, "F-1,%x", number);
}

/* --- opening ---------------------------------------------------------------------- */

static bool has_dots(const char *path) {
    for (const char *at = path; (at = strstr(at, "..")); at++)
        if ((at == path || at[-1] == '/') && (!at[2] || at[2] == '/'))
            return true;
    return false;
}

/* A descriptor, RECORDS_FILE, or minus one of the numbers above. Without waiting:
 * what was a file a moment ago may be a pipe now. */
static int open_path(struct session *s, const char *path) {
    struct stat about;
    if (file_is_label(path))
        return RECORDS_FILE;
    if (path[0] != '/' || has_dots(path) || !s->target->ops->may_read(s->target->context, path))
        return NO_FILE;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0 && (stat_of(fd, &about) || !S_ISREG(about.st_mode))) {
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

static int open_for_client(struct session *s, const char *path, const struct process **process) {
    switch (exec_file_opened(s, path, process)) {
    case CONTENT_RECORDS: return RECORDS_FILE;
    case CONTENT_BLANK: return BLANK_FILE;
    case CONTENT_FILE: break;
    }
    return open_path(s, path);
}

/* The number that the client gets for it, the exec file of `process` or of nobody. -1, and
 * it is closed: too many are open. */
static int keep_open(struct session *s, int file, const struct process *process) {
    if (file == RECORDS_FILE && process)
        return EXEC_NUMBERS + (int)(process - s->processes);
    if (file == RECORDS_FILE || file == BLANK_FILE)
        return file == RECORDS_FILE ? RECORDS_NUMBER : BLANK_NUMBER;
    for (int slot = 0; slot < FILES_MAX; slot++) {
        if (s->files[slot] != NO_FILE)
            continue;
        s->files[slot] = file;
        return slot;
    }
    close_file(&file);
    return -1;
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
    const struct process *process = NULL;
    int file = open_for_client(s, path, &process);
    int number = file == NO_FILE ? 0 : keep_open(s, file, process);
    if (file == NO_FILE || number < 0)
        reply_io_error(s, file == NO_FILE ? IO_ENOENT : IO_EMFILE);
    else
        buffer_printf(&s->reply, "F%x", (unsigned)number);
}

/* --- using what is open -------------------------------------------------------------- */

/* A descriptor, or what is made. NO_FILE, and an error is the reply. */
static int open_file(struct session *s, uint64_t number) {
    if (number >= EXEC_NUMBERS && number <= BLANK_NUMBER)
        return number == BLANK_NUMBER ? BLANK_FILE : RECORDS_FILE;
    if (number < FILES_MAX && s->files[number] != NO_FILE)
        return s->files[number];
    reply_io_error(s, IO_EBADF);
    return NO_FILE;
}

void packet_file_close(struct session *s, struct cursor arguments) {
    uint64_t number;
    if (!cursor_number(&arguments, &number)) {
        reply_io_error(s, IO_EBADF);
        return;
    }
    if (open_file(s, number) == NO_FILE)
        return;
    if (number < FILES_MAX)
        close_file(&s->files[number]);
    else if (number < RECORDS_NUMBER)
        exec_file_closed(s, &s->processes[number - EXEC_NUMBERS]);
    buffer_text(&s->reply, "F0");
}

/* A file that exists only here: the records or nothing, and blank lines. */
static ssize_t read_made(int file, char *to, size_t size, uint64_t offset) {
    size_t left = offset < MADE_LENGTH ? MADE_LENGTH - (size_t)offset : 0;
    size_t text = file == RECORDS_FILE ? sizeof records - 1 : 0;
    size = size < left ? size : left;
    for (size_t i = 0; i < size; i++)
        to[i] = offset + i < text ? records[offset + i] : '\n';
    return (ssize_t)size;
}

/* "FILE,COUNT,OFFSET"; every byte may be escaped, and the count stands before. */
void packet_file_read(struct session *s, struct cursor arguments) {
    enum { PIECE_MAX = FRAMING_PACKET_SIZE / 2 - 16 };
    char bytes[PIECE_MAX];
    uint64_t number, count, offset;
    if (!cursor_range(&arguments, &number, &count) || !cursor_char(&arguments, ',') ||
        !cursor_number(&arguments, &offset) || offset > INT64_MAX) {
        reply_io_error(s, IO_EINVAL);
        return;
    }
    int file = open_file(s, number);
    if (file == NO_FILE)
        return;
    size_t size = count < sizeof bytes ? (size_t)count : sizeof bytes;
    ssize_t got = file < NO_FILE ? read_made(file, bytes, size, offset)
                                 : pread(file, bytes, size, (off_t)offset);
    if (got < 0) {
        reply_io_error(s, IO_EUNKNOWN);
        return;
    }
    buffer_printf(&s->reply, "F%zx;", (size_t)got);
    buffer_binary(&s->reply, bytes, (size_t)got);
}

/* --- stat ------------------------------------------------------------------------------- */

static void put_big_endian(uint8_t **to, uint64_t value, unsigned size) {
    while (size--)
        *(*to)++ = (uint8_t)(value >> 8 * size);
}

/* "struct stat": big-endian; a regular file is 0100000. Who owns it is not said. */
static void reply_stat(struct session *s, const struct stat *about) {
    uint8_t bytes[64], *to = bytes;
    put_big_endian(&to, 0, 8);
    put_big_endian(&to, 0100444, 4);
    put_big_endian(&to, 1, 4);
    put_big_endian(&to, 0, 8);
    put_big_endian(&to, 0, 4);
    put_big_endian(&to, (uint64_t)about->st_size, 8);
    put_big_endian(&to, 4096, 8);
    put_big_endian(&to, ((uint64_t)about->st_size + 511) / 512, 8);
    for (unsigned i = 0; i < 3; i++)
        put_big_endian(&to, (uint64_t)about->st_mtime, 4);
    buffer_printf(&s->reply, "F%zx;", sizeof bytes);
    buffer_binary(&s->reply, bytes, sizeof bytes);
}

static void stat_file(struct session *s, int file) {
    struct stat about = {.st_size = MADE_LENGTH};
    if (file < NO_FILE || !stat_of(file, &about))
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
    int file = open_file(s, number);
    if (file != NO_FILE)
        stat_file(s, file);
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
