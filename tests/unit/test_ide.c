/* The IDE controller, command by command, as a driver's port accesses see it. */
#include "tests/unit/unit.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/ide_ports.h"
#include "vmm/devices/disk/disk.h"
#include "vmm/devices/disk/drives.h"

extern const struct device_class device_ide;

/* --- a machine of IDE alone ------------------------------------------------------------------ */

enum { FIRST = 0x1f0, SECOND = 0x170, CONTROL = 0x206, SECTORS = 40000 };
enum { ERROR = 1, FEATURE = 1, COUNT, LOW, MID, HIGH, DEVICE, STATUS, COMMAND = STATUS };
enum { READY = 0x50, DRQ = 0x58, BAD = 0x51, ABORTED = 0x04, NOT_FOUND = 0x10, UNREADABLE = 0x40 };

static char path[] = "/tmp/minikvm-ide-XXXXXX", error[400];
static struct drives drives;
static void *ide;

static uint16_t data_in(void) {
    uint16_t word = 0x5a5a;
    access_port(channel, false, 2, &word);
    return word;
}

static void data_out(uint16_t word) { access_port(channel, true, 2, &word); }

/* Each sector begins with its number. */
static void make_file(void) {
    FILE *f = fopen(path, "wb");
    for (uint32_t i = 0; i < SECTORS; i++) {
        uint8_t sector[DISK_SECTOR] = {(uint8_t)i, (uint8_t)(i >> 8), (uint8_t)(i >> 16), 0, 0xab};
        sector[510] = (uint8_t)i;
        sector[511] = 0xcd;
        fwrite(sector, sizeof sector, 1, f);
    }
    fclose(f);
}

static void add_drive(unsigned place, unsigned flags) {
    CHECK(disk_open(&drives.hard[place], path, flags, error, sizeof error) == 0);
}

static void open_ide(void) {
    new_bus();
    channel = FIRST;
    struct device_site site = {.bus = &bus, .board = &board, .drives = &drives};
    ide = device_ide.open(&site);
    CHECK_STR(bus.error, "");
    device_ide.reset(ide);
}

/* With a master on the first channel. */
static void begin(void) {
    add_drive(0, 0);
    open_ide();
}

static void finish(void) {
    device_ide.close(ide);
    for (unsigned i = 0; i < DRIVES_HARD; i++)
        disk_close(drives.hard[i]);
    drives = (struct drives){0};
}

/* --- a driver ------------------------------------------------------------------------------------ */

static void address28(uint32_t lba, unsigned count) {
    ide_out(COUNT, count);
    ide_out(LOW, lba);
    ide_out(MID, lba >> 8);
    ide_out(HIGH, lba >> 16);
    ide_out(DEVICE, 0xe0 | lba >> 24);
}

static void address48(uint64_t lba, unsigned count) {
    ide_out(COUNT, count >> 8);
    ide_out(LOW, (unsigned)(lba >> 24));
    ide_out(MID, (unsigned)(lba >> 32));
    ide_out(HIGH, (unsigned)(lba >> 40));
    ide_out(COUNT, count);
    ide_out(LOW, (unsigned)lba);
    ide_out(MID, (unsigned)(lba >> 8));
    ide_out(HIGH, (unsigned)(lba >> 16));
    ide_out(DEVICE, 0x40);
}

static void address_chs(unsigned cylinder, unsigned head, unsigned sector, unsigned count) {
    ide_out(COUNT, count);
    ide_out(LOW, sector);
    ide_out(MID, cylinder);
    ide_out(HIGH, cylinder >> 8);
    ide_out(DEVICE, 0xa0 | head);
}

/* The number in the sector that comes; all its words are taken. */
static uint32_t sector_in(void) {
    uint32_t number = data_in();
    number |= (uint32_t)data_in() << 16;
    CHECK(data_in() == 0xab);
    for (unsigned i = 3; i < 255; i++)
        data_in();
    CHECK(data_in() == (0xcd00 | (number & 0xff)));
    return number;
}

