/* The files of --disk, --floppy and --cdrom, opened while any file may be. */
#ifndef MINIKVM_DRIVE_FILES_H
#define MINIKVM_DRIVE_FILES_H

#include "vmm/machine/machine.h"

/* Before the sandbox closes. 0; or -errno, and it was told. They stay open until the end. */
int drive_files_open(struct machine_options *);

#endif
