/* Opening an image: what kind it is, and what it needs; see image.h. Where its bytes go is in
 * load.c, what names are images in find.c. */
#include "vmm/board/boot/image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/board/boot/kinds.h"
#include "vmm/board/boot/multiboot.h"
#include "vmm/host/files.h"

enum { IMAGE_MAX = 256 << 20, MIB = 1 << 20 };
enum { SMALL_MEMORY = 1 << 20, USUAL_MEMORY = 16 << 20, LARGE_MEMORY = 128 << 20, FREE_MEMORY = 8 << 20 };
enum { BOOT_LOAD = 0x7c00, FIRST_HARD_DISK = 0x80, FIRST_CD = 0xe0 };

/* --- which kind --------------------------------------------------------------------------- */

static bool has_elf_magic(const struct image_probe *p) {
    return p->head_size >= 4 && !memcmp(p->head, "\177ELF", 4);
}

/* What the options say goes before what the file looks like. An ELF file stays one. */
static const struct image_kind *choose_kind(const struct image_probe *p,
                                            const struct image_options *o) {
    bool elf = has_elf_magic(p);
    if (!elf && o->boot != BOOT_AUTO)
        return kinds_of_drive(o->boot);
    if (!elf && (o->has_load || o->mode != START_AUTO))
        return kinds_flat();
    const struct image_kind *kind = kinds_find(p);
    bool whole = o->no_bios && (kind->drive == BOOT_FLOPPY || kind->drive == BOOT_EITHER);
    return whole ? kinds_flat() : kind;
}

/* The last sector, with what some formats have at their end. */
static const uint8_t *read_tail(int fd, uint64_t length, uint8_t tail[PROBE_TAIL]) {
    return length > PROBE_TAIL && pread(fd, tail, PROBE_TAIL, length - PROBE_TAIL) == PROBE_TAIL
               ? tail : NULL;
}

/* As much of the file as is looked at, in im->bytes. */
static int read_head(struct image *im, int fd, char *error, size_t size) {
    uint64_t length = im->file_size < PROBE_HEAD ? im->file_size : PROBE_HEAD;
    int err = image_read(im, fd, length, error, size);
    if (!err && lseek(fd, 0, SEEK_SET) < 0)
        return image_refuse(error, size, errno, "%s: %s", im->path, strerror(errno));
    return err;
}

static uint8_t drive_number(enum boot_drive drive) {
    return drive == BOOT_FLOPPY ? 0 : drive == BOOT_CDROM ? FIRST_CD : FIRST_HARD_DISK;
}

static int find_kind(struct image *im, int fd, const struct image_options *o, char *error,
                     size_t size) {
    uint8_t tail[PROBE_TAIL];
    int err = read_head(im, fd, error, size);
    if (err)
        return err;
    struct image_probe p = {im->bytes, im->size, read_tail(fd, im->file_size, tail), im->file_size};
    im->kind = choose_kind(&p, o);
    im->mode = o->mode != START_AUTO ? o->mode : im->kind->mode;
    im->is_disk = im->kind->drive != BOOT_AUTO;
    im->drive = im->told_drive = drive_number(im->kind->drive);
    im->is_cd = im->kind->drive == BOOT_CDROM;
    im->is_either = im->kind->drive == BOOT_EITHER;
    if (im->mode == START_AUTO)
        return image_refuse(error, size, ENOTSUP, "%s: cannot boot this %s: %s", im->path,
                            im->kind->name, im->kind->starts);
    return 0;
}

/* --- opening ---------------------------------------------------------------------------- */

/* Whole, but for a disk, which its drive reads. */
static int read_rest(struct image *im, int fd, char *error, size_t size) {
    if (im->is_cd)
        return im->options->firmware ? 0 : image_read_cd(im, fd, error, size);
    if (im->is_disk || im->size == im->file_size)
        return 0;
    if (im->file_size > IMAGE_MAX)
        return image_refuse(error, size, EFBIG, "%s: over 256 MiB; is that a guest's image?", im->path);
    free(im->bytes);
    im->bytes = NULL;
    return image_read(im, fd, im->file_size, error, size);
}

