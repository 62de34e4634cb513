/* The floppy controller and the DMA controllers, as a driver's port accesses see them. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/bus_ports.h"
#include "vmm/devices/devices.h"
#include "vmm/devices/disk/drives.h"

extern const struct device_class device_floppy, device_dma;

/* --- a machine of these two, with 64 KiB of memory at 0x20000 ------------------------------------- */

enum { DOR = 0x3f2, MSR = 0x3f4, DSR = MSR, FIFO = 0x3f5, DIR = 0x3f7, CCR = DIR };
enum { READY = 0x80, BUSY = 0x90, WAITS = 0x10, RESULT = 0xd0, TO_GUEST = 0xf0, FROM_GUEST = 0xb0 };
enum { IRQ = 6, RUNS = 0x0c, MOTOR = 0x1c, SECTORS = 2880, MEMORY = 0x20000, READS = 0x46, WRITES = 0x4a, VERIFIES = 0x42 };

static char path[] = "/tmp/minikvm-floppy-XXXXXX", error[400];
static struct drives drives;
static struct devices devices;
static void *floppy;
static uint8_t memory[0x10000];
static void take_dma(void *machine, uint64_t phys, void *data, size_t length, bool to_memory) {
    (void)machine;
    CHECK(phys >= MEMORY && phys + length <= MEMORY + sizeof memory);
    uint8_t *at = memory + (phys - MEMORY);
    memcpy(to_memory ? at : data, to_memory ? data : at, length);
}

static const struct board board = {.irq = take_irq, .tell = take_tell, .dma = take_dma};

/* Each sector begins with its number. */
static void make_file(void) {
    FILE *f = fopen(path, "wb");
    for (uint32_t i = 0; i < SECTORS; i++) {
        uint8_t sector[DISK_SECTOR] = {(uint8_t)i, (uint8_t)(i >> 8), 0xab};
        fwrite(sector, sizeof sector, 1, f);
    }
    fclose(f);
}

static void open_all(unsigned flags) {
    new_bus();
    devices = (struct devices){0};
    memset(memory, 0, sizeof memory);
    if (flags)
        CHECK(disk_open(&drives.floppy[0], path, flags, error, sizeof error) == 0);
    struct device_site site = {.devices = &devices, .bus = &bus, .board = &board, .drives = &drives};
    device_dma.open(&site);
    floppy = device_floppy.open(&site);
    CHECK_STR(bus.error, "");
    device_floppy.reset(floppy);
}

static void finish(void) {
    device_floppy.close(floppy);
    disk_close(drives.floppy[0]);
    drives = (struct drives){0};
}

/* --- a driver ------------------------------------------------------------------------------------------ */

static void give(const char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++)
        out(FIFO, (uint8_t)bytes[i]);
}
#define GIVE(BYTES) give(BYTES, sizeof BYTES - 1)

static void takes(const char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        CHECK(in(MSR) == RESULT);
        CHECK(in(FIFO) == (uint8_t)bytes[i]);
    }
    CHECK(in(MSR) == READY);
}
#define TAKES(BYTES) takes(BYTES, sizeof BYTES - 1)

static unsigned new_edges(void) {
    unsigned n = all_edges();
    forget_edges();
    return n;
}

static void dma_address(unsigned channel, unsigned address, unsigned bytes) {
    out(0x0c, 0);
    out(2 * channel, address);
    out(2 * channel, address >> 8);
    out(2 * channel + 1, bytes - 1);
    out(2 * channel + 1, (bytes - 1) >> 8);
}

static void dma(unsigned mode, unsigned address, unsigned bytes) {
    out(0x0a, 6);
    dma_address(2, address, bytes);
    out(0x81, MEMORY >> 16);
    out(0x0b, mode);
    out(0x0a, 2);
}

/* As after a driver's start: motor and rate as they should be, by DMA. */
static void start(void) {
    open_all(DISK_FLOPPY);
    out(DOR, MOTOR);
    out(CCR, 0);
    for (int i = 0; i < 4; i++) {
        GIVE("\x08");
        in(FIFO), in(FIFO);
    }
    GIVE("\x03\xdf\x02");
    GIVE("\x07\x00");
    GIVE("\x08");
    TAKES("\x20\x00");
    forget_edges();
}

static uint16_t number_at(unsigned at) { return memory[at] | memory[at + 1] << 8; }

