/* Any volume descriptors and boot catalog: what is said to be booted is on the disc, and fits where it
 * goes; what is refused is refused with a reason.
 *
 *     blocks   a byte: how many the disc has, from 16 on
 *     then     pieces: which block, where in it, how long, the bytes
 */
#include "fuzz.h"
#include "vmm/board/eltorito.h"

enum { FIRST = 16, BLOCKS = 32, READS_MAX = 700, DATA_END = 0x9fc00 };

static uint8_t disc[BLOCKS][ELTORITO_BLOCK];
static unsigned blocks, reads;

static bool read_block(void *context, uint32_t block, uint8_t to[ELTORITO_BLOCK]) {
    (void)context;
    reads++;
    if (block >= FIRST + blocks)
        return false;
    if (block < FIRST)
        memset(to, 0, ELTORITO_BLOCK);
    else
        memcpy(to, disc[block - FIRST], ELTORITO_BLOCK);
    return true;
}

static void put_piece(struct feed *in) {
    unsigned block = (unsigned)feed_number(in, 1) % BLOCKS, at = (unsigned)feed_number(in, 2) % ELTORITO_BLOCK;
    unsigned length = (unsigned)feed_number(in, 1);
    length = length < ELTORITO_BLOCK - at ? length : ELTORITO_BLOCK - at;
    struct feed piece = feed_part(in, length);
    feed_bytes(&piece, disc[block] + at, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct feed in = {bytes, size};
    struct eltorito e;
    char why[200] = "";
    memset(disc, 0, sizeof disc);
    blocks = (unsigned)feed_number(&in, 1) % (BLOCKS + 1);
    reads = 0;
    while (in.left)
        put_piece(&in);
    bool found = eltorito_find(read_block, NULL, &e, why, sizeof why);
    must(reads <= READS_MAX, "a catalog has an end");
    must(strlen(e.note) < sizeof e.note && strlen(why) < sizeof why, "words end");
    must(found || *why, "a refusal has a reason");
    if (!found)
        return 0;
    must(e.media < ELTORITO_MEDIA && e.sectors, "a known medium, and something to load");
    must((uint64_t)e.image * 4 + e.sectors <= (FIRST + blocks) * 4ull, "the boot image is on the disc");
    must(e.address >= 0x500 && e.address + e.sectors * ELTORITO_SECTOR <= DATA_END, "it fits where it goes");
    must(eltorito_drive(&e, 0xe0) == (e.media == 0 ? 0xe0 : e.media == 4 ? 0x80 : 0), "the drive");
    return 0;
}
