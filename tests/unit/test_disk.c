/* Disks: files of all kinds, what a guest writes over them, and its past. calloc() and
 * pread() are ours (tests.mk), so that they fail when they shall. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/devices/disk/disk.h"
#include "vmm/devices/disk/drives.h"
#include "vmm/devices/disk/geometry.h"
#include "vmm/devices/disk/overlay.h"

/* --- faults ------------------------------------------------------------------------------- */

static long allocations_left = -1; /* -1: no bound */
static int pread_error;
void *__real_calloc(size_t, size_t);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size) {
    if (allocations_left == 0)
        return NULL;
    allocations_left -= allocations_left > 0;
    return __real_calloc(count, size);
}
ssize_t __real_pread(int fd, void *to, size_t size, off_t at);
ssize_t __wrap_pread(int fd, void *to, size_t size, off_t at);
ssize_t __wrap_pread(int fd, void *to, size_t size, off_t at) {
    if (pread_error) {
        errno = pread_error;
        return -1;
    }
    return __real_pread(fd, to, size, at);
}

/* --- a file, and who is told ---------------------------------------------------------------- */

static char path[] = "/tmp/minikvm-disk-XXXXXX", error[400], last_told[500];
static unsigned told;
static enum disk_time now;

static void tell(void *context, const char *text) {
    (void)context;
    snprintf(last_told, sizeof last_told, "%s", text);
    told++;
}

static enum disk_time time_now(void *context) { (void)context; return now; }

/* Each sector begins with its number. */
static void make_file(size_t bytes) {
    FILE *f = fopen(path, "wb");
    for (size_t i = 0; i < bytes; i++)
        fputc(i % 512 < 4 ? (int)(i / 512 >> 8 * (i % 4) & 0xff) : (int)(i * 7 & 0xff), f);
    fclose(f);
}

static struct disk *open_disk(size_t bytes, unsigned flags) {
    struct disk *d;
    make_file(bytes);
    int err = disk_open(&d, path, flags, error, sizeof error);
    CHECK(err == 0 && d);
    if (d)
        disk_connect(d, &(struct disk_host){.tell = tell, .time = time_now});
    told = 0;
    now = DISK_NO_PAST;
    return d;
}

static uint32_t number_in(const uint8_t *sector) {
    return sector[0] | sector[1] << 8 | sector[2] << 16 | (uint32_t)sector[3] << 24;
}

static uint32_t number_at(struct disk *d, uint64_t lba) {
    uint8_t sector[DISK_SECTOR] = {0};
    return disk_read(d, lba, sector, 1) ? UINT32_MAX : number_in(sector);
}

static enum disk_result put_number(struct disk *d, uint64_t lba, uint32_t number) {
    uint8_t sector[DISK_SECTOR] = {(uint8_t)number, (uint8_t)(number >> 8), (uint8_t)(number >> 16)};
    return disk_write(d, lba, sector, 1);
}

static uint32_t number_in_file(uint64_t lba) {
    uint8_t sector[DISK_SECTOR] = {0};
    FILE *f = fopen(path, "rb");
    fseek(f, (long)lba * DISK_SECTOR, SEEK_SET);
    size_t n = fread(sector, 1, sizeof sector, f);
    fclose(f);
    return n ? number_in(sector) : UINT32_MAX;
}

/* --- files ------------------------------------------------------------------------------------ */

static void test_reads(void) {
    static uint8_t bytes[40 * DISK_SECTOR];
    struct disk *d = open_disk(100 * DISK_SECTOR, 0);
    CHECK(disk_sectors(d) == 100);
    CHECK(disk_read(d, 30, bytes, 40) == DISK_DONE);
    CHECK(number_in(bytes) == 30 && number_in(bytes + 39 * DISK_SECTOR) == 69);
    CHECK(number_at(d, 99) == 99 && told == 0);
    CHECK(disk_read(d, 100, bytes, 1) == DISK_BEYOND && told == 1);
    CHECK(disk_read(d, 99, bytes, 2) == DISK_BEYOND && disk_read(d, UINT64_MAX, bytes, 2) == DISK_BEYOND);
    CHECK(told == 1 && strstr(last_told, "the disk has 100"));
    CHECK(disk_use(d).sectors_read == 41);
    disk_close(d);
}

static int open_error(const char *name, unsigned flags) {
    struct disk *d;
    int err = disk_open(&d, name, flags, error, sizeof error);
    CHECK(err == 0 || (!d && *error));
    disk_close(d);
    return err;
}