static void sector_out(uint32_t number) {
    data_out((uint16_t)number);
    data_out((uint16_t)(number >> 16));
    data_out(0xab);
    for (unsigned i = 3; i < 255; i++)
        data_out(0);
    data_out((uint16_t)(0xcd00 | (number & 0xff)));
}

static uint32_t number_on(unsigned place, uint64_t lba) {
    uint8_t sector[DISK_SECTOR];
    CHECK(disk_read(drives.hard[place], lba, sector, 1) == DISK_DONE);
    return sector[0] | sector[1] << 8 | (uint32_t)sector[2] << 16;
}

static uint8_t command(unsigned code) {
    ide_out(COMMAND, code);
    return ide_in(CONTROL); /* the alternate status, which takes no interrupt */
}

static bool fails(unsigned code, uint8_t with) {
    return command(code) == BAD && ide_in(ERROR) == with && line[14] && ide_in(STATUS) == BAD && !line[14];
}

static bool succeeds(unsigned code) {
    return command(code) == READY && line[14] && ide_in(STATUS) == READY && !line[14] && ide_in(ERROR) == 0;
}

/* --- registers -------------------------------------------------------------------------------------- */

static bool has_signature(void) {
    return ide_in(COUNT) == 1 && ide_in(LOW) == 1 && ide_in(MID) == 0 && ide_in(HIGH) == 0 && ide_in(ERROR) == 1 && ide_in(STATUS) == READY;
}

static void registers_hold(void) {
    begin();
    CHECK(has_signature());
    ide_out(COUNT, 0x55), ide_out(LOW, 0xaa);
    CHECK(ide_in(COUNT) == 0x55 && ide_in(LOW) == 0xaa);
    ide_out(COUNT, 0xaa), ide_out(LOW, 0x55);
    CHECK(ide_in(COUNT) == 0xaa && ide_in(LOW) == 0x55);
    ide_out(CONTROL, 0x80); /* HOB: what was there before */
    CHECK(ide_in(COUNT) == 0x55 && ide_in(LOW) == 0xaa);
    ide_out(MID, 7); /* any register written ends that */
    CHECK(ide_in(COUNT) == 0xaa && ide_in(MID) == 7);
    ide_out(DEVICE, 0x4f);
    CHECK(ide_in(DEVICE) == 0xef);
    uint16_t wide = 0x1234; /* to 1F3h and 1F4h */
    access_port(channel + LOW, true, 2, &wide);
    CHECK(ide_in(LOW) == 0x34 && ide_in(MID) == 0x12);
    access_port(channel + COUNT, false, 2, &wide);
    CHECK(wide == 0x34aa);
    finish();
}

/* The steps of osdev's and Pintos's drivers. */
static void resets(void) {
    begin();
    address28(5, 2);
    CHECK(command(0x20) == DRQ && line[14]);
    ide_out(CONTROL, 0x04);
    CHECK(ide_in(CONTROL) == 0x80 && !line[14] && ide_in(STATUS) == 0x80);
    ide_out(COUNT, 9); /* the drives are busy */
    CHECK(command(0x20) == 0x80);
    ide_out(CONTROL, 0x00);
    CHECK(has_signature() && data_in() == 0);
    CHECK(ide_in(DEVICE) == 0xa0 && edges[14] == 1);
    finish();
}

static void drives_are_found(void) {
    add_drive(0, 0);
    add_drive(2, 0);
    add_drive(3, 0);
    open_ide();
    CHECK(ide_in(STATUS) == READY);
    ide_out(DEVICE, 0xb0); /* no slave */
    CHECK(ide_in(STATUS) == 0 && ide_in(CONTROL) == 0);
    ide_out(COUNT, 0x55), ide_out(LOW, 0xaa);
    CHECK(ide_in(COUNT) == 0 && ide_in(LOW) == 0);
    CHECK(command(0xec) == 0 && !line[14] && data_in() == 0);
    ide_out(DEVICE, 0xa0);
    CHECK(ide_in(STATUS) == READY && ide_in(COUNT) == 0x55); /* it heard that, too */
    channel = SECOND;
    ide_out(DEVICE, 0xb0);
    CHECK(ide_in(STATUS) == READY && command(0xec) == DRQ && line[15] && !line[14]);
    ide_out(DEVICE, 0xa0); /* the line is the selected drive's */
    CHECK(!line[15] && ide_in(STATUS) == READY);
    ide_out(DEVICE, 0xb0);
    CHECK(line[15] && ide_in(STATUS) == DRQ && !line[15]);
    finish();
}

