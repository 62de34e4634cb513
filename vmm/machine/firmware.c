/* Firmware of the user's; see firmware.h. */
#include "vmm/machine/firmware.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/board/boot/rom.h"
#include "vmm/machine/engines.h"
#include "vmm/machine/recorder.h"

#define VGA_ROM "vgabios-stdvga.bin"

/* --- its files ------------------------------------------------------------------------------- */

/* Beside the BIOS, as distributions have it; to be freed. NULL: it is not there. */
static char *usual_vga_rom(const char *bios) {
    const char *slash = strrchr(bios, '/');
    char *path;
    if (asprintf(&path, "%.*s%s", slash ? (int)(slash + 1 - bios) : 0, bios, VGA_ROM) < 0)
        return NULL;
    if (access(path, R_OK) == 0)
        return path;
    free(path);
    return NULL;
}

static int read_vga_rom(struct machine *m, char *error, size_t size) {
    const struct machine_options *o = m->options;
    char *path = o->vga_rom ? strdup(o->vga_rom) : usual_vga_rom(o->rom);
    bool none = !path || (o->vga_rom && !*o->vga_rom);
    int err = none ? 0 : rom_read_vga(path, &m->vga_rom, &m->firmware.vga_rom_size, error, size);
    m->firmware.vga_rom = m->vga_rom;
    free(path);
    return err;
}

/* A whole BIOS shows nothing without it; a small ROM may have no use for a screen. */
void firmware_warn(struct machine *m) {
    enum { SMALL = 64 << 10 };
    const struct machine_options *o = m->options;
    char text[400];
    if (!o->rom || m->vga_rom || o->vga_rom || m->memory.rom_size <= SMALL)
        return;
    snprintf(text, sizeof text, "%.200s: there is no " VGA_ROM " beside it, so the screen may stay dark; name one by "
             "--vgabios=FILE, or say --vgabios=none", o->rom);
    m->owner.message(m->owner.context, m->number, text);
}

/* The image's kind is the first; else the first floppy is, or hard disk, or CD. */
static void order_kinds(struct machine *m, enum drive_kind first) {
    static const uint8_t kinds[] = {[DRIVE_FLOPPY] = BOOT_KIND_FLOPPY, [DRIVE_HARD] = BOOT_KIND_DISK,
                                    [DRIVE_CD] = BOOT_KIND_CD};
    uint8_t *to = m->firmware.boot_kinds;
    *to++ = kinds[first];
    for (unsigned kind = 0; kind < sizeof kinds; kind++)
        if (kind != first)
            *to++ = kinds[kind];
}

/* The image's drive is the first. Paths are Open Firmware's, as QEMU's firmware reads them. */
void firmware_boot_from(struct machine *m) {
    char *order = m->firmware.boot_order;
    const size_t size = sizeof m->firmware.boot_order;
    const struct drives *drives = &m->board.drives;
    const struct disk *disk = m->image.is_disk ? drives_bios(drives, m->image.drive) : NULL;
    memset(order, 0, size);
    order_kinds(m, m->image.is_disk ? drives_kind_of_number(m->image.drive) : DRIVE_FLOPPY);
    if (disk && disk == drives->floppy[0])
        snprintf(order, size, "/pci@i0cf8/isa@1/fdc@03f0/floppy@0\n");
    for (unsigned n = 0; disk && n < DRIVES_IDE; n++)
        if (disk == drives_ide(drives, n))
            snprintf(order, size, "/pci@i0cf8/ide@1,1/drive@%u/disk@%u\n", n / 2, n % 2);
}

int firmware_open(struct machine *m, char *error, size_t size) {
    if (!m->options->rom)
        return 0;
    m->firmware = (struct firmware){.logs = m->options->log_bios};
    return read_vga_rom(m, error, size);
}

void firmware_close(struct machine *m) {
    free(m->vga_rom);
    m->vga_rom = NULL;
}

/* --- reset -------------------------------------------------------------------------------------- */

bool firmware_wants_restart(struct machine *m, const char *by) {
    if (m->options->rom)
        m->reset_by = by;
    return m->options->rom;
}

/* A guest that does nothing else would fill the terminal. */
static void tell_reset(struct machine *m, const char *by) {
    enum { MOST = 8 };
    char text[160];
    if (m->recorder->is_silent(m) || m->restarts++ >= MOST)
        return;
    snprintf(text, sizeof text, "the guest resets its machine by %s: its firmware starts anew%s", by,
             m->restarts == MOST ? "; what it does again is not told any more" : "");
    m->owner.message(m->owner.context, m->number, text);
}

bool firmware_restart(struct vcpu *v) {
    struct machine *m = v->machine;
    if (!m->reset_by)
        return false;
    tell_reset(m, m->reset_by);
    m->reset_by = NULL;
    lock_take(&m->board.lock);
    board_reset_by_guest(&m->board);
    lock_release(&m->board.lock);
    if (engines_has_irqchip(m))
        engines_give_chips(m);
    image_start(&m->image, &m->memory, &v->cpu);
    struct cpu_state *s = cpu_write(&v->cpu, CPU_EVENTS | CPU_MP);
    s->events.interrupt.shadow = 0;
    s->mp.mp_state = KVM_MP_STATE_RUNNABLE;
    return true;
}