/* --- the controller --------------------------------------------------------------------------------------- */

static void resets(void) {
    open_all(DISK_FLOPPY);
    CHECK(in(MSR) == 0 && in(DOR) == 0 && !line[IRQ]);
    CHECK(devices.cmos.ram[0x10] == 0x40 && (devices.cmos.ram[0x14] & 0xc1) == 1);
    CHECK(devices.cmos.ram[0x12] == 0);
    out(FIFO, 0x10); /* nobody listens */
    out(DOR, RUNS);
    CHECK(line[IRQ] && in(MSR) == READY);
    for (uint8_t n = 0; n < 4; n++) {
        GIVE("\x08");
        CHECK(!line[IRQ] && in(FIFO) == (0xc0 | n) && in(FIFO) == 0);
    }
    GIVE("\x08");
    TAKES("\x80");
    out(DSR, 0x80);
    CHECK(line[IRQ] && new_edges() == 2);
    out(DOR, RUNS & ~8); /* the DOR's bit 3 is a gate */
    CHECK(!line[IRQ]);
    out(DOR, RUNS);
    CHECK(line[IRQ]);
    finish();
}

static void modes_and_versions(void) {
    start();
    GIVE("\x10");
    TAKES("\x90");
    GIVE("\x13\x00\x5a\x07");
    GIVE("\x12\x84");
    GIVE("\x94");
    TAKES("\x10");
    GIVE("\x0e");
    TAKES("\x00\x00\x00\x00\xdf\x02\x00\x84\x5a\x07");
    out(DSR, 0x80); /* implied seeks and polling are not locked */
    GIVE("\x0e");
    TAKES("\x00\x00\x00\x00\xdf\x02\x00\x84\x0a\x07");
    GIVE("\x14");
    TAKES("\x00");
    out(DSR, 0x80);
    GIVE("\x0e");
    TAKES("\x00\x00\x00\x00\xdf\x02\x00\x04\x20\x00");
    GIVE("\x1f");
    TAKES("\x80");
    CHECK(told == 1 && strstr(last_told, "command 0x1f"));
    finish();
}

static void seeks(void) {
    start();
    GIVE("\x0f\x00\x05");
    CHECK(line[IRQ] && in(MSR) == READY);
    GIVE("\x08");
    CHECK(!line[IRQ]);
    TAKES("\x20\x05");
    GIVE("\x04\x04");
    TAKES("\x2c");
    GIVE("\xcf\x00\x03");
    GIVE("\x08");
    TAKES("\x20\x08");
    GIVE("\x8f\x00\x09");
    GIVE("\x08");
    TAKES("\x20\x00");
    GIVE("\x04\x00");
    TAKES("\x38");
    GIVE("\x07\x01"); /* no such drive */
    GIVE("\x0f\x00\xff"); /* where the head ends, before that was told of */
    GIVE("\x08");
    CHECK(line[IRQ]);
    TAKES("\x20\x55");
    GIVE("\x08");
    TAKES("\x71\x00");
    CHECK(!line[IRQ]);
    finish();
}

static void disk_change(void) {
    open_all(DISK_FLOPPY);
    out(DOR, RUNS);
    CHECK(in(DIR) == 0); /* not with the motor off */
    out(DOR, MOTOR);
    CHECK(in(DIR) == 0x80);
    GIVE("\x0f\x00\x01");
    CHECK(in(DIR) == 0);
    out(DOR, MOTOR | 0x20 | 1);
    CHECK(in(DIR) == 0); /* no drive 1 */
    finish();
}

/* --- sectors by DMA ------------------------------------------------------------------------------------------ */

