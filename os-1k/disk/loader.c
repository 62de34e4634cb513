/* The loader of the disk image: it finds the kernel, an ELF file, behind itself on the disk, and
 * puts each segment where its program header says. It is C for real mode (-m16): 32-bit registers,
 * and pointers into the first 64 KiB, for all segments are 0.
 *
 *   0x1000  the kernel's first segment, which goes on to protected mode by itself (boot.S)
 *   0x7c00  the stack grows down from here; above it the first stage
 *   0x8000  this
 *   0xa000  what is read, on its way to where it belongs
 *
 * Memory from 1 MiB on is out of a pointer's reach: the BIOS copies to it (int 15h, AH = 87h).
 */
#include <elf.h>
#include <stdbool.h>
#include <stdint.h>

enum { SECTOR = 512, KERNEL_SECTOR = 17 };     /* the first stage has one, this has 16 */
enum { BUFFER = 0xa000, BUFFER_SECTORS = 32 }; /* 16 KiB */

uint32_t loader_main(uint32_t drive);

/* --- the BIOS ----------------------------------------------------------------------------- */

static void print(const char *text) {
    for (; *text; text++)
        __asm__ volatile("int $0x10" : : "a"(0x0e00 | (uint8_t)*text), "b"(7));
}

static void __attribute__((noreturn)) fail(const char *why) {
    print(why);
    for (;;)
        __asm__ volatile("cli; hlt");
}

static struct {
    uint32_t drive, sectors, heads; /* the number; of a track; of a cylinder */
} disk;

/* ES is set for floppies. */
static void ask_geometry(uint32_t drive) {
    uint32_t ax = 0x0800, cx = 0, dx = drive, di = 0;
    bool failed;
    __asm__ volatile("pushw %%es\n\t int $0x13\n\t popw %%es\n\t setc %0"
                     : "=qm"(failed), "+a"(ax), "+c"(cx), "+d"(dx), "+D"(di) : : "ebx", "memory", "cc");
    if (failed)
        fail("loader: the BIOS does not know the drive\r\n");
    disk.drive = drive;
    disk.sectors = cx & 0x3f;
    disk.heads = (dx >> 8 & 0xff) + 1;
}

/* Sector number `lba` as cylinder, head and sector. */
static void read_sector(uint32_t lba, uint32_t to) {
    uint32_t track = lba / disk.sectors, ax = 0x0201;
    uint32_t cylinder = track / disk.heads, head = track % disk.heads, sector = lba % disk.sectors + 1;
    bool failed;
    __asm__ volatile("int $0x13\n\t setc %0" : "=qm"(failed), "+a"(ax)
                     : "b"(to), "c"(cylinder << 8 | (cylinder >> 2 & 0xc0) | sector),
                       "d"(head << 8 | disk.drive) : "memory", "cc");
    if (failed)
        fail("loader: the disk cannot be read\r\n");
}

/* Any address below 16 MiB to any other. The BIOS wants them as segments of a descriptor table,
 * of which it fills in the rest. */
static void copy(uint32_t from, uint32_t to, uint32_t bytes) {
    struct {
        uint16_t limit, base_low;
        uint8_t base_middle, access;
        uint16_t base_high;
    } table[6] = {
        [2] = {0xffff, (uint16_t)from, (uint8_t)(from >> 16), 0x93, (uint16_t)(from >> 16 & 0xff00)},
        [3] = {0xffff, (uint16_t)to, (uint8_t)(to >> 16), 0x93, (uint16_t)(to >> 16 & 0xff00)}};
    uint32_t ax = 0x8700;
    bool failed;
    __asm__ volatile("int $0x15\n\t setc %0" : "=qm"(failed), "+a"(ax)
                     : "c"((bytes + 1) / 2), "S"(table) : "memory", "cc");
    if (failed)
        fail("loader: the BIOS cannot copy to upper memory\r\n");
}

/* --- the kernel ------------------------------------------------------------------------------- */

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* Bytes of the kernel's file, which begin in some sector of it, to physical memory. */
static void load(uint32_t offset, uint32_t to, uint32_t bytes) {
    while (bytes) {
        uint32_t before = offset % SECTOR, part = least(bytes, BUFFER_SECTORS * SECTOR - before);
        for (uint32_t at = 0; at < before + part; at += SECTOR)
            read_sector(KERNEL_SECTOR + (offset + at) / SECTOR, BUFFER + at);
        copy(BUFFER + before, to, part);
        offset += part;
        to += part;
        bytes -= part;
    }
}

static void clear(uint32_t to, uint32_t bytes) {
    static const uint8_t zeros[SECTOR];
    for (uint32_t at = 0; at < bytes; at += SECTOR)
        copy((uint32_t)zeros, to + at, least(bytes - at, SECTOR));
}

static void load_segment(const Elf32_Phdr *p) {
    if (p->p_type != PT_LOAD)
        return;
    clear(p->p_paddr, p->p_memsz);
    load(p->p_offset, p->p_paddr, p->p_filesz);
}

uint32_t loader_main(uint32_t drive) {
    static uint8_t first[SECTOR]; /* the ELF header and its program headers */
    const Elf32_Ehdr *elf = (const Elf32_Ehdr *)first;
    print("loader: the kernel\r\n");
    ask_geometry(drive);
    read_sector(KERNEL_SECTOR, (uint32_t)first);
    if (*(const uint32_t *)first != 0x464c457f) /* "\177ELF" */
        fail("loader: there is no kernel behind the loader\r\n");
    const Elf32_Phdr *segments = (const Elf32_Phdr *)(first + elf->e_phoff);
    for (unsigned i = 0; i < elf->e_phnum; i++)
        load_segment(&segments[i]);
    return elf->e_entry;
}
