/* A CD drive on IDE, packet by packet, as a driver's port accesses see it. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/ide_ports.h"
#include "vmm/devices/disk/drives.h"

extern const struct device_class device_ide, device_disks;

/* --- a machine of IDE alone, with a CD of 1000 blocks --------------------------------------- */

enum { SECOND = 0x170, CONTROL = 0x206, BLOCKS = 1000, IRQ = 15 };
enum { ERROR = 1, FEATURE = 1, REASON, LOW, BYTES_LOW, BYTES_HIGH, DEVICE, STATUS, COMMAND = STATUS };
enum { DONE = 0x50, DRQ = 0x58, FAILED = 0x41 };
enum { FOR_COMMAND = 1, FOR_DATA = 2, AT_END = 3 };

static char path[] = "/tmp/minikvm-atapi-XXXXXX", error[400];
static struct drives drives;
static void *ide;
static uint8_t data[1 << 17];

static uint8_t status(void) { return ide_in(CONTROL); } /* which takes no interrupt */

/* Each block begins with its number, and ends in it. */
static void make_file(unsigned bytes_less) {
    FILE *f = fopen(path, "wb");
    for (uint32_t i = 0; i < BLOCKS; i++) {
        uint8_t block[DISK_CD_BLOCK] = {(uint8_t)i, (uint8_t)(i >> 8)};
        block[2046] = (uint8_t)i;
        block[2047] = (uint8_t)(i >> 8);
        fwrite(block, i == BLOCKS - 1 ? sizeof block - bytes_less : sizeof block, 1, f);
    }
    fclose(f);
}

static struct disk *open_file(unsigned flags) {
    struct disk *disk;
    CHECK(disk_open(&disk, path, flags, error, sizeof error) == 0);
    return disk;
}

static void open_ide(void) {
    new_bus();
    channel = SECOND;
    ide = device_ide.open(&(struct device_site){.bus = &bus, .board = &board, .drives = &drives});
    device_ide.reset(ide);
}

static void begin(void) {
    drives_add(&drives, open_file(DISK_CD));
    open_ide();
}

static void finish(void) {
    device_ide.close(ide);
    drives_close(&drives);
}

/* --- a driver ---------------------------------------------------------------------------------- */

static void send_packet(const uint8_t *packet) {
    for (unsigned i = 0; i < 12; i += 2) {
        uint16_t word = (uint16_t)(packet[i] | packet[i + 1] << 8);
        access_port(channel, true, 2, &word);
    }
}

/* PACKET, up to where the drive has the packet. */
static void ask(unsigned limit, const uint8_t *packet) {
    ide_out(FEATURE, 0);
    ide_out(BYTES_LOW, limit);
    ide_out(BYTES_HIGH, limit >> 8);
    ide_out(COMMAND, 0xa0);
    CHECK(status() == DRQ && ide_in(REASON) == FOR_COMMAND && !line[IRQ]);
    send_packet(packet);
}

static unsigned byte_count(void) { return ide_in(BYTES_LOW) | ide_in(BYTES_HIGH) << 8; }

/* All the data, by the Byte Count registers; their length. */
static unsigned take_data(unsigned limit) {
    unsigned got = 0;
    while (status() == DRQ) {
        unsigned n = byte_count();
        CHECK(line[IRQ] && ide_in(REASON) == FOR_DATA && n && n <= limit && ide_in(STATUS) == DRQ && !line[IRQ]);
        for (unsigned i = 0; i < n; i += 2)
            access_port(channel, false, 2, data + got + i);
        got += n;
    }
    return got;
}

static bool ended(void) {
    bool good = line[IRQ] && ide_in(REASON) == AT_END;
    return good && ide_in(STATUS) == DONE && !line[IRQ] && ide_in(ERROR) == 0;
}

/* A command's data; they must be so many. */
static bool replies(unsigned length, const uint8_t *packet) {
    memset(data, 0x77, 64);
    ask(0xfffe, packet);
    unsigned got = take_data(0xfffe);
    return ended() && got == length;
}