static void nobody_there(void) {
    open_ide();
    CHECK(ide_in(STATUS) == 0 && ide_in(CONTROL) == 0 && ide_in(ERROR) == 0 && ide_in(DEVICE) == 0);
    CHECK(command(0xec) == 0 && command(0x90) == 0 && !line[14] && told == 0);
    for (unsigned i = 0; i < 30000; i++)
        CHECK(ide_in(STATUS) == 0);
    CHECK(told == 1 && strstr(last_told, "IDE 0 master: ") && strstr(last_told, "--disk"));
    finish();
}

static void interrupts_are_masked(void) {
    begin();
    ide_out(CONTROL, 0x02);
    CHECK(command(0xe7) == READY && edges[14] == 0);
    ide_out(CONTROL, 0x00); /* it is still wanted */
    CHECK(line[14] && ide_in(CONTROL) == READY && line[14] && ide_in(STATUS) == READY && !line[14]);
    CHECK(command(0xe7) == READY && line[14]);
    ide_out(COMMAND, 0xe7); /* a command takes the last one's */
    CHECK(line[14] && edges[14] == 2);
    finish();
}

/* --- data ---------------------------------------------------------------------------------------------- */

static void reads(void) {
    begin();
    address28(20001, 3);
    CHECK(command(0x20) == DRQ && line[14] && edges[14] == 1);
    for (unsigned i = 0; i < 3; i++) {
        CHECK(ide_in(STATUS) == DRQ && !line[14]);
        CHECK(sector_in() == 20001 + i);
        CHECK(line[14] == (i < 2)); /* none after the last */
    }
    CHECK(ide_in(STATUS) == READY && edges[14] == 3 && ide_in(ERROR) == 0 && ide_in(COUNT) == 0);
    CHECK(ide_in(LOW) == (20003 & 0xff) && ide_in(MID) == 20003 >> 8 && data_in() == 0);
    address48(39999, 1);
    CHECK(command(0x24) == DRQ && sector_in() == 39999 && ide_in(STATUS) == READY);
    address_chs(3, 5, 7, 1);
    CHECK(command(0x21) == DRQ && sector_in() == (3 * 16 + 5) * 63 + 6);
    CHECK(ide_in(MID) == 3 && ide_in(HIGH) == 0 && ide_in(LOW) == 7);
    address28(0, 0); /* 256 */
    CHECK(command(0x20) == DRQ);
    for (unsigned i = 0; i < 256; i++)
        CHECK(ide_in(STATUS) == DRQ && sector_in() == i);
    CHECK(ide_in(STATUS) == READY);
    finish();
}

static void wide_data(void) {
    uint32_t dword = 0;
    uint8_t byte = 0;
    begin();
    address28(7, 2);
    command(0x20);
    data_in(); /* so that a dword lies over two sectors */
    for (unsigned i = 0; i < 127; i++)
        access_port(channel, false, 4, &dword);
    access_port(channel, false, 4, &dword);
    CHECK(dword == (8u << 16 | 0xcd07));
    for (unsigned i = 0; i < 127; i++)
        access_port(channel, false, 4, &dword);
    CHECK(ide_in(STATUS) == DRQ && data_in() == 0xcd08 && ide_in(STATUS) == READY && told == 0);
    address28(7, 1);
    command(0x20);
    access_port(channel, false, 1, &byte);
    CHECK(byte == 7 && told == 1 && strstr(last_told, "by a byte"));
    CHECK(data_in() == 0);
    address28(9, 1);
    command(0x30);
    dword = 0x12340009;
    for (unsigned i = 0; i < 128; i++)
        access_port(channel, true, 4, &dword);
    CHECK(ide_in(STATUS) == READY && number_on(0, 9) == 0x340009);
    finish();
}