static void test_bad_files(void) {
    char fifo[sizeof path + 8];
    snprintf(fifo, sizeof fifo, "%s.fifo", path);
    make_file(0);
    CHECK(open_error(path, 0) == -EINVAL && strstr(error, "empty"));
    make_file(FLOPPY_MAX + 1);
    CHECK(open_error(path, DISK_FLOPPY) == -EINVAL && strstr(error, "use --disk"));
    CHECK(open_error(path, 0) == 0);
    pread_error = EIO;
    CHECK(open_error(path, 0) == -EIO);
    pread_error = 0;
    CHECK(open_error("/tmp", 0) == -EISDIR && open_error("/nonexistent", DISK_WRITE) == -ENOENT);
    CHECK(open_error("/dev/zero", 0) == -ENOTSUP);
    CHECK(mkfifo(fifo, 0600) == 0 && open_error(fifo, 0) == -ENOTSUP && open_error(fifo, DISK_WRITE) == -ENOTSUP);
    unlink(fifo);
    for (allocations_left = 0; allocations_left < 2; allocations_left++) {
        long bound = allocations_left;
        CHECK(open_error(path, 0) == -ENOMEM && strstr(error, "out of memory"));
        allocations_left = bound;
    }
    allocations_left = -1;
}

static void test_file_shrinks(void) {
    uint8_t bytes[3 * DISK_SECTOR];
    struct disk *d = open_disk(100 * DISK_SECTOR, 0);
    CHECK(truncate(path, 51 * DISK_SECTOR) == 0);
    CHECK(number_at(d, 50) == 50 && told == 0);
    CHECK(disk_read(d, 50, bytes, 3) == DISK_UNREADABLE && told == 1 && strstr(last_told, "shorter"));
    CHECK(disk_read(d, 99, bytes, 1) == DISK_UNREADABLE && told == 1);
    CHECK(put_number(d, 99, 5) == DISK_DONE && number_at(d, 99) == 5);
    pread_error = EIO;
    CHECK(disk_read(d, 0, bytes, 1) == DISK_UNREADABLE && told == 2 && strstr(last_told, "sector 0"));
    CHECK(number_at(d, 99) == 5 && put_number(d, 98, 4) == DISK_DONE);
    pread_error = 0;
    disk_close(d);
}

/* The end of a file that is no multiple of 512, and a floppy's. */
static void test_tails(void) {
    uint8_t bytes[DISK_SECTOR];
    struct disk *d = open_disk(DISK_SECTOR + 3, 0);
    CHECK(disk_sectors(d) == 2 && disk_read(d, 1, bytes, 1) == DISK_DONE && bytes[0] == 1 && bytes[3] == 0);
    disk_close(d);
    d = open_disk(DISK_SECTOR + 4, DISK_FLOPPY);
    CHECK(disk_sectors(d) == 2880 && disk_read(d, 1, bytes, 1) == DISK_DONE && bytes[4] == 0 && told == 0);
    CHECK(number_at(d, 2879) == 0 && told == 1 && strstr(last_told, "zeros"));
    CHECK(number_at(d, 2880) == UINT32_MAX);
    disk_close(d);
}

/* --- geometry --------------------------------------------------------------------------------- */

static bool is(struct disk_geometry g, unsigned cylinders, unsigned heads, unsigned sectors) {
    return g.cylinders == cylinders && g.heads == heads && g.sectors == sectors;
}

static void test_floppy_geometry(void) {
    uint8_t none[DISK_SECTOR] = {0}, dmf[DISK_SECTOR] = {0};
    CHECK(is(geometry_floppy(160 * 1024, none), 40, 1, 8) && is(geometry_floppy(180 * 1024, none), 40, 1, 9));
    CHECK(is(geometry_floppy(320 * 1024, none), 40, 2, 8) && is(geometry_floppy(360 * 1024, none), 40, 2, 9));
    CHECK(is(geometry_floppy(720 * 1024, none), 80, 2, 9));
    CHECK(is(geometry_floppy(1200 * 1024, none), 80, 2, 15));
    CHECK(is(geometry_floppy(1440 * 1024, none), 80, 2, 18));
    CHECK(is(geometry_floppy(2880 * 1024, none), 80, 2, 36));
    CHECK(is(geometry_floppy(1, none), 80, 2, 18) && is(geometry_floppy(1440 * 1024 + 1, none), 80, 2, 36));
    memcpy(dmf + 0x0b, "\x00\x02", 2); /* 512 */
    memcpy(dmf + 0x13, "\x20\x0d", 2); /* 3360 sectors */
    memcpy(dmf + 0x18, "\x15\x00\x02\x00", 4);
    CHECK(is(geometry_floppy(3360 * 512, dmf), 80, 2, 21) && is(geometry_floppy(512, dmf), 80, 2, 21));
    CHECK(is(geometry_floppy(720 * 1024, dmf), 80, 2, 9) && is(geometry_floppy(3361 * 512, dmf), 80, 2, 36));
    dmf[0x18] = 0;
    CHECK(is(geometry_floppy(512, dmf), 80, 2, 18));
}

