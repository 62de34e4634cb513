/* Finding images, and what kind each is; see image.h. What its bytes are is in load.c. */
#include "vmm/board/boot/image.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/host/files.h"

enum { IMAGE_MAX = 256 << 20, MIB = 1 << 20 };
enum { SMALL_MEMORY = 1 << 20, USUAL_MEMORY = 16 << 20 };

/* --- finding and reading ---------------------------------------------------------- */

/* Where guests are: in a build tree, from the folder of the program; installed, below share/minikvm
 * of the folder above it. */
static const struct {
    bool installed;
    const char *path;
} guest_paths[] = {
    {false, "build/guests/%s.elf"}, {false, "guests/%s.elf"},
    {false, "build/%s/kernel.elf"}, {false, "%s/kernel.elf"},
    {true, "guests/%s.elf"},        {true, "%s/kernel.elf"},
};
enum { GUEST_PATHS = sizeof guest_paths / sizeof *guest_paths };

/* Of the program, with its '/'; asked once, for a sandbox does not let it be asked. */
static const char *program_folder(void) {
    static char program[PATH_MAX];
    ssize_t length = *program ? 1 : readlink("/proc/self/exe", program, sizeof program - 1);
    if (length < 0)
        return NULL;
    strrchr(program, '/')[1] = 0;
    return program;
}

/* Without its last component: a path with `..` in it is none that a debugger may read. */
static int parent_length(const char *folder) {
    size_t length = strlen(folder) - 1;
    while (length && folder[length - 1] != '/')
        length--;
    return (int)length;
}

bool image_guest_folder(unsigned n, char *path, size_t size) {
    const char *program = program_folder();
    if (n >= GUEST_PATHS || !program)
        return false;
    int length = guest_paths[n].installed ? parent_length(program) : (int)strlen(program);
    return (size_t)snprintf(path, size, "%.*s%s", length, program,
                            guest_paths[n].installed ? "share/minikvm/" : "") < size;
}

