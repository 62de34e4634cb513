/* Any accesses to the ports of IDE, with none to four drives. What was saved in the middle and
 * is loaded goes on as it did: the rest of the input is done twice, and each datum and
 * interrupt must be the same.
 *
 *     drives   a byte: a bit for each that is there, which flags, and whether there are CDs, too
 *     first    two bytes: how much of what follows comes before the state is saved
 *     then     accesses: which port and size, and (OUT) the value
 */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "vmm/devices/device.h"
#include "vmm/devices/disk/drives.h"

extern const struct device_class device_ide, device_disks;

enum { SECTORS = 700, ACCESSES_MAX = 3000, BSY = 0x80 };

static struct bus bus;
static struct drives drives;
static uint64_t seen; /* a sum of what the guest saw */
static bool holds_reset[2];

static void see(uint64_t what) { seen = (seen ^ what) * 0x100000001b3ull; }

static void take_irq(void *machine, unsigned irq, bool level) {
    (void)machine;
    must(irq == 14 || irq == 15, "an interrupt is one of IDE's");
    see(irq * 2 + level);
}

static void take_tell(void *machine, const char *text) { (void)machine, (void)text; }

static const struct board board = {.irq = take_irq, .tell = take_tell};

/* --- accesses -------------------------------------------------------------------------------- */

static const uint16_t ports[] = {0x1f0, 0x1f0, 0x1f1, 0x1f2, 0x1f3, 0x1f4, 0x1f5, 0x1f6, 0x1f7, 0x1f7, 0x3f6,
                                 0x170, 0x171, 0x172, 0x173, 0x174, 0x175, 0x176, 0x177, 0x376, 0x3f4, 0x3f7};
enum { PORTS = sizeof ports / sizeof *ports };

static uint32_t access_port(uint16_t port, unsigned size, bool write, uint32_t data) {
    bus_access(&bus, &(struct access){.address = port, .write = write, .size = size, .data = &data});
    return data;
}

static void note_reset(uint16_t port, uint32_t value) {
    if (port == 0x3f6 || port == 0x376)
        holds_reset[port == 0x376] = value & 4;
}

/* A whole sector at once, so that short inputs come through commands. */
static void pass_sector(uint16_t port, bool write, uint32_t value) {
    for (unsigned i = 0; i < 256; i++)
        see(access_port(port, 2, write, value * i));
}

static void act(struct feed *in) {
    uint8_t what = (uint8_t)feed_number(in, 1), size = 1u << what / 64 % 3;
    uint16_t port = ports[what % 32 % PORTS];
    bool write = what & 32, data = port == 0x1f0 || port == 0x170;
    uint32_t value = write ? (uint32_t)feed_number(in, size) : 0;
    if (data && what / 64 == 3) {
        pass_sector(port, write, value);
        return;
    }
    uint32_t got = access_port(port, size, write, value);
    see(write ? 0 : got);
    if (write)
        note_reset(port, value);
    else if (port == 0x3f6 || port == 0x376)
        must(!(got & BSY) || holds_reset[port == 0x376], "a drive is busy in a reset alone");
}

static void act_all(struct feed in) {
    for (unsigned n = 0; in.left && n < ACCESSES_MAX; n++)
        act(&in);
}

/* --- the devices ------------------------------------------------------------------------------- */

static int open_drives(uint8_t which) {
    char error[400];
    int fd = memfd_create("disk", MFD_CLOEXEC);
    must(fd >= 0 && !ftruncate(fd, SECTORS * DISK_SECTOR), "a file");
    for (unsigned i = 0; i < DRIVES_HARD; i++)
        if (which & 1 << i)
            must(!disk_open_fd(&drives.hard[i], fd, "disk", which & 16 ? DISK_READ_ONLY : 0, error, sizeof error),
                 error);
    for (unsigned i = 0; i < DRIVES_CD; i++)
        if (which & 64 << i && drives_have_room(&drives, DRIVE_CD, NULL))
            must(!disk_open_fd(&drives.cd[i], fd, "cd", DISK_CD, error, sizeof error), error);
    if (which & 32) /* it shrinks while it is in use */
        must(!ftruncate(fd, SECTORS / 2 * DISK_SECTOR), "a shorter file");
    return fd;
}

/* They may have gaps, which those of a machine have not. */
static void drives_close_all(void) {
    for (unsigned i = 0; i < DRIVES_HARD; i++)
        disk_close(drives.hard[i]);
    for (unsigned i = 0; i < DRIVES_CD; i++)
        disk_close(drives.cd[i]);
    drives = (struct drives){0};
}

static void close_drives(int fd) {
    drives_close_all();
    close(fd);
}

static void save(void *ide, struct device_state *s) {
    device_disks.save(&drives, s);
    device_ide.save(ide, s);
    must(!s->failed, "there is memory for a saved state");
}

static void load(void *ide, struct device_state *s) {
    s->at = s->kept_at = 0;
    s->end = s->length;
    device_disks.load(&drives, s);
    device_ide.load(ide, s);
    must(s->at == s->end, "what was saved is loaded");
}

static void do_twice(void *ide, struct feed rest) {
    struct device_state state = {0};
    bool resets[2] = {holds_reset[0], holds_reset[1]};
    save(ide, &state);
    seen = 0;
    act_all(rest);
    uint64_t first = seen;
    load(ide, &state);
    memcpy(holds_reset, resets, sizeof resets);
    seen = 0;
    act_all(rest);
    must(seen == first, "the same state leads to the same");
    device_state_free(&state);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct feed in = {bytes, size};
    int fd = open_drives((uint8_t)feed_number(&in, 1));
    bus = (struct bus){0};
    memset(holds_reset, 0, sizeof holds_reset);
    struct device_site site = {.bus = &bus, .board = &board, .drives = &drives};
    void *ide = device_ide.open(&site);
    device_ide.reset(ide);
    act_all(feed_part(&in, feed_number(&in, 2) % 4096));
    do_twice(ide, in);
    device_ide.close(ide);
    close_drives(fd);
    return 0;
}
