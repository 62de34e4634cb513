/* Any packets to a CD drive, as a driver sends them: PACKET with a byte count limit, twelve bytes,
 * then the data by the Byte Count registers. What was saved in the middle and is loaded goes on as
 * it did: the rest of the input is done twice.
 *
 *     drive    a byte: how many blocks, and whether the file shrinks while it is in use
 *     first    two bytes: how much of what follows comes before the state is saved
 *     then     commands: the limit, a packet, how the data are read
 */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "vmm/devices/device.h"
#include "vmm/devices/disk/drives.h"

extern const struct device_class device_ide, device_disks;

enum { PORT = 0x170, CONTROL = 0x376, IRQ = 15, COMMANDS_MAX = 400, WORDS_MAX = 6000 };
enum { ERROR = 1, REASON, BYTES_LOW = 4, BYTES_HIGH, STATUS = 7, COMMAND = 7 };
enum { DRQ = 8, ERR = 1, BSY = 0x80 };

static struct bus bus;
static struct drives drives;
static uint64_t seen;
static bool line;

static void see(uint64_t what) { seen = (seen ^ what) * 0x100000001b3ull; }

static void take_irq(void *machine, unsigned irq, bool level) {
    (void)machine;
    must(irq == IRQ, "an interrupt is that of the channel");
    line = level;
}

static void take_tell(void *machine, const char *text) { (void)machine, (void)text; }

static const struct board board = {.irq = take_irq, .tell = take_tell};

static uint32_t access_port(uint16_t port, unsigned size, bool write, uint32_t data) {
    bus_access(&bus, &(struct access){.address = port, .write = write, .size = size, .data = &data});
    return data;
}

static void out(uint16_t port, uint8_t value) { access_port(port, 1, true, value); }

static uint8_t in(uint16_t port) { return (uint8_t)access_port(port, 1, false, 0); }

/* --- a driver --------------------------------------------------------------------------------- */

static unsigned byte_count(void) { return in(PORT + BYTES_LOW) | in(PORT + BYTES_HIGH) << 8; }

/* A DRQ; some drivers leave it in the middle. */
static bool take_drq(unsigned limit, unsigned size, unsigned *words) {
    unsigned count = byte_count();
    size = count % 4 ? 2 : size; /* or it would take of the next one */
    must(count && count <= (limit == 0xffff ? 0xfffe : limit), "a DRQ is within the limit");
    must(in(PORT + REASON) % 8 == 2 && line, "data come with their reason, and an interrupt");
    see(in(PORT + STATUS));
    for (unsigned i = 0; i < count; i += size, ++*words) {
        must(in(CONTROL) & DRQ, "a DRQ is as long as it says");
        if (*words == WORDS_MAX)
            return false;
        see(access_port(PORT, size, false, 0));
        if (in(CONTROL) & ERR)
            return false; /* a block that cannot be read */
    }
    return true;
}

static void check_end(void) {
    uint8_t status = in(CONTROL);
    must(!(status & (DRQ | BSY)) && line, "a command ends, with an interrupt");
    must(status & ERR || in(PORT + ERROR) == 0, "without ERR there is no error");
    see(in(PORT + STATUS) << 8 | in(PORT + ERROR));
}

static void do_packet(struct feed *in_feed) {
    uint8_t packet[12], how = (uint8_t)feed_number(in_feed, 1);
    unsigned limit = (unsigned)feed_number(in_feed, 2), words = 0;
    feed_bytes(in_feed, packet, sizeof packet);
    out(PORT + ERROR, how >> 6 == 3);
    out(PORT + BYTES_LOW, (uint8_t)limit);
    out(PORT + BYTES_HIGH, (uint8_t)(limit >> 8));
    out(PORT + COMMAND, 0xa0);
    for (unsigned i = 0; i < 12 && in(CONTROL) & DRQ; i += 2)
        access_port(PORT, 2, true, packet[i] | packet[i + 1] << 8);
    while (in(CONTROL) & DRQ)
        if (!take_drq(limit, how & 1 ? 4 : 2, &words))
            break;
    if (words < WORDS_MAX)
        check_end();
}

static void do_all(struct feed in_feed) {
    for (unsigned n = 0; in_feed.left && n < COMMANDS_MAX; n++)
        do_packet(&in_feed);
}

/* --- the devices ------------------------------------------------------------------------------- */

static int open_cd(uint8_t what) {
    char error[400];
    int fd = memfd_create("cd", MFD_CLOEXEC);
    unsigned blocks = 1 + what % 64;
    must(fd >= 0 && !ftruncate(fd, blocks * DISK_CD_BLOCK - what / 128), "a file");
    must(!disk_open_fd(&drives.cd[0], fd, "cd", DISK_CD, error, sizeof error), error);
    if (what & 64)
        must(!ftruncate(fd, blocks / 2 * DISK_CD_BLOCK), "a shorter file");
    return fd;
}

static void do_twice(void *ide, struct feed rest) {
    struct device_state s = {0};
    bool level = line;
    device_disks.save(&drives, &s);
    device_ide.save(ide, &s);
    seen = 0;
    do_all(rest);
    uint64_t first = seen;
    s.end = s.length;
    device_disks.load(&drives, &s);
    device_ide.load(ide, &s);
    must(s.at == s.end, "what was saved is loaded");
    line = level;
    seen = 0;
    do_all(rest);
    must(seen == first, "the same state leads to the same");
    device_state_free(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct feed in_feed = {bytes, size};
    int fd = open_cd((uint8_t)feed_number(&in_feed, 1));
    bus = (struct bus){0};
    line = false;
    void *ide = device_ide.open(&(struct device_site){.bus = &bus, .board = &board, .drives = &drives});
    device_ide.reset(ide);
    do_all(feed_part(&in_feed, feed_number(&in_feed, 2) % 4096));
    do_twice(ide, in_feed);
    device_ide.close(ide);
    drives_close(&drives);
    close(fd);
    return 0;
}