static void reads(void) {
    start();
    dma(READS, 0x100, 1024);
    GIVE("\x46\x00\x00\x00\x02\x02\x12\x1b\xff");
    CHECK(line[IRQ] && new_edges() == 1);
    CHECK(in(MSR) == RESULT && in(FIFO) == 0 && !line[IRQ]);
    TAKES("\x00\x00\x00\x00\x04\x02");
    CHECK(number_at(0x100) == 1 && number_at(0x300) == 2 && memory[0x302] == 0xab && !number_at(0x500));
    CHECK(in(8) == 4 && in(8) == 0 && (in(0xf) & 0xf) == 0xf);
    dma(READS, 0, 512 * 36); /* a cylinder, both sides */
    GIVE("\xe6\x00\x00\x00\x01\x02\x12\x1b\xff");
    TAKES("\x04\x00\x00\x01\x00\x01\x02");
    CHECK(number_at(512 * 35) == 35);
    dma(READS, 0, 512 * 3); /* more than the track has */
    GIVE("\x46\x04\x00\x01\x11\x02\x12\x1b\xff");
    TAKES("\x44\x80\x00\x01\x01\x01\x02");
    dma(READS, 0, 100); /* the end within a sector */
    memory[100] = 0x77;
    GIVE("\x46\x00\x00\x00\x05\x02\x12\x1b\xff");
    TAKES("\x00\x00\x00\x00\x00\x06\x02");
    CHECK(number_at(0) == 4 && memory[100] == 0x77);
    finish();
}

static void writes(void) {
    uint8_t sector[DISK_SECTOR];
    start();
    memset(memory, 0x33, 1024);
    dma(WRITES, 0, 600); /* the rest is zeros */
    GIVE("\xc5\x00\x00\x00\x12\x02\x12\x1b\xff");
    TAKES("\x04\x00\x00\x00\x01\x02\x02");
    disk_read(drives.floppy[0], 17, sector, 1);
    CHECK(sector[0] == 0x33 && sector[511] == 0x33);
    disk_read(drives.floppy[0], 18, sector, 1);
    CHECK(sector[0] == 0x33 && sector[87] == 0x33 && sector[88] == 0 && sector[511] == 0);
    finish();
    open_all(DISK_FLOPPY | DISK_READ_ONLY);
    out(DOR, MOTOR);
    out(CCR, 0);
    dma(WRITES, 0, 512);
    GIVE("\x45\x00\x00\x00\x01\x02\x12\x1b\xff");
    TAKES("\x40\x02\x00\x00\x00\x01\x02");
    GIVE("\x04\x00");
    TAKES("\x78");
    finish();
}

static void waits_for_dma(void) {
    start();
    out(0x0a, 6);
    GIVE("\x46\x00\x00\x00\x01\x02\x12\x1b\xff");
    CHECK(in(MSR) == WAITS && !line[IRQ]);
    out(FIFO, 8); /* dropped */
    dma(READS, 0, 512);
    CHECK(line[IRQ]);
    TAKES("\x00\x00\x00\x00\x00\x02\x02");
    CHECK(number_at(2) == 0xab);
    dma(WRITES, 0, 512);
    GIVE("\x46\x00\x00\x00\x01\x02\x12\x1b\xff");
    TAKES("\x40\x10\x00\x00\x00\x01\x02");
    CHECK(strstr(last_told, "the other direction"));
    memory[0] = 0x99;
    dma(VERIFIES, 0, 512);
    GIVE("\x46\x00\x00\x00\x02\x02\x12\x1b\xff");
    TAKES("\x00\x00\x00\x00\x00\x03\x02");
    CHECK(memory[0] == 0x99);
    dma(0x56, 0, 512); /* it begins anew by itself */
    GIVE("\x46\x00\x00\x00\x02\x02\x12\x1b\xff");
    TAKES("\x00\x00\x00\x00\x00\x03\x02");
    GIVE("\x46\x00\x00\x00\x03\x02\x12\x1b\xff");
    TAKES("\x00\x00\x00\x00\x00\x04\x02");
    CHECK(number_at(0) == 2);
    finish();
}

static void formats_and_verifies(void) {
    uint8_t sector[DISK_SECTOR];
    start();
    for (unsigned i = 0; i < 18; i++) {
        const uint8_t id[] = {0, 1, (uint8_t)(i + 1), 2};
        memcpy(memory + 4 * i, id, 4);
    }
    dma(WRITES, 0, 72);
    GIVE("\x4d\x04\x02\x12\x54\xf6");
    TAKES("\x04\x00\x00\x00\x01\x12\x02");
    disk_read(drives.floppy[0], 35, sector, 1);
    CHECK(sector[0] == 0xf6 && sector[511] == 0xf6);
    disk_read(drives.floppy[0], 36, sector, 1);
    CHECK(sector[0] == 36);
    memory[3] = 3; /* sectors of 1024 bytes */
    dma(WRITES, 0, 72);
    GIVE("\x4d\x04\x03\x12\x54\xf6");
    TAKES("\x44\x04\x00\x00\x01\x01\x03");
    CHECK(strstr(last_told, "cannot hold"));
    GIVE("\x56\x00\x00\x00\x01\x02\x12\x1b\xff");
    TAKES("\x00\x00\x00\x01\x00\x01\x02");
    GIVE("\xd6\x80\x00\x00\x11\x02\x12\x1b\x03");
    TAKES("\x04\x00\x00\x00\x01\x02\x02");
    GIVE("\x4a\x00");
    TAKES("\x00\x00\x00\x00\x00\x01\x02");
    GIVE("\x4a\x04");
    TAKES("\x04\x00\x00\x00\x01\x02\x02");
    finish();
}

