/* How many cylinders, heads and sectors a disk has. A file says only how long it is; the
 * rest is what drives of that size had, or what a boot sector or partition table tells. */
#ifndef MINIKVM_GEOMETRY_H
#define MINIKVM_GEOMETRY_H

#include "vmm/devices/disk/disk.h"

/* The longest file that a floppy drive takes. */
enum { FLOPPY_MAX = 80 * 2 * 36 * DISK_SECTOR };

/* A standard size is that format. Else the BIOS parameter block in the boot sector decides if
 * it fits the file; else it is the smaller of 1.44M and 2.88M that holds it. */
struct disk_geometry geometry_floppy(uint64_t bytes, const uint8_t sector[DISK_SECTOR]);
/* The drive that has it, as the clock's RAM and int 13h tell: 1 360K, 2 1.2M, 3 720K, 4 1.44M, 5 2.88M. */
uint8_t geometry_floppy_type(const struct disk_geometry *);
/* Its data rate, as the controller's register has it: 0 500 kbit/s, 2 250, 3 1000. */
unsigned geometry_floppy_rate(const struct disk_geometry *);
/* ATA-6 6.2: no more than 16383 cylinders. */
struct disk_geometry geometry_ide(uint64_t sectors);
/* What int 13h tells: heads and sectors as the partition table has them, if one entry ends at
 * a cylinder's end; else (LBA-assisted translation) 16 to 255 heads. */
struct disk_geometry geometry_bios(uint64_t sectors, const uint8_t sector[DISK_SECTOR]);

#endif