static void writes(void) {
    begin();
    address28(100, 2);
    CHECK(command(0x30) == DRQ && !line[14]); /* the first block comes without one */
    sector_out(1100);
    CHECK(line[14] && ide_in(STATUS) == DRQ && number_on(0, 100) == 1100 && number_on(0, 101) == 101);
    sector_out(1101);
    CHECK(line[14] && ide_in(STATUS) == READY && number_on(0, 101) == 1101 && edges[14] == 2);
    data_out(0xffff);
    address28(100, 1);
    CHECK(command(0x20) == DRQ && sector_in() == 1100);
    address48(200, 1);
    CHECK(command(0x34) == DRQ && data_in() == 0);
    sector_out(1200);
    CHECK(number_on(0, 200) == 1200);
    address_chs(0, 1, 1, 1);
    command(0x31);
    sector_out(1063);
    CHECK(number_on(0, 63) == 1063);
    finish();
}

static void multiple(void) {
    begin();
    address28(50, 17); /* 16 at the start */
    CHECK(command(0xc4) == DRQ);
    for (unsigned i = 0; i < 17; i++)
        CHECK(sector_in() == 50 + i);
    CHECK(ide_in(STATUS) == READY && edges[14] == 1);
    ide_out(COUNT, 0);
    CHECK(succeeds(0xc6));
    address28(50, 5);
    CHECK(fails(0xc4, ABORTED) && fails(0xc5, ABORTED));
    ide_out(COUNT, 3);
    CHECK(fails(0xc6, ABORTED));
    ide_out(COUNT, 32);
    CHECK(fails(0xc6, ABORTED));
    ide_out(COUNT, 4);
    CHECK(succeeds(0xc6));
    address28(50, 5);
    edges[14] = 0;
    CHECK(command(0xc4) == DRQ);
    for (unsigned i = 0; i < 5; i++) {
        CHECK(line[14] == (i == 0 || i == 4) && ide_in(STATUS) == DRQ && sector_in() == 50 + i);
    }
    CHECK(ide_in(STATUS) == READY && edges[14] == 2);
    address48(60, 6);
    CHECK(command(0x39) == DRQ && !line[14]);
    for (unsigned i = 0; i < 6; i++)
        sector_out(2060 + i);
    CHECK(ide_in(STATUS) == READY && edges[14] == 3 && number_on(0, 60) == 2060 && number_on(0, 65) == 2065);
    address48(60, 6);
    CHECK(command(0x29) == DRQ && sector_in() == 2060);
    ide_out(COUNT, 0);
    CHECK(succeeds(0xc6));
    address28(50, 5);
    CHECK(fails(0xc4, ABORTED));
    finish();
}

/* --- errors ------------------------------------------------------------------------------------------------ */

static void beyond_the_end(void) {
    begin();
    address28(SECTORS, 1);
    CHECK(fails(0x20, NOT_FOUND) && data_in() == 0);
    address28(SECTORS, 1);
    CHECK(fails(0x30, NOT_FOUND) && fails(0x40, NOT_FOUND) && fails(0x70, NOT_FOUND));
    address28(SECTORS - 1, 2);
    CHECK(command(0x20) == DRQ && sector_in() == SECTORS - 1 && ide_in(CONTROL) == BAD && ide_in(ERROR) == NOT_FOUND);
    CHECK(ide_in(LOW) == (SECTORS & 0xff) && ide_in(MID) == SECTORS >> 8 && ide_in(COUNT) == 1);
    address28(SECTORS - 1, 2);
    command(0x30);
    sector_out(1);
    sector_out(2);
    CHECK(ide_in(STATUS) == BAD && ide_in(ERROR) == NOT_FOUND && number_on(0, SECTORS - 1) == 1);
    ide_out(COUNT, 8);
    command(0xc6);
    address28(SECTORS - 3, 8);
    CHECK(fails(0xc4, NOT_FOUND) && ide_in(LOW) == (SECTORS & 0xff) && ide_in(COUNT) == 5);
    address48(1ull << 40, 1);
    CHECK(fails(0x24, NOT_FOUND) && fails(0x42, NOT_FOUND));
    address_chs(3, 5, 0, 1);
    CHECK(fails(0x20, NOT_FOUND));
    address_chs(3, 5, 64, 1);
    CHECK(fails(0x20, NOT_FOUND));
    address_chs(100, 0, 1, 1);
    CHECK(fails(0x20, NOT_FOUND));
    finish();
}