/* --- what goes wrong --------------------------------------------------------------------------------------------- */

static void fails(void) {
    start();
    GIVE("\x46\x00\x04\x00\x01\x02\x12\x1b\xff"); /* another cylinder */
    TAKES("\x40\x04\x10\x04\x00\x01\x02");
    CHECK(strstr(last_told, "no seek"));
    GIVE("\x46\x00\x00\x00\x13\x02\x12\x1b\xff"); /* sector 19 */
    TAKES("\x40\x04\x00\x00\x00\x13\x02");
    GIVE("\x46\x00\x00\x01\x01\x02\x12\x1b\xff"); /* head 1, under head 0 */
    TAKES("\x40\x04\x00\x00\x01\x01\x02");
    GIVE("\x46\x00\x00\x00\x01\x03\x12\x1b\xff"); /* of 1024 bytes */
    TAKES("\x40\x04\x00\x00\x00\x01\x03");
    GIVE("\x46\x01\x00\x00\x01\x02\x12\x1b\xff"); /* no drive */
    TAKES("\x41\x01\x00\x00\x00\x01\x02");
    GIVE("\x06\x00\x00\x00\x01\x02\x12\x1b\xff"); /* FM */
    TAKES("\x40\x01\x00\x00\x00\x01\x02");
    out(CCR, 2);
    GIVE("\x4a\x00");
    TAKES("\x40\x01\x00\x00\x00\x00\x00");
    CHECK(strstr(last_told, "250 kbit/s, and the diskette has 500"));
    out(CCR, 0);
    out(DOR, RUNS);
    GIVE("\x4a\x00");
    TAKES("\x40\x01\x00\x00\x00\x00\x00");
    CHECK(strstr(last_told, "motor"));
    unsigned before = told;
    GIVE("\x4a\x00"); /* each is told once */
    CHECK(told == before);
    finish();
}

static void nobody_there(void) {
    open_all(0);
    CHECK(devices.cmos.ram[0x10] == 0 && !(devices.cmos.ram[0x14] & 1));
    out(DOR, MOTOR);
    GIVE("\x07\x00");
    GIVE("\x08");
    TAKES("\x70\x00");
    GIVE("\x4a\x00");
    TAKES("\x40\x01\x00\x00\x00\x00\x00");
    finish();
}

/* --- byte by byte ------------------------------------------------------------------------------------------------ */

static void without_dma(void) {
    uint8_t sector[DISK_SECTOR];
    start();
    GIVE("\x03\xdf\x03");
    GIVE("\x46\x00\x00\x00\x02\x02\x03\x1b\xff");
    for (unsigned i = 0; i < 1024; i++) {
        CHECK(in(MSR) == TO_GUEST && line[IRQ] && new_edges() == 1);
        uint8_t byte = in(FIFO);
        CHECK(i % 512 ? i % 512 > 2 || byte == (i % 512 == 1 ? 0 : 0xab) : byte == 1 + i / 512);
    }
    CHECK(line[IRQ] && new_edges() == 1);
    TAKES("\x40\x80\x00\x01\x00\x01\x02");
    GIVE("\x13\x00\x0f\x00"); /* a FIFO of sixteen */
    GIVE("\x45\x00\x00\x00\x02\x02\x02\x1b\xff");
    for (unsigned i = 0; i < 512; i++) {
        CHECK(in(MSR) == FROM_GUEST);
        out(FIFO, i);
    }
    CHECK(new_edges() == 512 / 16 + 1);
    TAKES("\x40\x80\x00\x01\x00\x01\x02");
    disk_read(drives.floppy[0], 1, sector, 1);
    CHECK(sector[0] == 0 && sector[7] == 7 && sector[511] == 0xff);
    finish();
}

