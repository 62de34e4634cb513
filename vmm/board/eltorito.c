/* The volume descriptor, the boot catalog and its entries; see eltorito.h. */
#include "vmm/board/eltorito.h"

#include <stdio.h>
#include <string.h>

#include "vmm/board/memory_map.h"
#include "vmm/memory/layout.h"

enum { FIRST_DESCRIPTOR = 16, DESCRIPTORS = 32 }; /* so many are looked at */
enum { ENTRY = 32, ENTRIES_OF_BLOCK = ELTORITO_BLOCK / ENTRY, ENTRIES_MAX = 8 * ENTRIES_OF_BLOCK };
enum { X86 = 0, EFI = 0xef };
enum { USUAL_SEGMENT = 0x7c0, LOWEST = 0x500 };

static unsigned word_at(const uint8_t *at) { return (unsigned)(at[0] | at[1] << 8); }

static uint32_t dword_at(const uint8_t *at) { return word_at(at) | (uint32_t)word_at(at + 2) << 16; }

struct disc {
    eltorito_read *read;
    void *context;
    uint32_t block; /* the one in `bytes` */
    bool has_block;
    uint8_t bytes[ELTORITO_BLOCK];
    struct eltorito *found;
    char *error;
    size_t size;
};

#define REFUSE(d, ...) (snprintf((d)->error, (d)->size, __VA_ARGS__), false)

static void note_oddity(struct eltorito *e, const char *note) {
    size_t n = strlen(e->note);
    snprintf(e->note + n, sizeof e->note - n, "%s%s", n ? "; " : "", note);
}

static const uint8_t *disc_block(struct disc *d, uint32_t block) {
    if (!d->has_block || d->block != block)
        d->has_block = d->read(d->context, block, d->bytes);
    d->block = block;
    return d->has_block ? d->bytes : NULL;
}

/* --- the catalog ------------------------------------------------------------------------------ */

/* Figure 7: descriptors are at block 16 and behind; the boot record's is at 17, but not everywhere. */
static bool find_catalog(struct disc *d) {
    static const char boot_record[] = "\0CD001\1EL TORITO SPECIFICATION", magic[] = "CD001";
    const uint8_t *b;
    for (unsigned n = 0; n < DESCRIPTORS && (b = disc_block(d, FIRST_DESCRIPTOR + n)); n++) {
        if (memcmp(b + 1, magic, 5) || b[0] == 0xff)
            break;
        if (!memcmp(b, boot_record, sizeof boot_record - 1)) {
            d->found->catalog = dword_at(b + 0x47);
            return true;
        }
    }
    return REFUSE(d, "it has no boot catalog (El Torito); a CD for PCs is made bootable by grub-mkrescue, or "
                  "xorriso -as mkisofs -b");
}

static const uint8_t *entry_at(struct disc *d, unsigned n) {
    const uint8_t *b = n < ENTRIES_MAX ? disc_block(d, d->found->catalog + n / ENTRIES_OF_BLOCK) : NULL;
    return b ? b + n % ENTRIES_OF_BLOCK * ENTRY : NULL;
}

/* Figure 2, the validation entry. The sum of its words is 0; where it is not, many PCs boot all the same. */
static bool check_catalog(struct disc *d, uint8_t *platform) {
    const uint8_t *e = entry_at(d, 0);
    uint16_t sum = 0;
    if (!e)
        return REFUSE(d, "its boot catalog, at block %u, cannot be read", d->found->catalog);
    if (e[0] != 1 || e[30] != 0x55 || e[31] != 0xaa)
        return REFUSE(d, "its boot catalog, at block %u, does not begin with a validation entry (01 ... 55 AA)",
                      d->found->catalog);
    for (unsigned i = 0; i < ENTRY; i += 2)
        sum = (uint16_t)(sum + word_at(e + i));
    if (sum)
        note_oddity(d->found, "the boot catalog's checksum is wrong, and some PCs refuse that");
    *platform = e[1];
    return true;
}

/* --- entries ------------------------------------------------------------------------------------- */

enum { BOOTABLE = 0x88, SECTION = 0x90, LAST_SECTION = 0x91, EXTENSION = 0x44 };