static void test_disk_geometry(void) {
    uint8_t table[DISK_SECTOR] = {0};
    CHECK(is(geometry_ide(1), 1, 16, 63) && is(geometry_ide(20160), 20, 16, 63));
    CHECK(is(geometry_ide(1ull << 40), 16383, 16, 63));
    CHECK(is(geometry_bios(20160, table), 20, 16, 63) && is(geometry_bios(1024 * 16 * 63, table), 1024, 16, 63));
    CHECK(is(geometry_bios(1025 * 16 * 63, table), 512, 32, 63) && is(geometry_bios(1ull << 40, table), 1024, 255, 63));
    table[510] = 0x55, table[511] = 0xaa;
    /* one partition, to cylinder 19, head 3, sector 17: 20 * 4 * 17 sectors */
    memcpy(table + 446, "\x80\x01\x01\x00\x06\x03\x11\x13\x11\x00\x00\x00\x3f\x05\x00\x00", 16);
    CHECK(is(geometry_bios(1360, table), 20, 4, 17));
    table[446 + 12] = 0x3e; /* it ends within a track */
    CHECK(is(geometry_bios(1360, table), 1, 16, 63));
}

/* --- the overlay -------------------------------------------------------------------------------- */

enum { SECTORS = 5000, KEPT = 8, STEPS = 30000 };

struct model {
    uint32_t number[SECTORS];
    struct overlay *kept;
};

static uint32_t chance(void) {
    static uint32_t state = 12345;
    state = state * 1664525 + 1013904223;
    return state >> 8;
}

static bool is_model(struct disk *d, const struct model *m) {
    for (unsigned i = 0; i < SECTORS; i++)
        if (number_at(d, i) != m->number[i])
            return false;
    return true;
}

static void step(struct disk *d, struct model *m, struct model *kept) {
    unsigned which = chance() % KEPT, lba = chance() % 4 ? chance() % SECTORS : chance() % 40;
    switch (chance() % 64) {
    case 0:
        overlay_release(kept[which].kept);
        kept[which] = *m;
        kept[which].kept = overlay_keep(disk_overlay(d));
        break;
    case 1:
        if (kept[which].kept) {
            disk_set_overlay(d, kept[which].kept);
            memcpy(m->number, kept[which].number, sizeof m->number);
        }
        break;
    default:
        m->number[lba] = chance() & 0xffffff;
        CHECK(put_number(d, lba, m->number[lba]) == DISK_DONE);
    }
}

/* Whatever is written, kept and loaded, it reads as a plain array would. */
static void test_model(unsigned flags) {
    static struct model model, kept[KEPT];
    struct disk *d = open_disk(SECTORS * DISK_SECTOR, flags);
    now = flags & DISK_WRITE ? DISK_PRESENT : DISK_NO_PAST;
    memset(kept, 0, sizeof kept);
    for (unsigned i = 0; i < SECTORS; i++)
        model.number[i] = i;
    for (unsigned i = 0; i < STEPS; i++) {
        step(d, &model, kept);
        if (i % 5000 == 0)
            CHECK(is_model(d, &model));
    }
    CHECK(is_model(d, &model));
    for (unsigned i = 0; i < KEPT; i++) {
        if (kept[i].kept)
            disk_set_overlay(d, kept[i].kept);
        CHECK(!kept[i].kept || is_model(d, &kept[i]));
        overlay_release(kept[i].kept);
    }
    disk_reset(d);
    CHECK(disk_past_memory(d) == 0);
    disk_close(d);
}