static void bad_files(void) {
    begin();
    CHECK(truncate(path, 100 * DISK_SECTOR) == 0);
    address28(98, 4);
    CHECK(command(0x20) == DRQ && sector_in() == 98 && sector_in() == 99);
    CHECK(ide_in(STATUS) == BAD && ide_in(ERROR) == UNREADABLE && ide_in(LOW) == 100);
    address28(90, 20);
    CHECK(fails(0x40, UNREADABLE) && ide_in(LOW) == 100 && ide_in(COUNT) == 10);
    finish();
    make_file();
    add_drive(0, DISK_READ_ONLY);
    open_ide();
    address28(5, 1);
    command(0x30);
    sector_out(9);
    CHECK(ide_in(STATUS) == BAD && ide_in(ERROR) == ABORTED && number_on(0, 5) == 5);
    finish();
}

static void unknown_commands(void) {
    begin();
    CHECK(fails(0x00, ABORTED) && fails(0xa0, ABORTED) && fails(0x08, ABORTED) && told == 0);
    CHECK(fails(0xc8, ABORTED) && told == 1 && strstr(last_told, "0xc8 (READ DMA)"));
    CHECK(fails(0xc8, ABORTED) && told == 1 && fails(0xf5, ABORTED) && told == 2);
    ide_out(MID, 0x14), ide_out(HIGH, 0xeb);
    CHECK(fails(0xa1, ABORTED) && ide_in(MID) == 0 && ide_in(HIGH) == 0 && ide_in(COUNT) == 1 && ide_in(LOW) == 1);
    address28(1, 2);
    command(0x20);
    data_in();
    CHECK(told == 2 && succeeds(0xe7) && told == 3 && strstr(last_told, "0xe7") && data_in() == 0);
    finish();
}

/* --- the other commands ----------------------------------------------------------------------------------- */

static void identify(void) {
    uint16_t w[256];
    uint8_t sum = 0;
    begin();
    CHECK(command(0xec) == DRQ && line[14] && ide_in(STATUS) == DRQ);
    for (unsigned i = 0; i < 256; i++) {
        w[i] = data_in();
        sum += (uint8_t)w[i] + (uint8_t)(w[i] >> 8);
    }
    CHECK(ide_in(STATUS) == READY && sum == 0 && (w[255] & 0xff) == 0xa5);
    CHECK(!(w[0] & 0x8000) && w[1] == 39 && w[3] == 16 && w[6] == 63 && w[4] == 63 * 512 && w[5] == 512);
    CHECK(w[60] == SECTORS && w[61] == 0 && w[100] == SECTORS && w[101] == 0 && w[83] & 0x400);
    CHECK(w[49] & 0x200 && !(w[49] & 0x100) && w[63] == 0 && w[88] == 0);
    CHECK(w[27] == ('M' << 8 | 'I') && w[28] == ('N' << 8 | 'I') && w[10] == ('M' << 8 | 'K'));
    CHECK((w[47] & 0xff) == 16 && w[59] == 0x110 && w[54] == 39 && w[55] == 16 && w[56] == 63 && w[57] == 39 * 16 * 63);
    ide_out(COUNT, 8);
    command(0xc6);
    ide_out(COUNT, 17), ide_out(DEVICE, 0xa3); /* 17 sectors, 4 heads */
    CHECK(succeeds(0x91));
    ide_out(FEATURE, 0x82);
    CHECK(succeeds(0xef));
    command(0xec);
    for (unsigned i = 0; i < 256; i++)
        w[i] = data_in();
    CHECK(w[59] == 0x108 && w[55] == 4 && w[56] == 17 && w[54] == SECTORS / 68 && w[6] == 63 && !(w[85] & 0x20));
    address_chs(2, 3, 17, 1);
    CHECK(command(0x20) == DRQ && sector_in() == (2 * 4 + 3) * 17 + 16);
    address_chs(2, 4, 1, 1);
    CHECK(fails(0x20, NOT_FOUND));
    ide_out(COUNT, 0);
    CHECK(fails(0x91, ABORTED));
    finish();
}