static int read_open(struct image *im, int fd, const struct image_options *o, char *error, size_t size) {
    struct stat st;
    if (file_stat(fd, &st) < 0)
        return image_refuse(error, size, errno, "%s: %s", im->path, strerror(errno));
    if (st.st_size == 0)
        return image_refuse(error, size, EINVAL, "%s: the file is empty; there is nothing to run",
                      im->path);
    im->file_size = st.st_size;
    int err = find_kind(im, fd, o, error, size);
    return err ? err : read_rest(im, fd, error, size);
}

static int read_file(struct image *im, const char *path, const struct image_options *o, char *error,
                     size_t size) {
    im->path = *path == '/' ? strdup(path) : realpath(path, NULL);
    int fd = im->path ? file_open_fd(im->path) : -1;
    if (fd < 0)
        return image_refuse(error, size, errno, "%s: %s; name an image", path, file_error(errno));
    int err = read_open(im, fd, o, error, size);
    close(fd);
    return err;
}

/* One sector, as a PC loads it. */
static void place_sector(struct image *im, const struct image_options *o) {
    im->load = BOOT_LOAD;
    im->length = im->size < IMAGE_SECTOR ? im->size : IMAGE_SECTOR;
    im->end = im->load + im->length;
    im->entry = o->has_entry ? o->entry : BOOT_LOAD;
}

static void place_boot_image(struct image *im, const struct image_options *o) {
    im->load = im->eltorito.address;
    im->length = im->size;
    im->end = im->load + im->length;
    im->entry = o->has_entry ? o->entry : im->load;
}

/* Linear is physical where these begin, and a kernel for the upper half of the address space
 * may name its entry as it is linked. */
static void find_physical_entry(struct image *im) {
    struct image_segment s;
    for (unsigned i = 0; image_extent(im, i, &s); i++)
        if (im->entry >= s.linked && im->entry - s.linked < s.size) {
            im->entry = s.loaded + (im->entry - s.linked);
            return;
        }
}

static int place(struct image *im, const struct image_options *o, char *error, size_t size) {
    int err = 0;
    if (im->mode == START_PROTECTED && o->mode == START_AUTO && im->entry < MIB) /* --entry */
        im->mode = START_REAL;
    if (im->is_cd)
        place_boot_image(im, o);
    else if (im->is_disk)
        place_sector(im, o);
    else if (im->mode != START_REAL && im->mode != START_RESET && !o->has_entry)
        find_physical_entry(im);
    if (im->mode == START_MULTIBOOT)
        err = multiboot1_parse(im, error, size);
    if (im->mode == START_MULTIBOOT2)
        err = multiboot2_parse(im, error, size);
    if (err)
        return err;
    im->entry = o->has_entry ? o->entry : im->entry;
    if (im->mode == START_REAL && im->entry >= MIB)
        return image_refuse(error, size, EINVAL, "%s: entry 0x%llx cannot be reached in real mode "
                      "(1 MiB and above); use --mode=protected", im->path,
                      (unsigned long long)im->entry);
    if (im->mode != START_LONG && im->entry > UINT32_MAX)
        return image_refuse(error, size, EINVAL, "%s: entry 0x%llx is above 4 GiB, and it begins in 32-bit "
                      "code; check the linker script", im->path, (unsigned long long)im->entry);
    return 0;
}

