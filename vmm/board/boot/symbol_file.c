/* Files with symbols; see symbol_file.h. */
#include "vmm/board/boot/symbol_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/board/boot/elf.h"
#include "vmm/board/boot/sections.h"
#include "vmm/host/files.h"

/* "FILE@ADDR": the length of FILE, and ADDR. An @ with something else behind it is part of a name. */
static size_t split(const char *spec, bool *has_address, uint64_t *address) {
    const char *at = strrchr(spec, '@');
    char *end;
    *has_address = false;
    if (!at || at[1] < '0' || at[1] > '9')
        return strlen(spec);
    errno = 0;
    *address = strtoull(at + 1, &end, 0);
    *has_address = !*end && !errno;
    return *has_address ? (size_t)(at - spec) : strlen(spec);
}

/* Not read: a kernel with debug information has hundreds of megabytes, and only its headers are looked at. */
static int map_file(struct image *im, int fd, size_t length, char *error, size_t size) {
    void *bytes = length ? mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    if (bytes == MAP_FAILED)
        return image_refuse(error, size, errno, "%s: cannot map it: %s", im->path, strerror(errno));
    im->bytes = bytes;
    im->size = length;
    return 0;
}

static void close_mapped(struct image *im) {
    if (im->bytes)
        munmap(im->bytes, im->size);
    im->bytes = NULL;
    image_close(im);
}

static int open_elf(struct image *im, const char *name, char *error, size_t size) {
    struct stat st;
    int fd = file_open_fd(name);
    if (fd < 0 || file_stat(fd, &st) < 0)
        return image_refuse(error, size, errno, "%s: %s; check --symbols", name, file_error(errno));
    im->path = realpath(name, NULL);
    int err = im->path ? map_file(im, fd, (size_t)st.st_size, error, size)
                       : image_refuse(error, size, errno, "%s: %s", name, strerror(errno));
    close(fd);
    return err;
}

/* Its .text: the first section with code. */
static bool find_text(const struct image *im, uint64_t *address) {
    struct section s;
    for (unsigned i = 0; section_at(im, i, &s); i++)
        if (s.executable) {
            *address = s.address;
            return true;
        }
    return false;
}

static bool find_segment(const struct image *im, uint64_t *address) {
    struct image_segment s;
    for (unsigned i = 0; image_extent(im, i, &s); i++)
        if (s.size) {
            *address = s.linked;
            return true;
        }
    return false;
}

static int place_symbols(struct symbol_file *f, const struct image *im, bool has_address, uint64_t address,
                 char *error, size_t size) {
    uint64_t text;
    if (!find_segment(im, &f->segment))
        return image_refuse(error, size, ENOEXEC, "%s: there is no segment in it that says where its symbols "
                      "are", im->path);
    if (!find_text(im, &text))
        text = f->segment;
    f->segment += has_address ? address - text : 0;
    return 0;
}

static int check_headers(struct image *im, char *error, size_t size) {
    struct elf e;
    im->is_elf = elf_is(im->bytes, im->size);
    const char *problem = im->is_elf ? elf_open_headers(&e, im->bytes, im->size) : NULL;
    if (!im->is_elf)
        return image_refuse(error, size, ENOEXEC, "%s: not an ELF file; symbols are in the one that the image "
                      "was made from", im->path);
    if (problem)
        return image_refuse(error, size, ENOEXEC, "%s: an ELF file that is %s", im->path, problem);
    im->is_elf64 = e.word == 8;
    return 0;
}

int symbol_file_open(struct symbol_file *f, const char *spec, char *error, size_t size) {
    struct image im = {0};
    uint64_t address = 0;
    bool has_address;
    char *name = strndup(spec, split(spec, &has_address, &address));
    int err = name ? open_elf(&im, name, error, size) : image_refuse(error, size, ENOMEM, "no memory");
    err = err ? err : check_headers(&im, error, size);
    if (!err)
        err = place_symbols(f, &im, has_address, address, error, size);
    if (!err) {
        f->path = strdup(im.path);
        f->is_elf64 = im.is_elf64;
    }
    close_mapped(&im);
    free(name);
    return err;
}
