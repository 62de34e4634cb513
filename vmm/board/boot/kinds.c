/* The kinds of image; see kinds.h. */
#include "vmm/board/boot/kinds.h"

#include <elf.h>
#include <string.h>

#include "vmm/board/boot/multiboot.h"

enum { KIB = 1 << 10, MIB = 1 << 20, SIGNATURE = 510, PARTITIONS = 0x1be, LARGEST_FLOPPY = 2880 * KIB };

static bool has(const struct image_probe *p, size_t at, const void *bytes, size_t size) {
    return at + size <= p->head_size && !memcmp(p->head + at, bytes, size);
}

/* --- disks --------------------------------------------------------------------------- */

static bool has_signature(const struct image_probe *p) { return has(p, SIGNATURE, "\x55\xaa", 2); }

/* What floppies were sold as. */
static bool is_floppy_size(uint64_t bytes) {
    static const unsigned kib[] = {160, 180, 320, 360, 720, 1200, 1440, 2880};
    for (unsigned i = 0; i < sizeof kib / sizeof *kib; i++)
        if (bytes == (uint64_t)kib[i] * KIB)
            return true;
    return false;
}

static uint32_t word32(const uint8_t *at) {
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* An entry is unused, and zeros; or active or not, with sectors that the disk has. */
static bool entry_makes_sense(const uint8_t *entry, uint64_t sectors, bool *used) {
    static const uint8_t zeros[16];
    uint32_t first = word32(entry + 8), count = word32(entry + 12);
    *used = entry[4] != 0;
    if (!*used)
        return !memcmp(entry, zeros, sizeof zeros);
    return (entry[0] & 0x7f) == 0 && first && count && first < sectors;
}

unsigned kinds_partitions(const uint8_t *head, size_t head_size, uint64_t disk) {
    unsigned count = 0;
    for (unsigned i = 0; head_size >= IMAGE_SECTOR && i < 4; i++) {
        bool used;
        if (!entry_makes_sense(head + PARTITIONS + 16 * i, disk / IMAGE_SECTOR, &used))
            return 0;
        count += used;
    }
    return count;
}

static bool is_sector(const struct image_probe *p) {
    return p->size == IMAGE_SECTOR && has_signature(p);
}

static bool is_hard_disk(const struct image_probe *p) {
    if (!has_signature(p) || is_floppy_size(p->size))
        return false;
    return p->size >= LARGEST_FLOPPY || kinds_partitions(p->head, p->head_size, p->size);
}

/* FAT's BIOS parameter block, as a floppy has it: bytes a sector, sectors a track, heads. */
static bool is_floppy(const struct image_probe *p) {
    return has_signature(p) && (is_floppy_size(p->size) || (has(p, 0x0b, "\0\2", 2) && has(p, 0x1b, "\0", 1) &&
                                                          p->head[0x18] >= 8 && p->head[0x18] <= 36 &&
                                                          p->head[0x1a] >= 1 && p->head[0x1a] <= 2));
}

static bool is_unbootable(const struct image_probe *p) {
    return is_floppy_size(p->size) && !has_signature(p);
}

static bool is_iso(const struct image_probe *p) { return has(p, 0x8001, "CD001", 5); }
static bool is_hybrid(const struct image_probe *p) { return is_iso(p) && has_signature(p); }
/* The boot record is in one of the volume descriptors, from the second on. */
static bool is_bootable_cd(const struct image_probe *p) {
    static const char record[] = "\0CD001\1EL TORITO SPECIFICATION";
    for (size_t at = 0x8800; is_iso(p) && at < PROBE_HEAD; at += 0x800)
        if (has(p, at, record, sizeof record - 1))
            return true;
    return false;
}
static bool is_bootable_hybrid(const struct image_probe *p) { return is_bootable_cd(p) && has_signature(p); }
static bool is_vhd(const struct image_probe *p) {
    return has(p, 0, "conectix", 8) || (p->tail && !memcmp(p->tail, "conectix", 8));
}

/* --- ELF and Multiboot -------------------------------------------------------------------- */

static bool is_elf(const struct image_probe *p) {
    return p->head_size >= EI_NIDENT && has(p, 0, ELFMAG, SELFMAG);
}
static bool is_elf64(const struct image_probe *p) {
    return is_elf(p) && p->head[EI_CLASS] == ELFCLASS64;
}
/* What is wrong with a shorter one is told when it is read. */
static bool is_low_elf(const struct image_probe *p) {
    Elf32_Ehdr header;
    if (!is_elf(p) || p->head_size < sizeof header)
        return is_elf(p);
    memcpy(&header, p->head, sizeof header);
    return header.e_entry < MIB;
}

static bool has_multiboot1(const struct image_probe *p) {
    size_t at;
    return multiboot1_find(p->head, p->head_size, &at);
}
static bool is_multiboot1(const struct image_probe *p) {
    return has_multiboot1(p) && (is_elf(p) || multiboot1_has_addresses(p->head, p->head_size));
}
static bool is_multiboot2(const struct image_probe *p) {
    size_t at;
    return multiboot2_find(p->head, p->head_size, &at);
}

/* --- others ------------------------------------------------------------------------------- */

/* A Windows or EFI program: a DOS one that names where its other header is. */
static bool is_pe(const struct image_probe *p) {
    return has(p, 0, "MZ", 2) && p->head_size >= 0x40 &&
           has(p, word32(p->head + 0x3c), "PE\0", 4);
}

static bool is_macho(const struct image_probe *p) {
    static const char magics[][5] = {"\xce\xfa\xed\xfe", "\xcf\xfa\xed\xfe", "\xca\xfe\xba\xbe"};
    for (unsigned i = 0; i < sizeof magics / sizeof *magics; i++)
        if (has(p, 0, magics[i], 4))
            return true;
    return false;
}

/* Bytes of the character of text (UTF-8) that stands there, or 0: there is none. */
static size_t text_character(const uint8_t *at, size_t left) {
    if (*at < 0x80)
        return (*at >= ' ' && *at <= '~') || *at == '\t' || *at == '\n' || *at == '\r';
    size_t length = *at >= 0xf0 ? 4 : *at >= 0xe0 ? 3 : 2;
    if (*at < 0xc2 || *at > 0xf4)
        return 0;
    for (size_t i = 1; i < length && i < left; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

/* Lines of text from begin to end, as a source or a listing has them. */
static bool is_text(const struct image_probe *p) {
    enum { SHORTEST = 16, LOOK = 4096 };
    size_t lines = 0, size = p->head_size < LOOK ? p->head_size : LOOK, length;
    for (size_t i = 0; i < size; i += length) {
        length = text_character(p->head + i, size - i);
        if (!length)
            return false;
        lines += p->head[i] == '\n';
    }
    return lines && size >= SHORTEST;
}

static bool is_anything(const struct image_probe *p) {
    (void)p;
    return true;
}

/* --- the table ---------------------------------------------------------------------------- */

#define REFUSED START_AUTO, BOOT_AUTO
#define MAGIC(at, bytes) at, bytes, sizeof(bytes) - 1
#define DECOMPRESS(with) "decompress it first (" with ")"
#define CONVERT "convert it first (qemu-img convert -O raw)"

static const struct image_kind kinds[] = {
    {"ELF file with a Multiboot 1 header", "1BADB002 and its checksum in the first 8 KiB", is_multiboot1,
     "as Multiboot 1 says: 32-bit protected mode, EAX = 2BADB002, information at EBX",
     START_MULTIBOOT, BOOT_AUTO, 0, ELFMAG, SELFMAG},
    {"ELF file with a Multiboot 2 header", "E85250D6 and its checksum in the first 32 KiB", is_multiboot2,
     "as Multiboot 2 says: 32-bit protected mode, EAX = 36D76289, information at EBX",
     START_MULTIBOOT2, BOOT_AUTO, 0, ELFMAG, SELFMAG},
    {"64-bit ELF file", "its class", is_elf64, "in long mode, 4 GiB mapped one to one", START_LONG,
     BOOT_AUTO, 0, NULL, 0},
    {"ELF file for real mode", "32-bit, entry below 1 MiB", is_low_elf, "in real mode at its entry",
     START_REAL, BOOT_AUTO, 0, ELFMAG, SELFMAG},
    {"32-bit ELF file", "its class", is_elf, "in flat 32-bit protected mode", START_PROTECTED, BOOT_AUTO,
     0, NULL, 0},
    {"Linux kernel (bzImage)", "HdrS at 514", NULL, "its loader does that, GRUB, ISOLINUX or SYSLINUX, from a CD, disk or floppy",
     REFUSED, MAGIC(514, "HdrS")},
    {"bootable CD that is a disk, too", "CD001 at 32769, EL TORITO SPECIFICATION behind it, and 55 AA at 510",
     is_bootable_hybrid, "as a CD, as its boot catalog says; --boot=disk boots its first sector, as from a USB stick",
     START_REAL, BOOT_CDROM, 0, NULL, 0},
    {"bootable CD", "CD001 at 32769, and EL TORITO SPECIFICATION behind it", is_bootable_cd,
     "as its boot catalog says", START_REAL, BOOT_CDROM, 0, NULL, 0},
    {"CD image that is a disk, too", "CD001 at 32769, no boot catalog, and 55 AA at 510", is_hybrid,
     "its first sector in real mode at 0000:7C00, DL = 80", START_REAL, BOOT_DISK, 0, NULL, 0},
    {"CD that is not bootable", "CD001 at 32769, and no boot catalog (El Torito)", is_iso,
     "name what boots, and this with --cdrom; or make it bootable (grub-mkrescue, xorriso)", REFUSED, 0, NULL, 0},
    {"boot sector", "512 bytes, 55 AA at 510", is_sector,
     "in real mode at 0000:7C00, DL = 80", START_REAL, BOOT_EITHER, 0, NULL, 0},
    {"virtual disk (VHD)", "conectix at the start or in the last sector", is_vhd, CONVERT, REFUSED, 0, NULL, 0},
    {"hard disk", "55 AA at 510, and 2880 KiB or more, or a partition table", is_hard_disk,
     "its first sector in real mode at 0000:7C00, DL = 80", START_REAL, BOOT_DISK, 0, NULL, 0},
    {"floppy", "55 AA at 510, and a floppy's size or parameter block", is_floppy,
     "its first sector in real mode at 0000:7C00, DL = 00", START_REAL, BOOT_FLOPPY, 0, NULL, 0},
    {"disk", "55 AA at 510, and less than 2880 KiB", NULL,
     "its first sector in real mode at 0000:7C00, DL = 80; drive 00 is the same", START_REAL, BOOT_EITHER,
     MAGIC(SIGNATURE, "\x55\xaa")},
    {"file of a Multiboot 1 kernel", "1BADB002 in the first 8 KiB, with address fields", is_multiboot1,
     "as Multiboot 1 says, loaded where the header says", START_MULTIBOOT, BOOT_AUTO, 0, NULL, 0},
    {"file of a Multiboot 2 kernel", "E85250D6 in the first 32 KiB", is_multiboot2,
     "as Multiboot 2 says, loaded where the header says", START_MULTIBOOT2, BOOT_AUTO, 0, NULL, 0},
    {"flat image with a Multiboot 1 header that does not say where it is loaded (flag 16)",
     "1BADB002 in the first 8 KiB", has_multiboot1, "link it as an ELF file, or add the address fields; "
     "--mode=real starts it without", REFUSED, 0, NULL, 0},
    {"raw CD image (2352 bytes a block)", "00, ten times FF, 00", NULL,
     "convert it to an ISO file first (bchunk)", REFUSED, MAGIC(0, "\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0")},
    {"gzip file", "1F 8B", NULL, DECOMPRESS("gunzip"), REFUSED, MAGIC(0, "\x1f\x8b\x08")},
    {"xz file", "FD 37 7A 58 5A", NULL, DECOMPRESS("unxz"), REFUSED, MAGIC(0, "\xfd" "7zXZ")},
    {"zstd file", "28 B5 2F FD", NULL, DECOMPRESS("unzstd"), REFUSED, MAGIC(0, "\x28\xb5\x2f\xfd")},
    {"bzip2 file", "BZh", NULL, DECOMPRESS("bunzip2"), REFUSED, MAGIC(0, "BZh")},
    {"lz4 file", "04 22 4D 18", NULL, DECOMPRESS("unlz4"), REFUSED, MAGIC(0, "\x04\x22\x4d\x18")},
    {"zip archive", "PK 03 04", NULL, DECOMPRESS("unzip"), REFUSED, MAGIC(0, "PK\x03\x04")},
    {"7z archive", "37 7A BC AF", NULL, DECOMPRESS("7z x"), REFUSED, MAGIC(0, "7z\xbc\xaf\x27\x1c")},
    {"tar archive", "ustar at 257", NULL, "unpack it first (tar -xf)", REFUSED, MAGIC(257, "ustar")},
    {"cpio archive (an initrd?)", "070701", NULL, "name the kernel that it is for", REFUSED, MAGIC(0, "070701")},
    {"qcow2 disk", "QFI FB", NULL, CONVERT, REFUSED, MAGIC(0, "QFI\xfb")},
    {"VMDK disk", "KDMV", NULL, CONVERT, REFUSED, MAGIC(0, "KDMV")},
    {"VMDK description", "# Disk DescriptorFile", NULL, CONVERT, REFUSED, MAGIC(0, "# Disk DescriptorFile")},
    {"VDI disk", "BEDA107F at 64", NULL, CONVERT, REFUSED, MAGIC(64, "\x7f\x10\xda\xbe")},
    {"VHDX disk", "vhdxfile", NULL, CONVERT, REFUSED, MAGIC(0, "vhdxfile")},
    {"EFI or Windows program (PE)", "MZ, and PE where it points to", is_pe,
     "there is no EFI here; use a build for BIOS or Multiboot", REFUSED, 0, NULL, 0},
    {"DOS program (MZ)", "MZ", NULL, "it needs DOS; put it on a disk that boots that", REFUSED, MAGIC(0, "MZ")},
    {"Mach-O file", "FEEDFACE, FEEDFACF or CAFEBABE", is_macho,
     "link it as ELF (a cross compiler, i686-elf-gcc)", REFUSED, 0, NULL, 0},
    {"script", "#!", NULL, "name the image that it makes", REFUSED, MAGIC(0, "#!")},
    {"text file", "lines of ASCII or UTF-8", is_text, "assemble or compile it first, and name what that makes",
     REFUSED, 0, NULL, 0},
    {"floppy that is not bootable", "a floppy's size, without 55 AA at 510", is_unbootable,
     "its first sector must end in 55 AA; --boot=floppy boots it all the same, --mode=real runs it as a "
     "flat image", REFUSED, 0, NULL, 0},
    {"flat image", "anything else", is_anything, "in real mode at --load (0x1000)", START_REAL, BOOT_AUTO,
     0, NULL, 0},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

const struct image_kind *kinds_nth(unsigned n) { return n < KINDS ? &kinds[n] : NULL; }

const struct image_kind *kinds_find(const struct image_probe *p) {
    const struct image_kind *k = kinds;
    while ((k->magic && !has(p, k->magic_at, k->magic, k->magic_size)) || (k->is && !k->is(p)))
        k++;
    return k;
}

const struct image_kind *kinds_of_drive(enum boot_drive drive) {
    const struct image_kind *k = &kinds[KINDS - 1];
    while (k->drive != drive)
        k--;
    return k;
}

const struct image_kind *kinds_flat(void) { return &kinds[KINDS - 1]; }

bool image_kind_doc(unsigned n, struct image_kind_doc *out) {
    const struct image_kind *k = kinds_nth(n);
    if (k)
        *out = (struct image_kind_doc){k->name, k->known_by, k->starts, k->mode != START_AUTO};
    return k != NULL;
}