static int open_alone(struct image *im, const char *path, const struct image_options *o, char *error,
                      size_t size) {
    *im = (struct image){.options = o};
    int err = read_file(im, path, o, error, size);
    err = err ? err : image_parse(im, o, error, size);
    err = err ? err : place(im, o, error, size);
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

/* --- what it needs, and is ---------------------------------------------------------------- */

static bool is_multiboot(const struct image *im) {
    return im->mode == START_MULTIBOOT || im->mode == START_MULTIBOOT2;
}

/* It may bring a whole system, which expects as much as other machines' PCs have. */
static bool is_more_than_a_floppy(const struct image *im) {
    enum { LARGEST_FLOPPY = 2880 << 10 };
    return im->is_cd || (im->is_disk && im->file_size > LARGEST_FLOPPY);
}

uint64_t image_memory(const struct image *im) {
    if (is_more_than_a_floppy(im))
        return LARGE_MEMORY;
    if (im->mode == START_REAL && im->end <= SMALL_MEMORY && !image_is_boot_sector(im))
        return SMALL_MEMORY;
    uint64_t need = is_multiboot(im) ? im->end + multiboot_room(im) + FREE_MEMORY : 0;
    need = (need + MIB - 1) / MIB * MIB;
    return need < USUAL_MEMORY ? USUAL_MEMORY : need < MEMORY_MAX ? need : MEMORY_MAX;
}

int image_load(struct image *im, struct memory *m, char *error, size_t size) {
    int err = is_multiboot(im) ? multiboot_relocate(im, m, error, size) : 0;
    err = err ? err : image_put(im, m, error, size);
    return err || !is_multiboot(im) ? err : multiboot_load(im, m, error, size);
}

static void describe_cd(const struct image *im, char *out, size_t size) {
    const struct eltorito *e = &im->eltorito;
    snprintf(out, size, "%llu KiB; %s, %u sector%s from block %u to 0x%x, DL = %02X%s%s",
             (unsigned long long)(im->file_size + 1023) / 1024, eltorito_media_name(e->media), e->sectors,
             e->sectors == 1 ? "" : "s", e->image,
             e->address, im->told_drive, *e->note ? "; " : "", e->note);
}

static void describe_details(const struct image *im, char *out, size_t size) {
    unsigned partitions = im->kind->drive == BOOT_DISK ? kinds_partitions(im->bytes, im->size, im->file_size) : 0;
    char count[32] = "";
    if (partitions)
        snprintf(count, sizeof count, ", %u partition%s", partitions, partitions == 1 ? "" : "s");
    if (im->is_cd && im->eltorito.sectors)
        describe_cd(im, out, size);
    else if (im->is_disk && im->file_size < 10240)
        snprintf(out, size, "%llu bytes%s", (unsigned long long)im->file_size, count);
    else if (im->is_disk)
        snprintf(out, size, "%llu KiB%s", (unsigned long long)(im->file_size + 1023) / 1024, count);
    else
        snprintf(out, size, "entry 0x%llx", (unsigned long long)im->entry);
}

void image_describe(const struct image *im, char *out, size_t size) {
    static const char *const modes[] = {
        [START_REAL] = "in real mode", [START_PROTECTED] = "in 32-bit protected mode",
        [START_LONG] = "in long mode", [START_MULTIBOOT] = "as Multiboot 1 says",
        [START_MULTIBOOT2] = "as Multiboot 2 says", [START_RESET] = "at the reset vector"};
    char details[320];
    describe_details(im, details, sizeof details);
    bool as_usual = im->mode == im->kind->mode;
    snprintf(out, size, "%s: %s (%s); starts %s%s", im->path, im->kind->name, details,
             as_usual ? im->kind->starts : modes[im->mode], as_usual ? "" : ", as the options say");
}

bool image_is_guess(const struct image *im) {
    return im->kind && im->is_disk && im->file_size != IMAGE_SECTOR;
}

unsigned image_bios_call(const struct image *im) {
    static const uint8_t services[] = {0x10, 0x13, 0x15, 0x16}; /* screen, disk, system, keys */
    for (size_t i = 0; image_is_boot_sector(im) && i + 1 < IMAGE_SECTOR - 2; i++)
        if (im->bytes[i] == 0xcd && memchr(services, im->bytes[i + 1], sizeof services))
            return im->bytes[i + 1];
    return 0;
}

void image_close(struct image *im) {
    free(im->path);
    free(im->user_path);
    free(im->bytes);
    *im = (struct image){0};
}
