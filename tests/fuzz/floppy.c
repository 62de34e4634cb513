/* Any accesses to the ports of the floppy controller and of DMA, with none to two drives. What
 * was saved in the middle and is loaded goes on as it did: the rest of the input is done twice,
 * and each datum, interrupt and byte of memory must be the same.
 *
 *     drives   a byte: a bit for each that is there, one for read-only, two for the size
 *     first    two bytes: how much of what follows comes before the state is saved
 *     then     accesses: which port, and (OUT) the value; or a whole command, or what a
 *              driver does before one
 */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "vmm/devices/devices.h"
#include "vmm/devices/disk/drives.h"

extern const struct device_class device_floppy, device_dma, device_disks;

enum { ACCESSES_MAX = 2000, MSR = 0x3f4, FIFO = 0x3f5, RQM = 0x80 };

static struct bus bus;
static struct drives drives;
static struct devices devices;
static void *floppy;
static uint64_t seen; /* a sum of what the guest saw */

static void see(uint64_t what) { seen = (seen ^ what) * 0x100000001b3ull; }

static void take_irq(void *machine, unsigned irq, bool level) {
    (void)machine;
    must(irq == 6, "an interrupt is the controller's");
    see(level);
}

static void take_tell(void *machine, const char *text) { (void)machine, (void)text; }

static void take_dma(void *machine, uint64_t phys, void *data, size_t length, bool to_memory) {
    (void)machine;
    must(length && phys + length <= 1 << 24 && (phys & 0xffff) + length <= 0x10000, "DMA stays in a page");
    for (size_t i = 0; i < length; i++)
        if (to_memory)
            see(phys + ((uint8_t *)data)[i]);
        else
            ((uint8_t *)data)[i] = (uint8_t)(phys + i);
}

static const struct board board = {.irq = take_irq, .tell = take_tell, .dma = take_dma};

/* --- accesses -------------------------------------------------------------------------------- */

static const uint16_t ports[] = {0x3f5, 0x3f5, 0x3f5, 0x3f4, 0x3f2, 0x3f7, 0x3f3, 0x3f0, 0x3f1, 0x04, 0x05, 0x08,
                                 0x09,  0x0a,  0x0b,  0x0c,  0x0d,  0x0e,  0x0f,  0x81,  0x00,  0xc4, 0xd4, 0xde};
enum { PORTS = sizeof ports / sizeof *ports };

static uint8_t access_port(uint16_t port, bool write, uint8_t data) {
    bus_access(&bus, &(struct access){.address = port, .write = write, .size = 1, .data = &data});
    return data;
}

/* All its bytes, or all that there is to read. */
static void pass_command(struct feed *in) {
    for (unsigned n = 1 + (unsigned)feed_number(in, 1) % 9; n; n--)
        access_port(FIFO, true, (uint8_t)feed_number(in, 1));
}

static void read_all(void) {
    for (unsigned n = 0; n < 600 && (access_port(MSR, false, 0) & 0xc0) == 0xc0; n++)
        see(access_port(FIFO, false, 0));
}

static void set_up(uint8_t mode) {
    const uint16_t writes[][2] = {{0x3f2, 0x3c}, {0x3f7, 0}, {0x0c, 0}, {4, 0}, {4, 0}, {5, 0xff},
                                  {5, 3},        {0x81, 3},  {0x0b, mode}, {0x0a, 2}};
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++)
        access_port(writes[i][0], true, (uint8_t)writes[i][1]);
}

static void act(struct feed *in) {
    uint8_t what = (uint8_t)feed_number(in, 1);
    switch (what / 64) {
    case 0: see(access_port(ports[what % PORTS], false, 0)); break;
    case 1: access_port(ports[what % PORTS], true, (uint8_t)feed_number(in, 1)); break;
    case 2: pass_command(in); break;
    case 3: what & 1 ? read_all() : set_up(0x40 | (what & 0x3e)); break;
    }
    must(access_port(0x3f2, false, 0) & 4 || !access_port(MSR, false, 0), "a controller in reset is silent");
}

static void act_all(struct feed in) {
    for (unsigned n = 0; in.left && n < ACCESSES_MAX; n++)
        act(&in);
}

/* --- the devices ------------------------------------------------------------------------------- */

static int fds[DRIVES_FLOPPY];

static void open_drives(uint8_t which) {
    static const unsigned sectors[] = {720, 1440, 2880, 5760};
    char error[400];
    for (unsigned i = 0; i < DRIVES_FLOPPY; i++) {
        fds[i] = which & 1 << i ? memfd_create("floppy", MFD_CLOEXEC) : -1;
        if (fds[i] < 0)
            continue;
        must(!ftruncate(fds[i], (off_t)sectors[which >> 3 & 3] * DISK_SECTOR), "a file");
        must(!disk_open_fd(&drives.floppy[i], fds[i], "floppy", DISK_FLOPPY | (which & 4 ? DISK_READ_ONLY : 0), error,
                           sizeof error), error);
    }
}

static void close_drives(void) {
    for (unsigned i = 0; i < DRIVES_FLOPPY; i++) {
        disk_close(drives.floppy[i]);
        if (fds[i] >= 0)
            close(fds[i]);
    }
    drives = (struct drives){0};
}

static void save(struct device_state *s) {
    device_disks.save(&drives, s);
    device_dma.save(&devices.dma, s);
    device_floppy.save(floppy, s);
    must(!s->failed, "there is memory for a saved state");
}

static void load(struct device_state *s) {
    s->at = s->kept_at = 0;
    s->end = s->length;
    device_disks.load(&drives, s);
    device_dma.load(&devices.dma, s);
    device_floppy.load(floppy, s);
    must(s->at == s->end, "what was saved is loaded");
}

static void do_twice(struct feed rest) {
    struct device_state state = {0};
    save(&state);
    seen = 0;
    act_all(rest);
    uint64_t first = seen;
    load(&state);
    seen = 0;
    act_all(rest);
    must(seen == first, "the same state leads to the same");
    device_state_free(&state);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct feed in = {bytes, size};
    open_drives((uint8_t)feed_number(&in, 1));
    bus = (struct bus){0};
    devices = (struct devices){0};
    struct device_site site = {.devices = &devices, .bus = &bus, .board = &board, .drives = &drives};
    device_dma.open(&site);
    floppy = device_floppy.open(&site);
    device_floppy.reset(floppy);
    act_all(feed_part(&in, feed_number(&in, 2) % 4096));
    do_twice(in);
    device_floppy.close(floppy);
    close_drives();
    return 0;
}