#define PACKET(...) ((const uint8_t[12]){__VA_ARGS__})

/* TEST UNIT READY and REQUEST SENSE, as drivers do after an error. */
static bool sense_is(unsigned key, unsigned code, unsigned qualifier) {
    return replies(18, PACKET(0x03, 0, 0, 0, 18)) && data[0] == 0x70 && data[2] == key && data[7] == 10 &&
           data[12] == code && data[13] == qualifier;
}

static bool fails(const uint8_t *packet, unsigned key, unsigned code, unsigned qualifier) {
    ask(2048, packet);
    bool failed = status() == FAILED && line[IRQ] && ide_in(REASON) == AT_END && ide_in(ERROR) == key << 4;
    return failed && ide_in(STATUS) == FAILED && sense_is(key, code, qualifier) && sense_is(0, 0, 0);
}

static bool is_block(unsigned at, unsigned number) {
    const uint8_t *b = data + (size_t)at * DISK_CD_BLOCK;
    return (b[0] | b[1] << 8) == (int)number && (b[2046] | b[2047] << 8) == (int)number;
}

/* --- finding it ------------------------------------------------------------------------------ */

static bool has_signature(void) {
    return ide_in(REASON) == 1 && ide_in(LOW) == 1 && ide_in(BYTES_LOW) == 0x14 && ide_in(BYTES_HIGH) == 0xeb;
}

static void is_found(void) {
    begin();
    CHECK(has_signature() && ide_in(ERROR) == 1 && status() == 0 && told == 0);
    ide_out(COMMAND, 0xec); /* IDENTIFY DEVICE */
    CHECK(status() == 0x51 && ide_in(ERROR) == 4 && has_signature() && line[IRQ] && ide_in(STATUS) == 0x51);
    ide_out(COMMAND, 0x20);
    CHECK(status() == 0x51 && ide_in(ERROR) == 4 && has_signature() && ide_in(STATUS));
    ide_out(CONTROL, 4);
    CHECK(status() == 0x80);
    ide_out(CONTROL, 0);
    CHECK(has_signature() && status() == 0 && ide_in(ERROR) == 1 && !line[IRQ]);
    ide_out(REASON, 0x55), ide_out(LOW, 0xaa);
    CHECK(ide_in(REASON) == 0x55 && ide_in(LOW) == 0xaa);
    ide_out(COMMAND, 0x08);
    CHECK(has_signature() && status() == 0 && !line[IRQ]);
    ide_out(COMMAND, 0x90);
    CHECK(has_signature() && ide_in(ERROR) == 1 && line[IRQ] && ide_in(STATUS) == 0);
    ide_out(COMMAND, 0xca); /* a disk's WRITE DMA */
    CHECK(ide_in(STATUS) == 0x51 && ide_in(ERROR) == 4 && told == 1);
    ide_out(DEVICE, 0xb0);
    CHECK(status() == 0 && ide_in(BYTES_LOW) == 0);
    finish();
}

static unsigned identify_word(unsigned n) { return data[2 * n] | data[2 * n + 1] << 8; }

static void is_identified(void) {
    begin();
    ide_out(COMMAND, 0xa1);
    CHECK(status() == DRQ && line[IRQ]);
    for (unsigned i = 0; i < 512; i += 2)
        access_port(channel, false, 2, data + i);
    CHECK(ide_in(STATUS) == DONE && identify_word(0) == 0x85c0);
    CHECK(!(identify_word(49) & 0x100) && identify_word(49) & 0x200 && identify_word(63) == 0); /* no DMA */
    CHECK(identify_word(82) & 0x10 && identify_word(83) >> 14 == 1 && !memcmp(data + 54, "IMINVK MDCR-MO", 14));
    uint8_t sum = 0;
    for (unsigned i = 0; i < 512; i++)
        sum += data[i];
    CHECK(sum == 0);
    finish();
}