/* Figures 4 to 6: a section is a header, and as many entries; extensions of one may follow it. */
static const uint8_t *find_in_section(struct disc *d, unsigned *n, unsigned count, uint8_t platform) {
    const uint8_t *e;
    while (count && (e = entry_at(d, ++*n))) {
        if (e[0] == EXTENSION)
            continue;
        if (e[0] == BOOTABLE && platform == X86)
            return e;
        count--;
    }
    return NULL;
}

/* The default entry is of the validation entry's platform; each section has its own. The first that a
 * PC's BIOS can boot. */
static const uint8_t *find_entry(struct disc *d, uint8_t platform, bool *efi) {
    const uint8_t *e = entry_at(d, 1);
    if (e && e[0] == BOOTABLE && platform == X86)
        return e;
    *efi = platform == EFI;
    for (unsigned n = 2; (e = entry_at(d, n)); n++) {
        if (e[0] == EXTENSION)
            continue;
        if (e[0] != SECTION && e[0] != LAST_SECTION)
            return NULL;
        bool last = e[0] == LAST_SECTION;
        *efi |= e[1] == EFI;
        if ((e = find_in_section(d, &n, word_at(e + 2), e[1])) || last)
            return e;
    }
    return NULL;
}

/* As much as lies below the BIOS's data. */
static void clip(struct eltorito *e) {
    enum { END = MEMORY_VIDEO - MEMORY_EBDA_SIZE };
    uint32_t room = (END - e->address) / ELTORITO_SECTOR;
    char note[100];
    if (e->sectors <= room)
        return;
    snprintf(note, sizeof note, "of the boot image's %u sectors the first %u are loaded, as memory ends at 0x%x",
             e->sectors, room, END);
    note_oddity(e, note);
    e->sectors = room;
}

static bool take_entry(struct disc *d, const uint8_t *entry) {
    struct eltorito *e = d->found;
    unsigned segment = word_at(entry + 2);
    e->media = entry[1] & 15;
    e->address = (segment ? segment : USUAL_SEGMENT) * 16u;
    e->sectors = word_at(entry + 6);
    e->image = dword_at(entry + 8);
    if (e->media >= ELTORITO_MEDIA)
        return REFUSE(d, "its boot catalog has media type %u, and there are 0 to 4", e->media);
    if (e->address < LOWEST || e->address > MEMORY_VIDEO - MEMORY_EBDA_SIZE - ELTORITO_SECTOR)
        return REFUSE(d, "its boot image goes to segment %04x, where the BIOS has its own data or there is no memory",
                      segment);
    if (!e->sectors)
        return REFUSE(d, "its boot catalog says that no sector of the boot image is loaded (sector count 0)");
    clip(e);
    uint32_t last = e->image + (e->sectors * ELTORITO_SECTOR - 1) / ELTORITO_BLOCK;
    if (last < e->image || !disc_block(d, e->image) || !disc_block(d, last))
        return REFUSE(d, "its boot image, %u sectors at block %u, is not all on the disc", e->sectors, e->image);
    return true;
}

bool eltorito_find(eltorito_read *read, void *context, struct eltorito *out, char *error, size_t size) {
    struct disc d = {.read = read, .context = context, .found = out, .error = error, .size = size};
    uint8_t platform;
    bool efi = false;
    *out = (struct eltorito){0};
    if (!find_catalog(&d) || !check_catalog(&d, &platform))
        return false;
    const uint8_t *entry = find_entry(&d, platform, &efi);
    if (!entry)
        return REFUSE(&d, "its boot catalog, at block %u, has nothing for a PC's BIOS (platform 00)%s", out->catalog,
                      efi ? ", only for EFI; there is no EFI here" : "");
    uint8_t copy[ENTRY];
    memcpy(copy, entry, sizeof copy); /* other blocks are looked at */
    return take_entry(&d, copy);
}

/* --- what it is seen as ---------------------------------------------------------------------------- */

uint8_t eltorito_drive(const struct eltorito *e, uint8_t cd) {
    return e->media == ELTORITO_NONE ? cd : e->media == ELTORITO_HARD_DISK ? 0x80 : 0;
}

const char *eltorito_media_name(unsigned media) {
    static const char *const names[] = {"no emulation", "1.2M floppy emulation", "1.44M floppy emulation",
                                        "2.88M floppy emulation", "hard-disk emulation"};
    return media < ELTORITO_MEDIA ? names[media] : "unknown";
}
