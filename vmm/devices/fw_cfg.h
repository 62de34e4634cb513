/* What firmware of the user's (--bios=FILE) is told of its machine by the ports 510h and 511h, as
 * QEMU's machines tell it (QEMU, docs/specs/fw_cfg: keys, and files by name), and the port by which
 * it tells what it does, 402h.
 *
 * Rule: it only reads; what is told is constant for a machine.
 */
#ifndef MINIKVM_FW_CFG_H
#define MINIKVM_FW_CFG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As CMOS registers 3D and 38 have them. */
enum boot_kind { BOOT_KIND_NONE, BOOT_KIND_FLOPPY, BOOT_KIND_DISK, BOOT_KIND_CD };

/* Its owner's; it lasts as long as the machine. */
struct firmware {
    bool logs;              /* a line for each that it writes to port 402h */
    const uint8_t *vga_rom; /* the option ROM of the VGA; NULL: none */
    size_t vga_rom_size;
    uint8_t boot_kinds[3];  /* the same by kind of drive, first to last: enum boot_kind */
    char boot_order[64];    /* Open Firmware paths, a line each; zeros behind them */
};

#endif