static void small_commands(void) {
    static const uint8_t codes[] = {0x10, 0x1f, 0xe7, 0xea, 0xe0, 0xe1, 0xe2, 0xe3, 0xe6, 0x94, 0x95, 0x96, 0x97, 0x99};
    begin();
    for (unsigned i = 0; i < sizeof codes; i++)
        CHECK(succeeds(codes[i]));
    CHECK(succeeds(0xe5) && ide_in(COUNT) == 0xff);
    address28(SECTORS - 10, 10);
    CHECK(succeeds(0x40) && succeeds(0x70));
    address48(SECTORS - 10, 10);
    CHECK(succeeds(0x42));
    ide_out(DEVICE, 0x40);
    CHECK(succeeds(0xf8) && ide_in(LOW) == (SECTORS - 1) % 256 && ide_in(MID) == (SECTORS - 1) / 256 && ide_in(HIGH) == 0);
    CHECK(succeeds(0x27) && ide_in(LOW) == (SECTORS - 1) % 256);
    ide_out(FEATURE, 0x03), ide_out(COUNT, 0x0c);
    CHECK(succeeds(0xef));
    ide_out(FEATURE, 0x03), ide_out(COUNT, 0x22);
    CHECK(fails(0xef, ABORTED));
    ide_out(FEATURE, 0x77);
    CHECK(fails(0xef, ABORTED));
    finish();
}

static void diagnoses(void) {
    add_drive(0, 0);
    add_drive(1, 0);
    open_ide();
    ide_out(DEVICE, 0xb0);
    ide_out(COUNT, 9);
    ide_out(COMMAND, 0x90);
    CHECK(ide_in(DEVICE) == 0xa0 && line[14] && has_signature() && !line[14]);
    ide_out(DEVICE, 0xb0);
    CHECK(has_signature());
    finish();
}

/* --- saved in the middle -------------------------------------------------------------------------------------- */

static void saved_and_loaded(void) {
    struct device_state state = {0};
    begin();
    address28(300, 3);
    command(0x20);
    sector_in();
    data_in();
    device_ide.save(ide, &state);
    CHECK(!state.failed);
    for (unsigned i = 0; i < 255; i++)
        data_in();
    CHECK(sector_in() == 302 && ide_in(STATUS) == READY);
    for (unsigned again = 0; again < 2; again++) {
        state.at = 0, state.end = state.length;
        device_ide.load(ide, &state);
        CHECK(ide_in(CONTROL) == DRQ && data_in() == 0);
        for (unsigned i = 0; i < 254; i++)
            data_in();
        CHECK(sector_in() == 302 && ide_in(STATUS) == READY);
    }
    device_state_free(&state);
    finish();
}

/* Another image is booted: the first disk is another one, and that of before is closed. */
static void another_disk(void) {
    begin();
    disk_close(drives.hard[0]);
    add_drive(1, 0);
    drives.hard[0] = NULL;
    device_ide.reset(ide);
    CHECK(ide_in(STATUS) == 0 && command(0xec) == 0);
    ide_out(DEVICE, 0xf0);
    CHECK(ide_in(STATUS) == READY && command(0xec) == DRQ && data_in() == 0x40);
    finish();
}

int main(void) {
    close(mkstemp(path));
    make_file();
    registers_hold();
    resets();
    drives_are_found();
    nobody_there();
    interrupts_are_masked();
    reads();
    wide_data();
    writes();
    multiple();
    beyond_the_end();
    bad_files();
    unknown_commands();
    identify();
    small_commands();
    diagnoses();
    saved_and_loaded();
    another_disk();
    unlink(path);
    return unit_end();
}
