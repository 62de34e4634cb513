/* What is booted from a CD, by its boot catalog. */
#include "tests/unit/unit.h"

#include "vmm/board/eltorito.h"

enum { BLOCKS = 60, CATALOG = 19, IMAGE = 30, ENTRY = 32 };

static uint8_t disc[BLOCKS][ELTORITO_BLOCK];
static unsigned there = BLOCKS; /* blocks that can be read */
static struct eltorito e;
static char why[200];

static bool read_block(void *context, uint32_t block, uint8_t to[ELTORITO_BLOCK]) {
    (void)context;
    if (block >= there)
        return false;
    memcpy(to, disc[block], ELTORITO_BLOCK);
    return true;
}

static bool finds(void) {
    *why = 0;
    return eltorito_find(read_block, NULL, &e, why, sizeof why);
}

static bool refuses(const char *words) {
    bool refused = !finds() && strstr(why, words);
    if (!refused)
        fprintf(stderr, "said: %s\n", why);
    return refused;
}

static uint8_t *entry(unsigned n) { return disc[CATALOG + n / 64] + n % 64 * ENTRY; }

static void put(unsigned n, uint8_t bootable, uint8_t media, unsigned segment, unsigned count, uint32_t block) {
    const uint8_t bytes[ENTRY] = {bootable, media, (uint8_t)segment, (uint8_t)(segment >> 8), 6, 0, (uint8_t)count,
                                  (uint8_t)(count >> 8), (uint8_t)block, (uint8_t)(block >> 8),
                                  (uint8_t)(block >> 16), (uint8_t)(block >> 24)};
    memcpy(entry(n), bytes, sizeof bytes);
}

static void put_header(unsigned n, uint8_t kind, uint8_t platform, unsigned count) {
    const uint8_t bytes[ENTRY] = {kind, platform, (uint8_t)count, (uint8_t)(count >> 8)};
    memcpy(entry(n), bytes, sizeof bytes);
}

static void put_validation(uint8_t platform) {
    uint8_t *v = entry(0);
    memset(v, 0, ENTRY);
    v[0] = 1;
    v[1] = platform;
    v[30] = 0x55;
    v[31] = 0xaa;
    unsigned sum = 0;
    for (unsigned i = 0; i < ENTRY; i += 2)
        sum += v[i] | (unsigned)v[i + 1] << 8;
    v[28] = (uint8_t)-sum;
    v[29] = (uint8_t)(-sum >> 8);
}

/* With one entry, without emulation. */
static void begin(void) {
    memset(disc, 0, sizeof disc);
    there = BLOCKS;
    memcpy(disc[16], "\1CD001\1", 7);
    memcpy(disc[17], "\0CD001\1EL TORITO SPECIFICATION", 30);
    memcpy(disc[18], "\377CD001\1", 7);
    disc[17][0x47] = CATALOG;
    put_validation(0);
    put(1, 0x88, 0, 0, 4, IMAGE);
}

static void default_entry(void) {
    begin();
    CHECK(finds() && e.media == 0 && e.image == IMAGE && e.sectors == 4 && e.address == 0x7c00 && !*e.note);
    CHECK(eltorito_drive(&e, 0xe1) == 0xe1 && e.catalog == CATALOG);
    put(1, 0x88, ELTORITO_HARD_DISK, 0x1000, 1, IMAGE);
    CHECK(finds() && e.address == 0x10000 && eltorito_drive(&e, 0xe0) == 0x80);
    for (unsigned media = 1; media <= 3; media++) {
        put(1, 0x88, (uint8_t)(media | 0x40), 0, 1, IMAGE); /* bits 4 to 7 are not the type */
        CHECK(finds() && e.media == media && eltorito_drive(&e, 0xe0) == 0);
    }
    memcpy(disc[18], disc[17], ELTORITO_BLOCK); /* a boot record that is not the first */
    memcpy(disc[17], "\2CD001\1", 8);
    CHECK(finds());
}

static void sections(void) {
    begin();
    put_validation(0xef);
    CHECK(refuses("only for EFI"));
    put_header(2, 0x90, 0xef, 2);
    put(3, 0x88, 0, 0, 1, 5);
    put(4, 0x88, 0, 0, 1, 5);
    put_header(5, 0x90, 0, 1);
    put(6, 0x00, 0, 0, 1, 5); /* not bootable */
    put_header(7, 0x91, 0, 2);
    put(8, 0x00, 0, 0, 1, 5);
    put_header(9, 0x44, 0, 0); /* an extension of that */
    put(10, 0x88, 2, 0, 1, IMAGE + 1);
    CHECK(finds() && e.image == IMAGE + 1 && e.media == 2);
    entry(10)[0] = 0;
    CHECK(refuses("nothing for a PC's BIOS"));
    put_header(7, 0x90, 0, 0xffff); /* longer than all of it */
    CHECK(refuses("nothing for a PC's BIOS"));
    for (unsigned n = 2; n < 64 * 10; n++) /* over many blocks */
        put_header(n, 0x90, 0x01, 0);
    CHECK(refuses("nothing for a PC's BIOS"));
    put_header(99, 0x91, 0, 1);
    put(100, 0x88, 0, 0, 1, IMAGE);
    there = IMAGE;
    CHECK(refuses("not all on the disc"));
    there = BLOCKS;
    memset(disc[IMAGE], 0, ELTORITO_BLOCK);
    CHECK(finds() && e.image == IMAGE);
}

static void what_is_odd(void) {
    begin();
    entry(0)[28]++;
    CHECK(finds() && strstr(e.note, "checksum is wrong"));
    put(1, 0x88, 0, 0x9000, 0xff, 0);
    CHECK(finds() && e.sectors == (0x9fc00 - 0x90000) / 512 && strstr(e.note, "; of the boot image's 255 sectors the first 126"));
}

static void what_is_wrong(void) {
    begin();
    disc[17][7] = 'X';
    CHECK(refuses("no boot catalog"));
    begin();
    there = 17;
    CHECK(refuses("no boot catalog"));
    there = CATALOG;
    CHECK(refuses("block 19, cannot be read"));
    begin();
    entry(0)[30] = 0;
    CHECK(refuses("validation entry"));
    begin();
    entry(1)[0] = 0;
    CHECK(refuses("nothing for a PC's BIOS (platform 00)"));
    put(1, 0x88, 5, 0, 1, IMAGE);
    CHECK(refuses("media type 5"));
    put(1, 0x88, 0, 0x4f, 1, IMAGE);
    CHECK(refuses("segment 004f"));
    put(1, 0x88, 0, 0x9fb0, 1, IMAGE);
    CHECK(refuses("segment 9fb0"));
    put(1, 0x88, 0, 0, 0, IMAGE);
    CHECK(refuses("sector count 0"));
    put(1, 0x88, 0, 0, 5, BLOCKS - 1);
    CHECK(refuses("not all on the disc"));
    put(1, 0x88, 0, 0, 4, BLOCKS - 1);
    CHECK(finds());
    put(1, 0x88, 0, 0, 8, 0xffffffff);
    CHECK(refuses("not all on the disc"));
    memset(disc[17] + 0x47, 0xff, 4);
    CHECK(refuses("cannot be read"));
}

int main(void) {
    default_entry();
    sections();
    what_is_odd();
    what_is_wrong();
    CHECK_STR(eltorito_media_name(ELTORITO_1440K), "1.44M floppy emulation");
    return unit_end();
}
