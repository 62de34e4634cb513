/* The command line, as one table: it parses, and it makes --help and the man
 * page. */
#ifndef MINIKVM_OPTIONS_H
#define MINIKVM_OPTIONS_H

#include "vmm/app/console.h"
#include "vmm/app/screen_view.h"
#include "vmm/machine/machine.h"

struct options {
    struct machine_options machine;
    enum color_choice color;
    enum screen_choice screen;
    enum pixel_choice pixels;
    const char *gdb;  /* address for the stub, or NULL */
    bool gdb_nowait;
    bool gdb_any_user; /* others of this computer, too */
    bool stats;
    const char *screenshot; /* a file for a picture at the end, or NULL */
    bool log_packets, log_input;
    bool list_packets; /* print the table of packets, run nothing */
    bool list_images;  /* the same of the kinds of image */
    struct multiboot_module modules[MULTIBOOT_MODULES]; /* machine.image has them */
    const char *symbols[SYMBOL_FILES]; /* FILE[@ADDR]... */
    struct symbol_file symbol_files[SYMBOL_FILES]; /* ...opened; machine has them */
    unsigned symbol_count;
    struct symbol_file bios_symbols; /* of the BIOS's ROM; machine has it, if it was found */
    char *images[MACHINES_MAX];
    unsigned count;
};

enum options_result { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_WRONG };

/* WRONG has said why on stderr; DONE has printed what was asked for. */
enum options_result options_parse(struct options *, int argc, char **argv);
void options_close(struct options *); /* after any */

#endif
