/* What a PC's BIOS does at power-on, and how it boots. No instruction of the guest's CPU is
 * needed for it. */
#include "vmm/board/bios/call.h"

#include <stdio.h>

#include "vmm/board/eltorito.h"
#include "vmm/board/memory_map.h"
#include "vmm/cpu/service.h"
#include "vmm/devices/disk/drives.h"

/* --- vectors ---------------------------------------------------------------------------------- */

/* Free for programs: zero, as they look for it. And those that point to tables. */
static void set_vectors(struct bios *b) {
    for (unsigned n = 0; n < 256; n++)
        set_vector(b, n, ROM_SEGMENT, (uint16_t)(n * ROM_STUB_SIZE));
    set_vector(b, 0x00, ROM_SEGMENT, ROM_AT_ZERO);
    for (unsigned n = 0x60; n < 0x67; n++)
        set_vector(b, n, 0, 0);
    set_vector(b, 0x1d, ROM_SEGMENT, ROM_VIDEO);
    set_vector(b, 0x1e, ROM_SEGMENT, ROM_DISKETTE);
    set_vector(b, 0x1f, ROM_SEGMENT, ROM_FONT8 + 1024);
    set_vector(b, 0x41, ROM_SEGMENT, ROM_NO_DISK);
    set_vector(b, 0x43, ROM_SEGMENT, ROM_FONT8);
    set_vector(b, 0x46, ROM_SEGMENT, ROM_NO_DISK);
    set_vector(b, 0x79, 0, 0);
}

/* --- the data areas ----------------------------------------------------------------------------- */

static void clear_data(struct bios *b, uint32_t linear, unsigned length) {
    for (unsigned i = 0; i < length; i++)
        poke8(b, linear + i, 0);
}

/* A warm start is told from a cold one by what stands at 472h, which stays. */
static void set_data_areas(struct bios *b) {
    uint16_t warm = peek16(b, BDA_WARM);
    clear_data(b, BDA, 0x100);
    clear_data(b, BDA_PRINT_STATUS, 1);
    clear_data(b, ebda(b, 0), MEMORY_EBDA_SIZE);
    poke16(b, BDA_WARM, warm);
    poke16(b, BDA_COM, 0x3f8);
    poke16(b, BDA_EBDA, (uint16_t)(ebda(b, 0) >> 4));
    poke8(b, ebda(b, EBDA_SIZE), MEMORY_EBDA_SIZE >> 10);
    poke16(b, BDA_MEMORY, (uint16_t)memory_map_lower(b->board->memory));
    poke16(b, BDA_EQUIPMENT, 1 << 9 | 2 << 4 | 1 << 2); /* a serial line, 80 columns in colour, a mouse */
    for (unsigned n = 0; n < 4; n++) {
        poke8(b, BDA_LPT_TIMEOUTS + n, 0x14);
        poke8(b, BDA_COM_TIMEOUTS + n, 0x0a);
    }
}

bool bios_uses(uint64_t ram, uint64_t from, uint64_t length) {
    uint64_t low = ram < MEMORY_VIDEO ? ram : MEMORY_VIDEO;
    const struct {
        uint64_t from, to;
    } parts[] = {{0, BDA_PRINT_STATUS + 1}, {low - MEMORY_EBDA_SIZE, low}, {0xb8000, 0xc0000},
                 {ROM_BASE, ROM_BASE + ROM_SIZE}};
    bool uses = false;
    for (size_t i = 0; length && i < sizeof parts / sizeof *parts; i++)
        uses |= from < parts[i].to && parts[i].from < from + length;
    return uses;
}

/* --- the chips ------------------------------------------------------------------------------------ */

static void chip_write(struct bios *b, uint16_t port, uint8_t value) {
    bus_access(&b->board->bus, &(struct access){.address = port, .write = true, .size = 1, .data = &value});
}

/* Vectors 08h and 70h; timer, keyboard, cascade and diskette are let through, clock, mouse, FPU
 * and the disks. The timer's counter 0 divides by 65536 in mode 3: 18.2 Hz. */
void bios_start_chips(struct bios *b) {
    static const uint8_t writes[][2] = {
        {0x20, 0x11}, {0xa0, 0x11}, {0x21, 0x08}, {0xa1, 0x70}, {0x21, 0x04}, {0xa1, 0x02},
        {0x21, 0x01}, {0xa1, 0x01}, {0x21, 0xb8}, {0xa1, 0x0e},
        {0x43, 0x36}, {0x40, 0x00}, {0x40, 0x00},
    };
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++)
        chip_write(b, writes[i][0], writes[i][1]);
}

static void post(struct bios *b, bool chips) {
    b->reset_by = NULL;
    set_vectors(b);
    set_data_areas(b);
    disk_post(b);
    if (chips)
        bios_start_chips(b); /* what the disks have interrupted for is forgotten */
    keyboard_post(b);
    video_post(b);
    time_post(b);
}