/* A CD has a place that no hard disk has. */
static void has_its_place(void) {
    char name[DRIVES_NAME];
    struct disk *cd = open_file(DISK_CD);
    for (unsigned n = 0; n < 3; n++) /* a third disk takes the second channel's master */
        CHECK(drives_add(&drives, open_file(0)));
    CHECK(drives_add(&drives, cd) && drives_ide(&drives, 3) == cd && drives_bios(&drives, 0xe0) == cd);
    drives_name(&drives, 0xe0, 0xe0, name);
    CHECK_STR(name, "IDE 1 slave (E0h)");
    struct disk *more = open_file(DISK_CD);
    CHECK(!drives_add(&drives, more) && !drives_have_room(&drives, DRIVE_HARD, NULL));
    CHECK(drives_have_room(&drives, DRIVE_HARD, cd) && drives_have_room(&drives, DRIVE_FLOPPY, NULL));
    disk_close(drives_take_first(&drives, DRIVE_HARD));
    CHECK(drives_add(&drives, more) && drives_ide(&drives, 2) == cd && drives_ide(&drives, 3) == more);
    CHECK(drives_bios(&drives, 0xe1) == more && !drives_bios(&drives, 0xe2));
    drives_close(&drives);
}

/* --- packets ------------------------------------------------------------------------------------ */

static void says_who_it_is(void) {
    begin();
    CHECK(replies(36, PACKET(0x12, 0, 0, 0, 36)) && data[0] == 5 && data[1] == 0x80 && data[4] == 31);
    CHECK(!memcmp(data + 8, "MINIKVM CD-ROM          1.0 ", 28));
    CHECK(replies(5, PACKET(0x12, 0, 0, 0, 5)) && data[4] == 31); /* an odd length */
    CHECK(replies(0, PACKET(0x12)));
    CHECK(fails(PACKET(0x12, 1, 0x80, 0, 36), 5, 0x24, 0));
    CHECK(replies(0, PACKET(0x00)) && sense_is(0, 0, 0));
    CHECK(fails(PACKET(0xff), 5, 0x20, 0) && told == 1 && strstr(last_told, "packet 0xff"));
    CHECK(fails(PACKET(0x2a), 5, 0x20, 0) && fails(PACKET(0x2a), 5, 0x20, 0) && told == 2);
    finish();
}

static void reads(void) {
    begin();
    CHECK(replies(8, PACKET(0x25)) && data[2] == (BLOCKS - 1) >> 8 && data[3] == ((BLOCKS - 1) & 0xff) && data[6] == 8);
    CHECK(replies(2048, PACKET(0x28, 0, 0, 0, 0, 17, 0, 0, 1)) && is_block(0, 17));
    CHECK(replies(3 * 2048, PACKET(0x28, 0, 0, 0, 3, 0xe5, 0, 0, 3)) && is_block(2, 999));
    CHECK(replies(40 * 2048, PACKET(0xa8, 0, 0, 0, 1, 0, 0, 0, 0, 40)) && is_block(0, 256) && is_block(39, 295));
    CHECK(replies(2 * 2048, PACKET(0xbe, 0, 0, 0, 0, 5, 0, 0, 2, 0x10)) && is_block(1, 6));
    CHECK(replies(0, PACKET(0x28)) && replies(0, PACKET(0x28, 0, 0, 0, 3, 0xe8))); /* nothing, at the end */
    CHECK(fails(PACKET(0x28, 0, 0, 0, 3, 0xe8, 0, 0, 1), 5, 0x21, 0));
    CHECK(fails(PACKET(0x28, 0, 0, 0, 3, 0xe7, 0, 0, 2), 5, 0x21, 0));
    CHECK(fails(PACKET(0xa8, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), 5, 0x21, 0));
    CHECK(fails(PACKET(0xbe, 0, 0, 0, 0, 5, 0, 0, 2, 0xf8), 5, 0x24, 0));
    CHECK(replies(0, PACKET(0x2b, 0, 0, 0, 3, 0xe7)) && fails(PACKET(0x2b, 0, 0, 0, 3, 0xe8), 5, 0x21, 0));
    CHECK(told == 0);
    finish();
}

