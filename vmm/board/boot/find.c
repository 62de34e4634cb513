/* Finding images by the names that users give them; see image.h. */
#include "vmm/board/boot/image.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/host/files.h"

/* Where guests are: in a build tree, from the folder of the program; installed, below share/minikvm
 * of the folder above it. %1$s is the name as it was given, %2$s that without .img
 * or .iso. */
static const struct {
    bool installed, image; /* a disk image: the name ends so */
    const char *path;
} guest_paths[] = {
    {false, false, "build/guests/%1$s.elf"}, {false, false, "guests/%1$s.elf"},
    {false, false, "build/%1$s/kernel.elf"}, {false, false, "%1$s/kernel.elf"},
    {false, true, "build/guests/%1$s"},      {false, true, "guests/%1$s"},
    {false, true, "build/%2$s/%1$s"},        {false, true, "%2$s/%1$s"},
    {true, false, "guests/%1$s.elf"},        {true, false, "%1$s/kernel.elf"},
    {true, true, "guests/%1$s"},             {true, true, "%2$s/%1$s"},
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

/* The program's own folder, and the one beside it where guests are installed. */
bool image_guest_folder(unsigned n, char *path, size_t size) {
    enum { OWN, INSTALLED, FOLDERS };
    const char *program = program_folder();
    if (n >= FOLDERS || !program)
        return false;
    int length = n == INSTALLED ? parent_length(program) : (int)strlen(program);
    return (size_t)snprintf(path, size, "%.*s%s", length, program,
                            n == INSTALLED ? "share/minikvm/" : "") < size;
}

static bool is_file(const char *path) {
    int fd = file_open_fd(path);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* The length of a disk image's name without its .img or .iso; of another name its own. */
static size_t stem_length(const char *name) {
    size_t length = strlen(name);
    const char *end = length > 4 ? name + length - 4 : "";
    return !strcmp(end, ".img") || !strcmp(end, ".iso") ? length - 4 : length;
}

char *image_find_guest(const char *name) {
    char path[3 * PATH_MAX], stem[NAME_MAX + 1];
    if (strlen(name) > NAME_MAX)
        return NULL;
    snprintf(stem, sizeof stem, "%.*s", (int)stem_length(name), name);
    for (unsigned i = 0; i < GUEST_PATHS; i++) {
        bool image = strlen(stem) < strlen(name);
        if (guest_paths[i].image != image || !image_guest_folder(guest_paths[i].installed, path, PATH_MAX))
            continue;
        size_t folder = strlen(path);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(path + folder, sizeof path - folder, guest_paths[i].path, name, stem);
#pragma GCC diagnostic pop
        if (is_file(path))
            return strdup(path);
    }
    return NULL;
}

char *image_find_bios(void) {
    static const struct {
        bool installed;
        const char *path;
    } places[] = {{false, "build/bios/bios.elf"}, {false, "bios/bios.elf"}, {true, "bios.elf"}};
    char path[PATH_MAX + 32];
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
        if (!image_guest_folder(places[i].installed, path, PATH_MAX))
            continue;
        strcat(path, places[i].path);
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
