/* Multiboot, versions 1 (specification 0.6.96) and 2 (2.0): a header in a kernel's file asks
 * for a start in 32-bit protected mode, and gets information about the machine.
 *
 * Rule: what the header requires and is not to be had is refused with a sentence; what it only
 * wishes for is given if it is there.
 */
#ifndef MINIKVM_MULTIBOOT_H
#define MINIKVM_MULTIBOOT_H

#include "vmm/board/boot/image.h"
#include "vmm/board/boot/sections.h"

/* Is there a header of this version, whose checksum is right? Finds it. */
bool multiboot1_find(const uint8_t *bytes, size_t size, size_t *at);
bool multiboot2_find(const uint8_t *bytes, size_t size, size_t *at);
/* Does a header of version 1 say where the file goes, as one must that is no ELF? */
bool multiboot1_has_addresses(const uint8_t *bytes, size_t size);

/* Reads the header: where the image goes and begins. 0, or -errno with a sentence. */
int multiboot1_parse(struct image *, char *error, size_t size);
int multiboot2_parse(struct image *, char *error, size_t size);
/* What either may say of a file that is no ELF: physical addresses. */
struct multiboot_addresses {
    uint32_t header, load, load_end, bss_end, entry; /* load_end, bss_end: 0 is none */
};
int multiboot_place(struct image *, struct multiboot_addresses, char *error, size_t size);

/* It asks for such a screen, 0 where it does not care; gets that, or the nearest that there is. */
void multiboot_choose_screen(struct multiboot *, uint32_t width, uint32_t height, uint32_t bits);

/* What it takes of memory beyond the kernel itself, bytes. */
uint64_t multiboot_room(const struct image *);
/* Before the kernel is put into memory: where a relocatable one goes. */
int multiboot_relocate(struct image *, const struct memory *, char *error, size_t size);
/* Afterwards: modules, information, a GDT and a little stack. 0, or -errno with a sentence. */
int multiboot_load(struct image *, struct memory *, char *error, size_t size);

/* --- the information (information.c) --- */

/* What it tells beyond what the memory map says. */
struct multiboot_facts {
    const struct image *image;
    const struct memory *memory;
    const char *command_line;
    struct {
        uint32_t from, to;
        const char *text;
    } modules[MULTIBOOT_MODULES];
    unsigned module_count;
    bool has_sections;
    struct sections sections;
    uint32_t sections_at;
};
/* As it is at physical address `base`; its size. `to` NULL: the size only. */
size_t multiboot1_information(const struct multiboot_facts *, uint32_t base, uint8_t *to);
size_t multiboot2_information(const struct multiboot_facts *, uint32_t base, uint8_t *to);

#endif
