/* The kinds of image: how each is recognised, by content and size, and how it starts.
 *
 * Rule: the first row that fits decides. What is known but cannot be booted is named, and told
 * what to do with it; nothing of the kind is run as if it were code.
 */
#ifndef MINIKVM_KINDS_H
#define MINIKVM_KINDS_H

#include "vmm/board/boot/image.h"

/* As much of a file as the rows look at. */
struct image_probe {
    const uint8_t *head; /* its first bytes, PROBE_HEAD at most */
    size_t head_size;
    const uint8_t *tail; /* its last sector, or NULL */
    uint64_t size;
};
enum { PROBE_HEAD = 40 << 10, PROBE_TAIL = 512 };

struct image_kind {
    const char *name, *known_by;
    bool (*is)(const struct image_probe *); /* NULL: the magic alone decides */
    const char *starts; /* how; of one that does not, what to do instead */
    enum start_mode mode; /* START_AUTO: it does not start */
    enum boot_drive drive; /* BOOT_AUTO: it is no disk */
    unsigned magic_at;
    const char *magic; /* bytes that are there; NULL: none in particular */
    unsigned magic_size;
};

const struct image_kind *kinds_find(const struct image_probe *);
/* What any file is when the user says so: on a drive, …*/
const struct image_kind *kinds_of_drive(enum boot_drive);
/* …or without one of those: a flat image. */
const struct image_kind *kinds_flat(void);
/* The nth row; NULL: no more. */
const struct image_kind *kinds_nth(unsigned n);

/* Used partitions of a table that makes sense for a disk of so many bytes; 0: there is none. */
unsigned kinds_partitions(const uint8_t *head, size_t head_size, uint64_t disk);

#endif