/* Many sectors at once, over clusters' ends, and from file and memory mixed. */
static void test_long(void) {
    static uint8_t out[64 * DISK_SECTOR], in[64 * DISK_SECTOR];
    struct disk *d = open_disk(200 * DISK_SECTOR, 0);
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (uint8_t)(i * 13 + i / 512);
    CHECK(disk_write(d, 13, out, 21) == DISK_DONE && disk_write(d, 60, out, 1) == DISK_DONE);
    CHECK(disk_read(d, 3, in, 64) == DISK_DONE && !memcmp(in + 10 * DISK_SECTOR, out, 21 * DISK_SECTOR));
    CHECK(number_in(in) == 3 && number_in(in + 31 * DISK_SECTOR) == 34 && number_in(in + 63 * DISK_SECTOR) == 66);
    CHECK(!memcmp(in + 57 * DISK_SECTOR, out, DISK_SECTOR) && number_in_file(13) == 13);
    CHECK(disk_write(d, 190, out, 11) == DISK_BEYOND && number_at(d, 190) == 190);
    disk_close(d);
}

/* A write that finds no memory changes nothing, whichever allocation fails; nor what is kept. */
static void test_no_memory(void) {
    struct disk *d = open_disk(SECTORS * DISK_SECTOR, 0);
    CHECK(put_number(d, 4000, 77) == DISK_DONE);
    struct overlay *kept = overlay_keep(disk_overlay(d));
    unsigned failed = 0;
    for (long n = 0; n < 12; n++) {
        disk_set_overlay(d, kept);
        allocations_left = n;
        enum disk_result result = put_number(d, 4001, 78);
        allocations_left = -1;
        failed += result == DISK_FULL;
        CHECK(number_at(d, 4000) == 77 && number_at(d, 4001) == (result ? 4001 : 78));
        disk_set_overlay(d, kept);
        CHECK(number_at(d, 4001) == 4001);
    }
    CHECK(failed == 4 && told == 1 && strstr(last_told, "no memory"));
    overlay_release(kept);
    disk_close(d);
}

/* 256 MiB of clusters, one sector written in each. */
static void test_bound(void) {
    struct disk *d = open_disk(1, 0);
    disk_close(d);
    CHECK(truncate(path, (256 << 20) + 8192) == 0);
    CHECK(disk_open(&d, path, 0, error, sizeof error) == 0);
    disk_connect(d, &(struct disk_host){.tell = tell, .time = time_now});
    uint64_t lba = 0;
    while (lba < disk_sectors(d) && put_number(d, lba, 1) == DISK_DONE)
        lba += OVERLAY_SECTORS;
    CHECK(lba == (256 << 20) / DISK_SECTOR && told == 1 && strstr(last_told, "256 MiB"));
    CHECK(put_number(d, lba, 1) == DISK_FULL && told == 1 && number_at(d, lba) == 0);
    CHECK(put_number(d, 1, 9) == DISK_DONE && number_at(d, 1) == 9);
    disk_close(d);
}

/* --- writing through ------------------------------------------------------------------------------ */

static void test_write_through(void) {
    struct disk *d = open_disk(100 * DISK_SECTOR, DISK_WRITE);
    CHECK(put_number(d, 7, 1007) == DISK_DONE && number_in_file(7) == 1007 && number_at(d, 7) == 1007);
    CHECK(disk_use(d).overlay == 0 && disk_flush(d) == DISK_DONE);
    now = DISK_PRESENT; /* a past is kept from here */
    struct overlay *kept = overlay_keep(disk_overlay(d));
    CHECK(put_number(d, 7, 2007) == DISK_DONE && put_number(d, 8, 2008) == DISK_DONE);
    disk_set_overlay(d, kept);
    CHECK(number_at(d, 7) == 1007 && number_at(d, 8) == 8 && number_in_file(7) == 2007);
    now = DISK_PAST; /* the same again */
    CHECK(truncate(path, 0) == 0 && put_number(d, 7, 2007) == DISK_DONE && number_at(d, 7) == 2007);
    CHECK(number_in_file(7) == UINT32_MAX && number_at(d, 8) == 8);
    overlay_release(kept);
    disk_close(d);
}

