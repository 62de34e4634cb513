/* Images: what a file is, where its bytes go, and the first state of the CPU. What kinds there
 * are, how each is recognised and how it starts is the table in kinds.c (--list-images).
 *
 * Rule: nothing in a file is believed. Offsets and sizes are checked against
 * the file and the memory before use, and every refusal says what is wrong.
 */
#ifndef MINIKVM_IMAGE_H
#define MINIKVM_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/board/eltorito.h"
#include "vmm/cpu/cpu.h"
#include "vmm/memory/memory.h"

enum start_mode {
    START_AUTO, START_REAL, START_PROTECTED, START_LONG, START_MULTIBOOT, START_MULTIBOOT2,
    START_RESET
};
/* BOOT_EITHER: drive 80h that is 00h, too, for what was written for either of them. */
enum boot_drive { BOOT_AUTO, BOOT_FLOPPY, BOOT_DISK, BOOT_CDROM, BOOT_EITHER };

/* A file for a Multiboot kernel, from the command line. */
struct multiboot_module {
    const char *path;
    const char *text; /* what the kernel reads about it */
};
enum { MULTIBOOT_MODULES = 32 }; /* at most */

struct image_options {
    uint64_t load;  /* of a flat image; physical */
    uint64_t entry; /* instead of the image's own */
    bool has_load, has_entry;
    enum start_mode mode;
    enum boot_drive boot;         /* what drive the image is for */
    bool no_bios;                 /* a small disk is a flat image then: who else would read the rest? */
    bool firmware;                /* of the user's: it boots disks itself, and judges what is on a CD */
    bool has_boot_device;         /* a Multiboot kernel is told of this drive, by the BIOS's number */
    uint8_t boot_device;
    const char *append;           /* behind the kernel's name on its command line; may be NULL */
    const struct multiboot_module *modules; /* for a Multiboot kernel */
    unsigned module_count;
};

/* What a Multiboot header asks, and where in memory the answer is. */
struct multiboot {
    size_t header;     /* in the file */
    bool wants_screen; /* information about the screen */
    struct image_screen { /* dots, and bits of each; width 0: it is text */
        uint16_t width, height, bits;
    } screen;
    bool relocatable;  /* the kernel runs anywhere within these */
    uint32_t lowest, highest, align, preference;
    uint32_t gdt, stack, information; /* physical; once it is loaded */
    char wish[96]; /* what it would like, and gets otherwise; or empty */
};

struct image {
    const struct image_options *options; /* it was opened with; not owned */
    char *path;      /* absolute; owned */
    uint8_t *bytes;  /* the file, or how a disk begins; owned */
    size_t size;     /* of bytes */
    uint64_t file_size;
    const struct image_kind *kind;
    bool is_elf, is_elf64;
    bool is_disk;    /* a drive has the file; its first sector is loaded, or what El Torito says */
    uint8_t drive;   /* the BIOS's number of that */
    uint8_t told_drive; /* what the program finds in DL: of a CD it may be an emulated drive's */
    bool is_cd;
    struct eltorito eltorito; /* of a CD */
    bool is_either;  /* 80h, and 00h, too: it may have been meant for a floppy */
    uint64_t entry;  /* linear */
    /* A flat image, or what Multiboot's address fields say: these bytes of the file go to `load`,
     * and there are zeros from there to `end`. Else an ELF's segments go where they say. */
    bool in_one_piece;
    size_t offset, length;
    uint64_t load;   /* physical */
    uint64_t end;    /* first physical address behind everything loaded */
    uint64_t shift;  /* segments go so much further up than they are linked */
    enum start_mode mode; /* never START_AUTO */
    struct multiboot multiboot; /* with START_MULTIBOOT and START_MULTIBOOT2 */
    char *user_path;       /* symbols of the user program inside it, or NULL; owned */
    uint64_t user_address; /* where that is linked, linear */
};

/* A segment of an ELF32 that is loaded: p_vaddr, p_paddr, p_memsz. */
struct image_segment {
    uint64_t linked, loaded, size;
};
/* The n-th program header; one that loads nothing has size 0. false: no more. */
bool image_segment(const struct image *, unsigned n, struct image_segment *);
/* The same of either class, and of an image in one piece: where it really goes. */
bool image_extent(const struct image *, unsigned n, struct image_segment *);

/* A file in memory, by its descriptor and length: what image_open() begins with. */
int image_read(struct image *, int fd, size_t length, char *error, size_t size);
/* ELF or flat: sets where it goes and begins, not the mode. 0, or -errno with a sentence. */
int image_parse(struct image *, const struct image_options *, char *error, size_t size);
/* Of a CD, in place of the file's bytes: what is booted from it (cd_image.c). Likewise. */
int image_read_cd(struct image *, int fd, char *error, size_t size);
enum { IMAGE_SECTOR = 512 };
/* Its first sector ends in 55 AA. */
bool image_is_boot_sector(const struct image *);
/* Puts the sentence in `error`; returns -err. */
int image_refuse(char *error, size_t size, int err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Reads and checks a file; the options are there for as long as the image. 0, or -errno with a
 * sentence. */
int image_open(struct image *, const char *path, const struct image_options *, char *error,
               size_t size);
/* The RAM this image wants when --mem does not say: 1 MiB for one that lives
 * there and starts in real mode; else 16 MiB, or more for large kernels and modules. */
uint64_t image_memory(const struct image *);
/* What boot_state.c puts at the top of RAM for guests beyond real mode, bytes. */
enum { IMAGE_RESERVED = 32 << 10 };

/* Puts its bytes into memory. 0, or -errno with a sentence (it does not fit). */
int image_put(const struct image *, struct memory *, char *error, size_t size);
/* The same, with the modules and the information of Multiboot. */
int image_load(struct image *, struct memory *, char *error, size_t size);
/* What it was taken for, and how it starts, in a line. */
void image_describe(const struct image *, char *out, size_t size);
/* The nth kind of image: its name, by what it is recognised, how it starts or why it does not.
 * false: no more. */
struct image_kind_doc {
    const char *name, *known_by, *starts;
    bool boots;
};
bool image_kind_doc(unsigned n, struct image_kind_doc *);
/* Might a user have meant another kind? */
bool image_is_guess(const struct image *);
/* The CPU as it is before the first instruction. */
void image_start(const struct image *, struct memory *, struct cpu *);
void image_close(struct image *);
/* The vector of a BIOS service that a boot sector seems to call, by its bytes (CD 10,
 * CD 13, …); 0: none, or it is no boot sector. */
unsigned image_bios_call(const struct image *);

/* Finds an image: a path as it is, or the name of a built guest. Returns a path
 * to be freed, or NULL with a sentence. */
char *image_find(const char *name, char *error, size_t size);
/* The built guest of this name, to be freed, or NULL. */
char *image_find_guest(const char *name);
/* The file with the symbols of the BIOS's ROM, to be freed, or NULL. */
char *image_find_bios(void);
/* The n-th folder below which built guests are looked for; false: no more. */
bool image_guest_folder(unsigned n, char *path, size_t size);

#endif