/* A DRQ is as long as the limit allows, with one interrupt each. */
static void limits_hold(void) {
    begin();
    ask(2048, PACKET(0x28, 0, 0, 0, 0, 10, 0, 0, 3));
    CHECK(byte_count() == 2048 && take_data(2048) == 3 * 2048 && all_edges() == 4 && ended() && is_block(2, 12));
    forget_edges();
    ask(1001, PACKET(0x28, 0, 0, 0, 0, 10, 0, 0, 2)); /* odd: one less */
    CHECK(byte_count() == 1000 && take_data(1000) == 2 * 2048 && ended() && all_edges() == 6 && is_block(1, 11));
    forget_edges();
    ask(0xffff, PACKET(0x28, 0, 0, 0, 0, 0, 0, 0, 40));
    CHECK(byte_count() == 0xfffe && take_data(0xfffe) == 40 * 2048 && ended() && all_edges() == 3);
    CHECK(is_block(31, 31) && is_block(32, 32) && is_block(39, 39));
    ask(0, PACKET(0x00)); /* no data, no limit */
    CHECK(ended());
    ask(0, PACKET(0x25));
    CHECK(status() == 0x51 && ide_in(ERROR) == 4 && ide_in(STATUS));
    ask(4, PACKET(0x12, 0, 0, 0, 7));
    CHECK(take_data(4) == 7 && ended());
    finish();
}

static void data_are_dwords(void) {
    begin();
    ask(2048, PACKET(0x28, 0, 0, 0, 1, 2, 0, 0, 1));
    for (unsigned i = 0; i < 2048; i += 4)
        access_port(channel, false, 4, data + i);
    CHECK(ended() && is_block(0, 0x102));
    finish();
}

static void no_dma(void) {
    begin();
    ide_out(FEATURE, 1);
    ide_out(COMMAND, 0xa0);
    CHECK(ide_in(STATUS) == 0x51 && ide_in(ERROR) == 4 && told == 1 && strstr(last_told, "DMA"));
    ide_out(FEATURE, 3), ide_out(REASON, 0x22); /* SET FEATURES: DMA, too */
    ide_out(COMMAND, 0xef);
    CHECK(ide_in(STATUS) == 0x51 && ide_in(ERROR) == 4 && told == 1);
    finish();
}

/* What is left by a command that another one follows is forgotten. */
static void next_command_wins(void) {
    begin();
    ask(2048, PACKET(0x28, 0, 0, 0, 0, 10, 0, 0, 3));
    access_port(channel, false, 2, data);
    ide_out(COMMAND, 0xa1);
    CHECK(status() == DRQ && told == 1);
    for (unsigned i = 0; i < 512; i += 2)
        access_port(channel, false, 2, data + i);
    CHECK(status() == DONE && identify_word(0) == 0x85c0);
    ask(2048, PACKET(0x28, 0, 0, 0, 0, 10, 0, 0, 3));
    ide_out(COMMAND, 0x08);
    access_port(channel, false, 2, data);
    CHECK(has_signature() && data[0] == 0 && status() == 0);
    finish();
}

/* --- what it tells of the disc ---------------------------------------------------------------- */