/* The file was made anew in the meantime. */
static void test_reset(void) {
    struct disk *d = open_disk(100 * DISK_SECTOR, 0);
    CHECK(put_number(d, 7, 1) == DISK_DONE);
    make_file(3000 * DISK_SECTOR);
    CHECK(number_at(d, 100) == UINT32_MAX && number_at(d, 7) == 1);
    disk_reset(d);
    CHECK(disk_sectors(d) == 3000 && number_at(d, 2999) == 2999 && number_at(d, 7) == 7);
    CHECK(put_number(d, 2999, 5) == DISK_DONE && number_at(d, 2999) == 5 && number_at(d, 2998) == 2998);
    CHECK(is(disk_geometry(d), 2, 16, 63));
    CHECK(truncate(path, 0) == 0);
    disk_reset(d); /* it is there as it was, and cannot be read */
    CHECK(disk_sectors(d) == 3000 && number_at(d, 7) == UINT32_MAX && strstr(last_told, "shorter"));
    disk_close(d);
}

static void test_read_only(void) {
    struct disk *d = open_disk(100 * DISK_SECTOR, DISK_READ_ONLY);
    CHECK(put_number(d, 7, 1) == DISK_PROTECTED && told == 1 && number_at(d, 7) == 7);
    disk_close(d);
}

/* --- drives ---------------------------------------------------------------------------------------- */

static void test_drives(void) {
    struct drives drives = {0};
    unsigned number;
    struct disk *a = open_disk(512, 0), *b = open_disk(512, 0), *f = open_disk(512, DISK_FLOPPY);
    CHECK(drives_add(&drives, a) && drives_add(&drives, f) && drives_add_first(&drives, b));
    CHECK(drives.hard[0] == b && drives.hard[1] == a && drives.floppy[0] == f);
    CHECK(drives_bios(&drives, 0x81) == a && drives_bios(&drives, 0) == f && !drives_bios(&drives, 1));
    CHECK(!drives_bios(&drives, 0x84) && !drives_bios(&drives, 2) && !drives_bios(&drives, 0x7f));
    CHECK(drives_nth(&drives, 0, &number) == f && number == 0 && drives_nth(&drives, 2, &number) == a);
    CHECK(number == 0x81 && !drives_nth(&drives, 3, &number));
    char name[DRIVES_NAME];
    drives_name(&drives, 0x81, 0x81, name);
    CHECK_STR(name, "IDE 0 slave (81h)");
    CHECK(drives_take_first(&drives, DRIVE_HARD) == b && drives.hard[0] == a && !drives.hard[1]);
    disk_close(b);
    drives_close(&drives);
    CHECK(drives_count(&drives, DRIVE_FLOPPY) == 0);
}

/* What was written for a floppy or a hard disk finds it as either. */
static void test_either(void) {
    struct drives drives = {0};
    struct disk *d = open_disk(3 * DISK_SECTOR, DISK_EITHER);
    unsigned number;
    CHECK(drives_add(&drives, d) && drives.hard[0] == d);
    CHECK(drives_bios(&drives, 0) == d && drives_bios(&drives, 0x80) == d && !drives_bios(&drives, 1));
    CHECK(drives_nth(&drives, 0, &number) == d && number == 0x80 && !drives_nth(&drives, 1, &number));
    CHECK(is(disk_bios_geometry(d), 80, 2, 18) && is(disk_geometry(d), 2, 16, 63));
    CHECK(disk_sectors(d) == 2880 && number_at(d, 2) == 2 && number_at(d, 2879) == 0);
    struct disk *f = open_disk(512, DISK_FLOPPY);
    CHECK(drives_add(&drives, f) && drives_bios(&drives, 0) == f && drives_bios(&drives, 0x80) == d);
    drives_close(&drives);
}

static void test_drive_files(void) {
    struct drives drives = {0};
    struct drive_file files[3];
    make_file(512);
    FILE *f = fopen(path, "rb");
    for (unsigned i = 0; i < 3; i++)
        files[i] = (struct drive_file){path, DISK_FLOPPY, fileno(f)};
    CHECK(drives_open(&drives, files, 2, error, sizeof error) == 0 && drives_count(&drives, DRIVE_FLOPPY) == 2);
    CHECK(drives_open(&drives, files, 1, error, sizeof error) == -ENOSPC && strstr(error, "2 floppy drives"));
    drives_close(&drives);
    fclose(f);
}

int main(void) {
    close(mkstemp(path));
    test_reads();
    test_bad_files();
    test_file_shrinks();
    test_tails();
    test_floppy_geometry();
    test_disk_geometry();
    test_model(0);
    test_model(DISK_WRITE);
    test_long();
    test_no_memory();
    test_bound();
    test_write_through();
    test_reset();
    test_read_only();
    test_drives();
    test_either();
    test_drive_files();
    unlink(path);
    return unit_end();
}
