/* Any accesses to PCI configuration space, to the ports that firmware has, and to the memory that
 * the host bridge decides about. What was saved in the middle and is loaded goes on as it did: the
 * rest of the input is done twice, and each datum must be the same.
 *
 *     rom      a byte: how large the ROM is, and whether there is firmware
 *     first    two bytes: how much of what follows comes before the state is saved
 *     then     accesses: which port and size or which memory, and the value
 */
#include "fuzz.h"

#include "vmm/devices/devices.h"
#include "vmm/devices/disk/drives.h"
#include "vmm/devices/fw_cfg.h"
#include "vmm/devices/pci.h"
#include "vmm/memory/layout.h"

enum { MIB = 1 << 20, ACCESSES_MAX = 3000, SHADOW_BYTES = SHADOW_PAGES * SHADOW_SIZE };

static struct bus bus;
static struct devices devices;
static struct drives drives;
static struct input input;
static struct memory memory;
static uint64_t seen; /* a sum of what the guest saw */

static void see(uint64_t what) { seen = (seen ^ what) * 0x100000001b3ull; }

static void no_irq(void *machine, unsigned irq, bool level) { (void)machine, (void)irq, (void)level; }
static enum io_result no_irqchip(void *machine) { (void)machine; return IO_DONE; }
static uint64_t no_time(void *machine) { (void)machine; return 0; }
static void no_intr(void *machine, bool level) { (void)machine, (void)level; }
static void take_tell(void *machine, const char *text) {
    (void)machine;
    must(strlen(text) < 256, "a line is no longer than that");
}

static enum io_result remap(void *machine, struct cpu *cpu) {
    (void)machine, (void)cpu;
    memory_set_shadow(&memory, pci_shadow(devices.pci));
    must(memory.count <= MEMORY_PIECES, "there is room for all pieces of memory");
    return IO_DONE;
}

static const struct board board = {.input = &input, .irq = no_irq, .uses_irqchip = no_irqchip, .now = no_time,
                                   .intr = no_intr, .tell = take_tell, .remap = remap};

/* --- accesses -------------------------------------------------------------------------------- */

static uint32_t access_port(uint16_t port, unsigned size, bool write, uint32_t data) {
    must(bus_access(&bus, &(struct access){.address = port, .write = write, .size = size, .data = &data}) == IO_DONE,
         "none of these ports stops");
    return data;
}

static void use_memory(struct feed *in, bool write) {
    uint32_t at = MEMORY_SHADOW - 8 + (uint32_t)feed_number(in, 3) % (SHADOW_BYTES + 16);
    uint8_t bytes[8] = {0};
    if (!write) {
        see(memory_read(&memory, at, bytes, sizeof bytes));
        see(bytes[0] | bytes[7] << 8);
        return;
    }
    feed_bytes(in, bytes, 4);
    if (memory_write(&memory, at, bytes, 4) < 4)
        see(memory_write_shadow(&memory, at, bytes, 4));
}

/* A quarter sets the address as a guest would: one of the functions, and a register. */
static void act(struct feed *in) {
    static const uint16_t ports[] = {0xcf8, 0xcfc, 0xcfc, 0xcfd, 0xcfe, 0xcff, 0x510, 0x511, 0x402, 0xcf8, 0xcfb};
    static const uint8_t slots[] = {0x00, 0x08, 0x09, 0x10, 0x11, 0xff};
    uint8_t what = (uint8_t)feed_number(in, 1);
    bool write = what & 32;
    unsigned size = 1u << (what & 31) % 3;
    if (what < 64) {
        uint8_t slot = slots[(what & 31) % sizeof slots];
        access_port(0xcf8, 4, true, 0x80000000u | slot << 8 | (uint32_t)feed_number(in, 1));
    } else if (what < 128) {
        use_memory(in, write);
    } else {
        uint16_t port = ports[(what & 31) % (sizeof ports / sizeof *ports)];
        see(access_port(port, size, write, write ? (uint32_t)feed_number(in, size) : 0));
    }
}

static void act_all(struct feed in) {
    for (unsigned n = 0; in.left && n < ACCESSES_MAX; n++)
        act(&in);
}

/* --- the devices ------------------------------------------------------------------------------- */

static void do_twice(struct feed rest) {
    static uint8_t kept[SHADOW_BYTES];
    struct device_state state = {0};
    memcpy(kept, memory.ram + MEMORY_SHADOW, sizeof kept);
    must(devices_save(&devices, &state), "there is memory for a saved state");
    seen = 0;
    act_all(rest);
    uint64_t first = seen;
    memcpy(memory.ram + MEMORY_SHADOW, kept, sizeof kept);
    devices_load(&devices, &state);
    remap(NULL, NULL);
    seen = 0;
    act_all(rest);
    must(seen == first, "the same state leads to the same");
    device_state_free(&state);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static uint8_t rom[ROM_MAX];
    char error[400];
    struct feed in = {bytes, size};
    uint8_t how = (uint8_t)feed_number(&in, 1);
    struct firmware firmware = {.logs = true, .vga_rom = rom, .vga_rom_size = how, .boot_order = "/disk\n"};
    memset(rom, 0x5a, sizeof rom);
    must(!memory_open(&memory, 2 * MIB), "memory");
    if (how & 0x7f)
        must(!memory_add_rom(&memory, rom, (how & 0x7f) * 2048), "a ROM");
    bus = (struct bus){0};
    input_open(&input);
    struct device_site site = {.devices = &devices, .bus = &bus, .board = &board, .memory = &memory, .drives = &drives,
                               .firmware = how & 0x80 ? &firmware : NULL};
    must(!devices_open(&devices, &site, error, sizeof error), error);
    must(pci_shadow(devices.pci) == memory.shadow, "the registers say what memory is");
    act_all(feed_part(&in, feed_number(&in, 2) % 4096));
    do_twice(in);
    devices_reset(&devices);
    must(pci_shadow(devices.pci) == memory.shadow_at_reset, "a reset takes all back");
    devices_close(&devices);
    memory_close(&memory);
    return 0;
}