static void lists_its_track(void) {
    begin();
    static const uint8_t tracks[20] = {0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x14, 0xaa, 0, 0, 0, 3, 0xe8};
    CHECK(replies(20, PACKET(0x43, 0, 0, 0, 0, 0, 0, 0, 100)) && !memcmp(data, tracks, sizeof tracks));
    CHECK(replies(20, PACKET(0x43, 2, 0, 0, 0, 0, 0, 0, 100)) && data[10] == 2 && data[17] == 0 && data[18] == 15 &&
          data[19] == 25); /* 1150 frames */
    CHECK(replies(12, PACKET(0x43, 0, 0, 0, 0, 0, 0xaa, 0, 100)) && data[1] == 10 && data[6] == 0xaa);
    CHECK(replies(4, PACKET(0x43, 0, 0, 0, 0, 0, 0, 0, 4)) && data[1] == 18);
    CHECK(fails(PACKET(0x43, 0, 0, 0, 0, 0, 2, 0, 100), 5, 0x24, 0));
    static const uint8_t sessions[12] = {0, 10, 1, 1, 0, 0x14, 1};
    CHECK(replies(12, PACKET(0x43, 0, 1, 0, 0, 0, 0, 0, 12)) && !memcmp(data, sessions, sizeof sessions));
    CHECK(replies(12, PACKET(0x43, 0, 0, 0, 0, 0, 0, 0, 12, 0x40)) && !memcmp(data, sessions, sizeof sessions));
    CHECK(replies(48, PACKET(0x43, 0, 2, 0, 0, 0, 0, 0, 100)) && data[1] == 46 && data[7] == 0xa0 && data[12] == 1);
    CHECK(data[29] == 0xa2 && data[35] == 15 && data[36] == 25 && data[40] == 1 && data[46] == 2);
    CHECK(fails(PACKET(0x43, 0, 5, 0, 0, 0, 0, 0, 100), 5, 0x24, 0));
    CHECK(replies(34, PACKET(0x51, 0, 0, 0, 0, 0, 0, 0, 34)) && data[1] == 32 && data[2] == 0x0e && data[4] == 1);
    finish();
}

static void tells_what_it_can(void) {
    begin();
    CHECK(replies(28, PACKET(0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 100)) && data[1] == 26 && data[8] == 0x2a && data[9] == 18);
    CHECK(replies(36, PACKET(0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 100)) && data[8] == 1 && data[16] == 0x2a);
    CHECK(fails(PACKET(0x5a, 0, 0xea, 0, 0, 0, 0, 0, 100), 5, 0x39, 0));
    CHECK(fails(PACKET(0x5a, 0, 0x05, 0, 0, 0, 0, 0, 100), 5, 0x24, 0));
    CHECK(replies(8, PACKET(0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8)) && data[1] == 0);
    CHECK(replies(8, PACKET(0x46, 0, 0, 0, 0, 0, 0, 0, 8)) && data[3] == 56 && data[7] == 8);
    CHECK(replies(60, PACKET(0x46, 0, 0, 0, 0, 0, 0, 1, 0)) && data[11] == 8 && data[17] == 8 && data[18] == 1);
    CHECK(replies(8 + 8, PACKET(0x46, 2, 0, 3, 0, 0, 0, 1, 0)) && data[9] == 3 && data[12] == 0x29);
    CHECK(replies(8, PACKET(0x46, 2, 0x12, 3, 0, 0, 0, 1, 0)) && data[3] == 4);
    CHECK(replies(8, PACKET(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 100)) && data[1] == 6 && data[2] == 4 && data[5] == 2);
    CHECK(replies(4, PACKET(0x4a, 1, 0, 0, 0x02, 0, 0, 0, 100)) && data[2] == 0x80 && data[3] == 0x10);
    CHECK(fails(PACKET(0x4a, 0, 0, 0, 0x10, 0, 0, 0, 100), 5, 0x24, 0));
    CHECK(replies(0, PACKET(0xbb, 0, 0xff, 0xff)));
    finish();
}

/* --- the tray --------------------------------------------------------------------------------------- */