static void goes_on_from_a_snapshot(void) {
    struct device_state s = {0};
    start();
    GIVE("\x03\xdf\x03");
    GIVE("\x46\x00\x00\x00\x05\x02\x05\x1b\xff");
    in(FIFO);
    device_floppy.save(floppy, &s);
    for (unsigned i = 0; i < 511; i++)
        in(FIFO);
    CHECK(in(MSR) == RESULT);
    s.end = s.length;
    device_floppy.load(floppy, &s);
    CHECK(in(MSR) == TO_GUEST && in(FIFO) == 0 && in(FIFO) == 0xab);
    device_state_free(&s);
    finish();
}

/* --- DMA alone --------------------------------------------------------------------------------------------------------- */

static void dma_registers(void) {
    open_all(DISK_FLOPPY);
    dma_address(1, 0x1234, 0x5679);
    CHECK(in(2) == 0x34 && in(2) == 0x12 && in(3) == 0x78 && in(3) == 0x56);
    in(2);
    out(0x0c, 0); /* the flip-flop */
    CHECK(in(2) == 0x34);
    out(0xd8, 0);
    out(0xc4, 0xcd); /* a 16-bit channel, 5 */
    out(0xc4, 0xab);
    out(0xc6, 0x11);
    out(0xc6, 0x22);
    CHECK(in(0xc4) == 0xcd && in(0xc4) == 0xab && in(0xc6) == 0x11 && in(0xc6) == 0x22);
    CHECK((in(0x0f) & 0xf) == 0xf && (in(0xde) & 0xf) == 0xe);
    out(0x0a, 2);
    CHECK((in(0x0f) & 0xf) == 0xb);
    out(0x0e, 0);
    CHECK((in(0x0f) & 0xf) == 0);
    out(0x0f, 5);
    CHECK((in(0x0f) & 0xf) == 5);
    out(0x09, 5); /* a request by software */
    CHECK(in(8) == 0x20);
    out(0x0d, 0);
    CHECK(in(8) == 0 && (in(0x0f) & 0xf) == 0xf);
    out(0x87, 0x12);
    out(0x8f, 0x34);
    CHECK(in(0x87) == 0x12 && in(0x8f) == 0x34);
    finish();
}

static void dma_transfers(void) {
    uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    bool done;
    open_all(DISK_FLOPPY);
    dma(READS | 0x20, 0x13, 4); /* downwards */
    CHECK(dma_state(&devices.dma, 2, DMA_TO_MEMORY) == DMA_READY);
    CHECK(dma_state(&devices.dma, 2, DMA_FROM_MEMORY) == DMA_WRONG_WAY);
    CHECK(dma_transfer(&devices.dma, 2, DMA_TO_MEMORY, bytes, 2, &done) == 2 && !done);
    CHECK(dma_transfer(&devices.dma, 2, DMA_TO_MEMORY, bytes + 2, 6, &done) == 2 && done);
    CHECK(memory[0x13] == 1 && memory[0x12] == 2 && memory[0x11] == 3 && memory[0x10] == 4);
    CHECK(dma_state(&devices.dma, 2, DMA_TO_MEMORY) == DMA_MASKED);
    dma(READS, 0xfffe, 8); /* the page does not move on */
    CHECK(dma_transfer(&devices.dma, 2, DMA_TO_MEMORY, bytes, 8, &done) == 8 && done);
    CHECK(memory[0xffff] == 2 && memory[0] == 3 && memory[5] == 8);
    dma(READS, 0, 0x10000);
    CHECK(dma_transfer(&devices.dma, 2, DMA_TO_MEMORY, bytes, 8, &done) == 8 && !done);
    out(8, 4); /* the whole chip is off */
    CHECK(dma_state(&devices.dma, 2, DMA_TO_MEMORY) == DMA_MASKED);
    finish();
}

int main(void) {
    int fd = mkstemp(path);
    CHECK(fd >= 0 && close(fd) == 0);
    make_file();
    resets();
    modes_and_versions();
    seeks();
    disk_change();
    reads();
    writes();
    waits_for_dma();
    formats_and_verifies();
    fails();
    nobody_there();
    without_dma();
    goes_on_from_a_snapshot();
    dma_registers();
    dma_transfers();
    unlink(path);
    return unit_end();
}