static bool is_file(const char *path) {
    int fd = file_open_fd(path);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

char *image_find_guest(const char *name) {
    char path[2 * PATH_MAX];
    if (strlen(name) > NAME_MAX)
        return NULL;
    for (unsigned i = 0; image_guest_folder(i, path, PATH_MAX); i++) {
        size_t folder = strlen(path);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(path + folder, sizeof path - folder, guest_paths[i].path, name);
#pragma GCC diagnostic pop
        if (is_file(path))
            return strdup(path);
    }
    return NULL;
}

/* What a name that is no image is instead. */
static int refuse_name(const char *name, int err, char *error, size_t size) {
    struct stat st;
    if (stat(name, &st) == 0 && S_ISDIR(st.st_mode))
        return image_refuse(error, size, EISDIR, "%s: a folder, not a file; name an image", name);
    if (stat(name, &st) == 0 && !S_ISREG(st.st_mode))
        return image_refuse(error, size, ENOTSUP, "%s: not a regular file; name an image", name);
    if (!strchr(name, '/') && err == ENOENT)
        return image_refuse(error, size, ENOENT, "%s: neither a file nor a built guest; check the name, or "
                      "run make", name);
    return image_refuse(error, size, err, "%s: %s; check the path", name, file_error(err));
}

char *image_find(const char *name, char *error, size_t size) {
    int fd = file_open_fd(name), err = errno;
    char *path = fd >= 0 ? realpath(name, NULL) : NULL;
    if (fd >= 0)
        close(fd);
    else if (!strchr(name, '/'))
        path = image_find_guest(name);
    if (!path)
        refuse_name(name, err, error, size);
    return path;
}

static int read_open(struct image *im, int fd, char *error, size_t size) {
    struct stat st;
    if (file_stat(fd, &st) < 0)
        return image_refuse(error, size, errno, "%s: %s", im->path, strerror(errno));
    if (st.st_size == 0)
        return image_refuse(error, size, EINVAL, "%s: the file is empty; there is nothing to run",
                      im->path);
    if (st.st_size > IMAGE_MAX)
        return image_refuse(error, size, EFBIG, "%s: over 256 MiB; is that a guest's image?", im->path);
    return image_read(im, fd, st.st_size, error, size);
}

static int read_file(struct image *im, const char *path, char *error, size_t size) {
    im->path = *path == '/' ? strdup(path) : realpath(path, NULL);
    int fd = im->path ? file_open_fd(im->path) : -1;
    if (fd < 0)
        return image_refuse(error, size, errno, "%s: %s; name an image", path, file_error(errno));
    int err = read_open(im, fd, error, size);
    close(fd);
    return err;
}

/* --- Multiboot 1 (specification, 3.1.1) ----------------------------------------------- */

enum { MULTIBOOT_MAGIC = 0x1badb002, MULTIBOOT_SEARCH = 8192 };

/* The flags of the header, or -1 without one. */
static int64_t multiboot_flags(const struct image *im) {
    for (size_t at = 0; at + 12 <= im->size && at + 12 <= MULTIBOOT_SEARCH; at += 4) {
        uint32_t h[3]; /* magic, flags, checksum */
        memcpy(h, im->bytes + at, sizeof h);
        if (h[0] == MULTIBOOT_MAGIC && h[0] + h[1] + h[2] == 0)
            return h[1];
    }
    return -1;
}

/* Multiboot 2 (specification, 3.1.1) */
enum { MULTIBOOT2_MAGIC = (int)0xe85250d6, MULTIBOOT2_SEARCH = 32768 };

static bool has_multiboot2(const struct image *im) {
    for (size_t at = 0; at + 16 <= im->size && at + 16 <= MULTIBOOT2_SEARCH; at += 8) {
        uint32_t h[4]; /* magic, architecture, length, checksum */
        memcpy(h, im->bytes + at, sizeof h);
        if (h[0] == (uint32_t)MULTIBOOT2_MAGIC && h[0] + h[1] + h[2] + h[3] == 0)
            return true;
    }
    return false;
}

/* A header that asks for a start which is not to be had: to pass it over would start the
 * kernel in a state that it does not expect. On a disk image it is some file's. */
static int refuse_headers(const struct image *im, char *error, size_t size) {
    bool first = multiboot_flags(im) >= 0, elf32 = im->is_elf && !im->is_elf64;
    if ((first && elf32) || image_is_boot_sector(im))
        return 0;
    if (first)
        return image_refuse(error, size, ENOTSUP, "%s: %s with a Multiboot 1 header, which minikvm knows in "
                      "32-bit ELF files only; link it as one (objcopy -O elf32-i386), or use --mode "
                      "to start it without", im->path, im->is_elf ? "a 64-bit ELF file" : "a flat image");
    if (has_multiboot2(im))
        return image_refuse(error, size, ENOTSUP, "%s: it has a Multiboot 2 header, and minikvm knows "
                      "Multiboot 1 only; add a header of that, or use --mode to start it without",
                      im->path);
    return 0;
}

static int choose_mode(struct image *im, const struct image_options *o, char *error, size_t size) {
    int64_t flags = im->is_elf && !im->is_elf64 ? multiboot_flags(im) : -1;
    int err = o->mode == START_AUTO ? refuse_headers(im, error, size) : 0;
    if (err)
        return err;
    if (o->mode != START_AUTO)
        im->mode = o->mode;
    else if (flags >= 0)
        im->mode = START_MULTIBOOT;
    else if (im->is_elf64)
        im->mode = START_LONG;
    else
        im->mode = !im->is_elf || im->entry < MIB ? START_REAL : START_PROTECTED;
    /* bits 0 and 1: align modules, tell the memory; bit 2: a graphics mode */
    if (im->mode == START_MULTIBOOT && flags & 0xfffc)
        return image_refuse(error, size, ENOTSUP, "%s: its Multiboot header asks for features (flags "
                      "0x%x) that minikvm does not have; only bits 0 and 1 are met", im->path,
                      (unsigned)flags);
    if (im->mode == START_REAL && im->entry >= MIB)
        return image_refuse(error, size, EINVAL, "%s: entry 0x%llx cannot be reached in real mode "
                      "(1 MiB and above); use --mode=protected", im->path,
                      (unsigned long long)im->entry);
    return 0;
}

/* --- the whole ------------------------------------------------------------------------- */

unsigned image_bios_call(const struct image *im) {
    static const uint8_t services[] = {0x10, 0x13, 0x15, 0x16}; /* screen, disk, system, keys */
    for (size_t i = 0; image_is_boot_sector(im) && i + 1 < IMAGE_SECTOR - 2; i++)
        if (im->bytes[i] == 0xcd && memchr(services, im->bytes[i + 1], sizeof services))
            return im->bytes[i + 1];
    return 0;
}

static int understand(struct image *im, const struct image_options *o, char *error, size_t size) {
    int err = image_parse(im, o, error, size);
    return err ? err : choose_mode(im, o, error, size);
}

static int open_alone(struct image *im, const char *path, const struct image_options *o, char *error,
                      size_t size) {
    *im = (struct image){0};
    int err = read_file(im, path, error, size);
    if (!err)
        err = understand(im, o, error, size);
    if (err)
        image_close(im);
    return err;
}

/* --- the user program inside a kernel ---------------------------------------------------- */

static void take_user_program(struct image *im, const struct image *user) {
    struct image_segment first;
    if (!image_segment(user, 0, &first))
        return;
    im->user_address = first.loaded;
    im->user_path = strdup(user->path);
}

/* The 1K OS has its shell embedded; shell.elf beside kernel.elf has its symbols.
 * That file is for debuggers only, so what is odd about it is no error. */
static void find_user_program(struct image *im) {
    static const char kernel[] = "/kernel.elf", shell[] = "/shell.elf";
    struct image_options none = {0};
    struct image user;
    char error[16];
    size_t n = strlen(im->path), ending = sizeof kernel - 1;
    if (n < ending || strcmp(im->path + n - ending, kernel))
        return;
    char *path = strdup(im->path);
    if (!path)
        return;
    memcpy(path + n - ending, shell, sizeof shell);
    if (open_alone(&user, path, &none, error, sizeof error) == 0) {
        if (user.is_elf)
            take_user_program(im, &user);
        image_close(&user);
    }
    free(path);
}

int image_open(struct image *im, const char *path, const struct image_options *o, char *error,
               size_t size) {
    int err = open_alone(im, path, o, error, size);
    if (!err && im->is_elf)
        find_user_program(im);
    return err;
}

uint64_t image_memory(const struct image *im) {
    bool small = im->mode == START_REAL && im->end <= SMALL_MEMORY && !image_is_boot_sector(im);
    return small ? SMALL_MEMORY : USUAL_MEMORY;
}

void image_close(struct image *im) {
    free(im->path);
    free(im->user_path);
    free(im->bytes);
    *im = (struct image){0};
}