static void ejects(void) {
    begin();
    CHECK(replies(0, PACKET(0x1e, 0, 0, 0, 1)) && fails(PACKET(0x1b, 0, 0, 0, 2), 5, 0x53, 2));
    CHECK(replies(0, PACKET(0x1e)) && replies(0, PACKET(0x1b, 0, 0, 0, 2)) && disk_tray(drives.cd[0]).open);
    CHECK(fails(PACKET(0x00), 2, 0x3a, 0) && fails(PACKET(0x28, 0, 0, 0, 0, 0, 0, 0, 1), 2, 0x3a, 0));
    CHECK(replies(8, PACKET(0x46, 0, 0, 0, 0, 0, 0, 0, 8)) && data[7] == 0);
    CHECK(replies(8, PACKET(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8)) && data[5] == 1);
    CHECK(replies(36, PACKET(0x12, 0, 0, 0, 36)));
    CHECK(replies(0, PACKET(0x1b, 0, 0, 0, 3)) && !disk_tray(drives.cd[0]).open);
    CHECK(replies(8, PACKET(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8)) && data[4] == 2 && data[5] == 2);
    CHECK(fails(PACKET(0x00), 6, 0x28, 0) && replies(0, PACKET(0x00))); /* another medium, perhaps: told once */
    CHECK(replies(0, PACKET(0x1b, 0, 0, 0, 2)) && replies(0, PACKET(0x1b, 0, 0, 0, 3)));
    CHECK(sense_is(6, 0x28, 0) && replies(0, PACKET(0x00)));
    CHECK(replies(0, PACKET(0x1b, 0, 0, 0, 1)) && replies(0, PACKET(0x1b, 0, 0, 0, 0)) && replies(0, PACKET(0x00)));
    finish();
}

/* A snapshot in the middle of a transfer, with the tray as it was. */
static void goes_on_as_saved(void) {
    struct device_state state = {0};
    begin();
    ask(3000, PACKET(0x28, 0, 0, 0, 0, 20, 0, 0, 3));
    for (unsigned i = 0; i < 2500; i += 2)
        access_port(channel, false, 2, data + i);
    device_ide.save(ide, &state);
    device_disks.save(&drives, &state);
    ide_out(COMMAND, 0x08);
    CHECK(replies(0, PACKET(0x1b, 0, 0, 0, 2)));
    state.end = state.length;
    device_ide.load(ide, &state);
    device_disks.load(&drives, &state);
    CHECK(!disk_tray(drives.cd[0]).open && status() == DRQ);
    for (unsigned i = 2500; i < 3000; i += 2)
        access_port(channel, false, 2, data + i);
    CHECK(byte_count() == 3000 && data[2046] == 20);
    for (unsigned i = 3000; i < 6144; i += 2)
        access_port(channel, false, 2, data + i);
    CHECK(status() == DONE && is_block(1, 21) && is_block(2, 22));
    device_state_free(&state);
    finish();
}

/* --- files --------------------------------------------------------------------------------------------- */

static void odd_files(void) {
    make_file(2000); /* the last block is not whole */
    begin();
    CHECK(replies(8, PACKET(0x25)) && data[3] == ((BLOCKS - 1) & 0xff));
    CHECK(replies(2048, PACKET(0x28, 0, 0, 0, 3, 0xe7, 0, 0, 1)) && data[0] == 0xe7 && data[2046] == 0 && told == 0);
    CHECK(!truncate(path, 500 * DISK_CD_BLOCK));
    ask(2048, PACKET(0x28, 0, 0, 0, 1, 0xf3, 0, 0, 2)); /* 499 is there, 500 no more */
    for (unsigned i = 0; i < 2048; i += 2)
        access_port(channel, false, 2, data + i);
    CHECK(is_block(0, 499) && status() == FAILED && ide_in(ERROR) == 0x30 && line[IRQ] && ide_in(STATUS) == FAILED);
    CHECK(sense_is(3, 0x11, 0));
    uint8_t sector[DISK_SECTOR] = {0};
    CHECK(disk_write(drives.cd[0], 0, sector, 1) == DISK_PROTECTED);
    finish();
    CHECK(!truncate(path, 0));
    struct disk *disk;
    CHECK(disk_open(&disk, path, DISK_CD, error, sizeof error) < 0 && strstr(error, "empty"));
}

int main(void) {
    int fd = mkstemp(path);
    close(fd);
    make_file(0);
    is_found();
    is_identified();
    has_its_place();
    says_who_it_is();
    reads();
    limits_hold();
    data_are_dwords();
    no_dma();
    next_command_wins();
    lists_its_track();
    tells_what_it_can();
    ejects();
    goes_on_as_saved();
    odd_files();
    unlink(path);
    return unit_end();
}
