/* Images: what a file contains, where it goes, and the first state of the CPU.
 *
 *   flat                          real mode, at --load (0x1000; 0x7C00 for a boot sector,
 *                                 whose bytes 510 and 511 are 55 AA)
 *   ELF32 with a Multiboot header as Multiboot 1 says
 *   ELF32, entry below 1 MiB      real mode at the entry
 *   ELF32                         flat 32-bit protected mode
 *   ELF64                         long mode, identity-mapped
 *   ROM                           the reset vector
 *
 * Rule: nothing in a file is believed. Offsets and sizes are checked against
 * the file and the memory before use, and every refusal says what is wrong.
 */
#ifndef MINIKVM_IMAGE_H
#define MINIKVM_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/cpu/cpu.h"
#include "vmm/memory/memory.h"

enum start_mode { START_AUTO, START_REAL, START_PROTECTED, START_LONG, START_MULTIBOOT, START_RESET };

struct image_options {
    uint64_t load;  /* of a flat image; physical */
    uint64_t entry; /* instead of the image's own */
    bool has_load, has_entry;
    enum start_mode mode;
};

struct image {
    char *path;      /* absolute; owned */
    uint8_t *bytes;  /* the file; owned */
    size_t size;
    bool is_elf, is_elf64;
    uint64_t entry;  /* linear */
    uint64_t load;   /* flat: physical */
    uint64_t end;    /* first physical address behind everything loaded */
    enum start_mode mode; /* never START_AUTO */
    char *user_path;       /* symbols of the user program inside it, or NULL; owned */
    uint64_t user_address; /* where that is linked, linear */
};

/* A segment of an ELF32 that is loaded: p_vaddr, p_paddr, p_memsz. */
struct image_segment {
    uint64_t linked, loaded, size;
};
/* The n-th program header; one that loads nothing has size 0. false: no more. */
bool image_segment(const struct image *, unsigned n, struct image_segment *);

/* A file in memory, by its descriptor and length: what image_open() begins with. */
int image_read(struct image *, int fd, size_t length, char *error, size_t size);
/* ELF or flat: sets where it goes and begins, not the mode. 0, or -errno with a sentence. */
int image_parse(struct image *, const struct image_options *, char *error, size_t size);
enum { IMAGE_SECTOR = 512 };
/* Its first sector ends in 55 AA. */
bool image_is_boot_sector(const struct image *);
/* Puts the sentence in `error`; returns -err. */
int image_refuse(char *error, size_t size, int err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Reads and checks a file. 0, or -errno with a sentence. */
int image_open(struct image *, const char *path, const struct image_options *, char *error,
               size_t size);
/* The RAM this image wants when --mem does not say: 256 KiB for one that lives
 * there and starts in real mode, else 16 MiB. */
uint64_t image_memory(const struct image *);
/* What boot_state.c puts at the top of RAM for guests beyond real mode, bytes. */
enum { IMAGE_RESERVED = 32 << 10 };

/* Copies it into memory. 0, or -errno with a sentence (it does not fit). */
int image_load(const struct image *, struct memory *, char *error, size_t size);
/* The CPU as it is before the first instruction. */
void image_start_real(const struct image *, struct memory *, struct cpu *); /* START_REAL */
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
/* The n-th folder below which built guests are looked for; false: no more. */
bool image_guest_folder(unsigned n, char *path, size_t size);

#endif
