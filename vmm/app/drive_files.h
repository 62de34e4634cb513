/* The files of --disk, --floppy and --cdrom: which is booted, and opening them while any file may be. */
#ifndef MINIKVM_DRIVE_FILES_H
#define MINIKVM_DRIVE_FILES_H

#include "vmm/app/options.h"

/* Without an image one of the drives is booted, as a PC does: it becomes the image, and is no further
 * drive. */
void drive_files_boot(struct options *);
/* A Multiboot kernel is told of the first drive beside it. */
void drive_files_note_boot(struct machine_options *);
/* Before the sandbox closes. 0; or -errno, and it was told. They stay open until the end. */
int drive_files_open(struct machine_options *);

#endif
