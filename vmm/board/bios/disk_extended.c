/* INT 13h, AH=41h to 48h: hard disks and CDs by the number of a block (Phoenix, Enhanced Disk Drive
 * Specification 3.0), which has 512 bytes, of CDs 2048. Diskettes have none of this. */
#include "vmm/board/bios/disk.h"

#include <stddef.h>

static struct bios_drive drive_with_blocks(struct call *c) {
    return disk_is_hard(c->dl) ? drive_of(c) : (struct bios_drive){.block = 1};
}

/* Version 3.0; packets, locking, EDD. */
void disk_has_extensions(struct call *c) {
    if (c->bx != 0x55aa || !drive_with_blocks(c).disk) {
        disk_answer(c, DISK_BAD_CALL);
        return;
    }
    disk_answer(c, DISK_OK);
    c->ax = 0x3000;
    c->bx = 0xaa55;
    c->cx = 7;
}

/* --- the packet at DS:SI ------------------------------------------------------------------------ */

struct packet {
    uint8_t size, zero;
    uint16_t count;
    uint16_t offset, segment;
    uint64_t lba;
    uint64_t flat; /* in place of FFFF:FFFF, when the size has it */
};
_Static_assert(sizeof(struct packet) == 24, "as the specification has it");

enum { SHORT = 16 };

static struct packet packet_of(struct call *c) {
    struct packet p;
    far_read(c, c->ds, c->si, &p, sizeof p);
    return p;
}

static uint8_t plan_by_number(struct call *c, const struct packet *p, enum disk_do kind, struct disk_transfer *t) {
    struct bios_drive d = drive_with_blocks(c);
    if (!d.disk || p->size < SHORT)
        return DISK_BAD_CALL;
    bool flat = p->size >= sizeof *p && p->offset == 0xffff && p->segment == 0xffff;
    uint64_t blocks = d.sectors / d.block;
    if (flat && p->flat >= 1ull << 32)
        return DISK_BAD_CALL;
    if (p->lba >= blocks || p->count > blocks - p->lba)
        return DISK_NOT_FOUND;
    *t = (struct disk_transfer){d.disk, kind, d.first + p->lba * d.block, p->count * d.block,
                                flat ? (uint32_t)p->flat : p->segment * 16u + p->offset};
    return DISK_OK;
}

/* The packet's count becomes how many were done. */
static void transfer_by_number(struct call *c, enum disk_do kind) {
    struct packet p = packet_of(c);
    struct disk_transfer t;
    unsigned done = 0;
    uint8_t status = plan_by_number(c, &p, kind, &t);
    if (status == DISK_OK)
        status = disk_transfer(c, &t, &done);
    p.count = (uint16_t)(done / drive_of(c).block);
    if (status != DISK_BAD_CALL)
        far_write(c, c->ds, (uint16_t)(c->si + offsetof(struct packet, count)), &p.count, sizeof p.count);
    disk_answer(c, status);
}

void disk_extended_read(struct call *c) { transfer_by_number(c, DISK_DO_READ); }
void disk_extended_write(struct call *c) { transfer_by_number(c, DISK_DO_WRITE); }
void disk_extended_verify(struct call *c) { transfer_by_number(c, DISK_DO_VERIFY); }

void disk_extended_seek(struct call *c) {
    struct packet p = packet_of(c);
    struct disk_transfer t;
    disk_answer(c, plan_by_number(c, &p, DISK_DO_VERIFY, &t));
}

void disk_ask_packet(struct call *c, struct words *w) {
    struct packet p = packet_of(c);
    struct disk_transfer t;
    uint8_t status = plan_by_number(c, &p, DISK_DO_READ, &t);
    words_add(w, "%u from %s %llu of drive %02xh, ", p.count,
              drive_of(c).block == 1 ? "sector" : "2048-byte block", (unsigned long long)p.lba, c->dl);
    if (status == DISK_OK)
        words_add(w, "memory at %08x; ", t.address);
    if (status == DISK_OK)
        words_add(w, "the disk has them");
    else
        words_add(w, "it will fail: %s", disk_status_text(status));
}

/* --- AH=48h: to the buffer at DS:SI, as long as that says --------------------------------------------- */

struct parameters {
    uint16_t size, flags;
    uint32_t cylinders, heads, sectors;
    uint64_t total;
    uint16_t sector_size;
    uint32_t more; /* FFFF:FFFF: there are no further ones */
} __attribute__((packed));
_Static_assert(sizeof(struct parameters) == 30, "as the specification has it");

void disk_extended_parameters(struct call *c) {
    enum { WITHOUT_MORE = 26, GEOMETRY_VALID = 2, REMOVABLE = 4, CHANGE_LINE = 0x10, LOCKABLE = 0x20 };
    struct bios_drive d = drive_with_blocks(c);
    uint16_t size;
    far_read(c, c->ds, c->si, &size, sizeof size);
    if (!d.disk || size < WITHOUT_MORE) {
        disk_answer(c, DISK_BAD_CALL);
        return;
    }
    bool cd = d.kind == DRIVE_CD;
    struct disk_geometry g = cd || d.emulated ? d.geometry : disk_geometry(d.disk);
    size = size < sizeof(struct parameters) ? WITHOUT_MORE : sizeof(struct parameters);
    struct parameters p = {size, cd ? REMOVABLE | CHANGE_LINE | LOCKABLE : GEOMETRY_VALID, g.cylinders, g.heads,
                           g.sectors, d.sectors / d.block, (uint16_t)(d.block * DISK_SECTOR), 0xffffffff};
    far_write(c, c->ds, c->si, &p, size);
    disk_answer(c, DISK_OK);
}