/* The image was loaded by who made the machine. */
static void note_boot_of_cd(struct bios *b, uint8_t drive) {
    struct eltorito e;
    char why[200];
    if (cd_find_boot(b, drive, &e, why, sizeof why)) {
        cd_note_boot(b, drive, &e);
        disk_count_drives(b);
    }
}

void bios_post(struct bios *b, bool chips, uint8_t drive) {
    if (!b->on)
        return;
    post(b, chips);
    poke8(b, ebda(b, EBDA_BOOT_DRIVE), drive);
    if (b->boots && drive >= DRIVES_FIRST_CD)
        note_boot_of_cd(b, drive);
    b->call_count = b->told_count = b->text_row = 0;
    b->text_used = false;
}

/* --- the first program ------------------------------------------------------------------------------- */

enum { BOOT_SECTOR = 0x7c00 };

static void stop(struct call *c, const char *format, const char *what) {
    char why[256];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(why, sizeof why, format, what);
#pragma GCC diagnostic pop
    stop_call(c, why);
}

static bool boot_cd(struct call *c, uint8_t drive) {
    struct bios *b = c->bios;
    struct eltorito e;
    char why[200];
    bool found = cd_find_boot(b, drive, &e, why, sizeof why);
    if (!found || !cd_load(b, drive, &e)) {
        stop(c, "nothing to boot from the CD: %s", found ? "the boot image cannot be read" : why);
        return false;
    }
    cd_note_boot(b, drive, &e);
    disk_count_drives(b);
    bios_boot_state(bios_cpu_anew(b), e.address, eltorito_drive(&e, drive));
    c->elsewhere = true;
    return true;
}

bool bios_boot(struct call *c) {
    struct bios *b = c->bios;
    uint8_t sector[DISK_SECTOR] = {0}, drive = peek8(b, ebda(b, EBDA_BOOT_DRIVE));
    if (drive >= DRIVES_FIRST_CD)
        return boot_cd(c, drive);
    struct disk *disk = drives_bios(b->drives, drive);
    enum disk_result result = disk ? disk_read(disk, 0, sector, 1) : DISK_BEYOND;
    if (result != DISK_DONE || sector[510] != 0x55 || sector[511] != 0xaa) {
        stop(c, "nothing to boot from: %s", !disk ? "the machine has no such drive"
                : result ? disk_result_text(result) : "the first sector does not end in 55 AA");
        return false;
    }
    service_write(b->cpu, BOOT_SECTOR, sector, sizeof sector);
    bios_boot_state(bios_cpu_anew(b), BOOT_SECTOR, drive);
    c->elsewhere = true;
    return true;
}

/* --- reset ------------------------------------------------------------------------------------------------ */

/* CMOS 0Fh: a program for the 286 comes back from protected mode by a reset. */
enum { HOW = 0x0f, TO_VECTOR_WITH_EOI = 0x05, TO_VECTOR = 0x0a };

static bool resumes(uint8_t how) { return how == TO_VECTOR_WITH_EOI || how == TO_VECTOR; }

bool bios_can_restart(struct bios *b) {
    return b->on && (b->boots || resumes(b->board->devices.cmos.ram[HOW]));
}

static void resume_at_vector(struct call *c, uint8_t how) {
    struct bios *b = c->bios;
    uint32_t to = peek32(b, BDA_RESUME);
    cmos_out(b, HOW, 0);
    if (how == TO_VECTOR_WITH_EOI) {
        b->hooks->take_chips(b->machine);
        port_out(b, 0xa0, 0x20);
        port_out(b, 0x20, 0x20);
        b->hooks->give_chips(b->machine);
    }
    bios_real_mode(bios_cpu_anew(b), (uint16_t)(to >> 16), (uint16_t)to);
    c->elsewhere = true;
}

/* A guest that does nothing else would fill the terminal. */
static void tell_restart(struct bios *b, const char *by, uint8_t drive) {
    enum { MOST = 8 };
    if (b->restarts++ < MOST)
        tell(b, "the guest resets its machine by %s: it boots again from drive %02xh%s", by, drive,
             b->restarts == MOST ? "; what it does again is not told any more" : "");
}

void bios_restart(struct call *c) {
    struct bios *b = c->bios;
    const char *by = b->reset_by;
    uint8_t how = cmos_in(b, HOW), drive = peek8(b, ebda(b, EBDA_BOOT_DRIVE));
    b->reset_by = NULL;
    if (!resumes(how) && !b->boots) {
        stop(c, "the guest resets its machine by %s; minikvm does not start it anew by itself", by);
        return;
    }
    bios_real_mode(bios_cpu_anew(b), 0, BOOT_SECTOR); /* memory is reached without page tables from here on */
    if (resumes(how)) {
        resume_at_vector(c, how);
        return;
    }
    tell_restart(b, by, drive);
    b->hooks->reset(b->machine);
    post(b, true);
    poke8(b, ebda(b, EBDA_BOOT_DRIVE), drive);
    b->hooks->give_chips(b->machine);
    bios_boot(c);
}
