/* PCI configuration space on a bus alone, and the shadow in memory alone: what is read and written,
 * what rows and registers say, and that both are saved. */
#include "tests/unit/unit.h"

#include <errno.h>

#include "vmm/devices/devices.h"
#include "vmm/devices/disk/drives.h"
#include "vmm/devices/fw_cfg.h"
#include "vmm/devices/pci.h"
#include "vmm/memory/layout.h"

enum { MIB = 1 << 20, KIB = 1 << 10 };

static char error[400];
static struct devices devices;
static struct bus bus;
static struct input input;
static struct drives drives;
static struct memory memory;
static struct firmware firmware;
static unsigned remaps;

static void no_irq(void *machine, unsigned irq, bool level) { (void)machine, (void)irq, (void)level; }
static enum io_result no_irqchip(void *machine) { (void)machine; return IO_DONE; }
static uint64_t no_time(void *machine) { (void)machine; return 0; }
static void no_intr(void *machine, bool level) { (void)machine, (void)level; }
static enum io_result remap(void *machine, struct cpu *cpu) {
    (void)machine, (void)cpu;
    remaps++;
    return IO_DONE;
}
static char told[200];
static void tell(void *machine, const char *text) {
    (void)machine;
    snprintf(told, sizeof told, "%s", text);
}
static const struct board board = {.input = &input, .irq = no_irq, .uses_irqchip = no_irqchip, .now = no_time,
                                   .intr = no_intr, .remap = remap, .tell = tell};

/* A function with every kind of base address. */
static void *card_open(const struct device_site *site) { return (void *)(uintptr_t)site; }
static void card_reset(void *device) { (void)device; }
static void card_save(const void *device, struct device_state *s) { (void)device, (void)s; }
static void card_load(void *device, struct device_state *s) { (void)device, (void)s; }
static const struct pci_function card_function = {
    .name = "card", .slot = PCI_SLOT(5, 3), .vendor = 0x1af4, .device = 0x4242, .class = 0x058000, .pin = 1,
    .command = PCI_COMMAND_IO | PCI_COMMAND_MEMORY,
    .bar = {[0] = {16 * KIB, PCI_BAR_MEMORY}, [1] = {32, PCI_BAR_IO}, [5] = {16 * MIB, PCI_BAR_PREFETCH}},
};
static const struct device_class device_card = {.name = "card", .open = card_open, .reset = card_reset,
    .save = card_save, .load = card_load, .pci = &card_function};
static const struct device_class *const extra[] = {&device_card, NULL};
static const struct device_class *const twice[] = {&device_card, &device_card, &device_card, &device_card,
    &device_card, &device_card, &device_card, &device_card, &device_card, NULL};

static void open_devices(const struct device_class *const *more, const struct firmware *f) {
    bus = (struct bus){0};
    input_open(&input);
    struct device_site site = {.devices = &devices, .bus = &bus, .board = &board, .irqchip = true,
                               .memory = &memory, .drives = &drives, .firmware = f, .extra = more};
    CHECK(devices_open(&devices, &site, error, sizeof error) == 0);
}

static void out(uint16_t port, unsigned size, uint32_t value) {
    CHECK(bus_access(&bus, &(struct access){.address = port, .write = true, .size = size, .data = &value}) == IO_DONE);
}

static uint32_t in(uint16_t port, unsigned size) {
    uint32_t value = 0;
    bus_access(&bus, &(struct access){.address = port, .size = size, .data = &value});
    return value;
}

static uint32_t read_config(uint8_t slot, unsigned at) {
    out(0xcf8, 4, 0x80000000u | slot << 8 | (at & 0xfc));
    return in(0xcfc, 4);
}

static void write_config(uint8_t slot, unsigned at, unsigned size, uint32_t value) {
    out(0xcf8, 4, 0x80000000u | slot << 8 | (at & 0xfc));
    out((uint16_t)(0xcfc + (at & 3)), size, value);
}

/* --- configuration space ------------------------------------------------------------------- */

/* 6.2.5.1: the size of a base address is what it reads after ones were written. */
static void base_addresses(void) {
    uint8_t slot = card_function.slot;
    uint32_t base;
    open_devices(extra, NULL);
    CHECK(read_config(slot, PCI_VENDOR) == 0x42421af4 && read_config(slot, PCI_PIN & 0xfc) == 0x0100);
    for (unsigned bar = 0; bar < PCI_BARS; bar++)
        write_config(slot, PCI_BAR + 4 * bar, 4, UINT32_MAX);
    CHECK(read_config(slot, PCI_BAR) == 0xffffc000 && read_config(slot, PCI_BAR + 4) == 0xffffffe1);
    CHECK(read_config(slot, PCI_BAR + 8) == 0 && read_config(slot, PCI_BAR + 20) == 0xff000008);
    CHECK(!pci_bar(devices.pci, slot, 0, &base));
    write_config(slot, PCI_BAR, 4, 0xfebd1234);
    write_config(slot, PCI_BAR + 4 + 1, 1, 0xc0);
    write_config(slot, PCI_COMMAND, 2, 0xffff);
    CHECK(read_config(slot, PCI_COMMAND) == 3); /* those that it has, and no status */
    CHECK(pci_bar(devices.pci, slot, 0, &base) && base == 0xfebd0000);
    CHECK(pci_bar(devices.pci, slot, 1, &base) && base == 0xffffc0e0);
    CHECK(!pci_bar(devices.pci, slot, 2, &base) && !pci_bar(devices.pci, 0x77, 0, &base));
    devices_reset(&devices);
    CHECK(read_config(slot, PCI_BAR) == 0 && read_config(slot, PCI_COMMAND) == 0);
    devices_close(&devices);
}

/* Words and bytes; what goes on behind the double word; the address by anything but a double word. */
static void widths(void) {
    open_devices(extra, NULL);
    read_config(card_function.slot, PCI_VENDOR);
    CHECK(in(0xcfd, 1) == 0x1a && in(0xcfe, 2) == 0x4242 && in(0xcff, 1) == 0x42);
    CHECK(in(0xcfe, 4) == 0xffff4242 && in(0xcff, 2) == 0xff42);
    out(0xcf8, 1, 0x12);
    out(0xcf8, 2, 0x1234);
    CHECK(in(0xcf8, 4) == (0x80000000u | card_function.slot << 8) && in(0xcf8, 1) == 0xff);
    out(0xcf8, 4, UINT32_MAX);
    CHECK(in(0xcf8, 4) == 0x80fffffc && in(0xcfc, 4) == UINT32_MAX); /* another bus */
    out(0xcfc, 4, 0);
    write_config(card_function.slot, 0xff, 4, 0); /* the last byte of all */
    devices_close(&devices);
    open_devices(twice, NULL); /* more functions than there is room for: the first stay */
    CHECK(devices.pci->count == PCI_FUNCTIONS && read_config(0, PCI_VENDOR) == 0x12378086);
    devices_close(&devices);
}

static void saved(void) {
    struct device_state state;
    open_devices(extra, NULL);
    write_config(card_function.slot, PCI_BAR, 4, 0xe0000000);
    write_config(0, 0x5a, 1, 0x21);
    CHECK(devices_save(&devices, &state));
    write_config(card_function.slot, PCI_BAR, 4, 0xd0000000);
    write_config(0, 0x5a, 1, 0x00);
    devices_load(&devices, &state);
    CHECK(in(0xcf8, 4) == 0x80000058 && in(0xcfe, 1) == 0x21);
    CHECK(read_config(card_function.slot, PCI_BAR) == 0xe0000000);
    device_state_free(&state);
    devices_close(&devices);
}

/* --- the host bridge --------------------------------------------------------------------------- */

static void attributes(void) {
    static const uint8_t rom[64 * KIB] = {1};
    CHECK(memory_open(&memory, 2 * MIB) == 0 && memory_add_rom(&memory, rom, sizeof rom) == 0);
    open_devices(extra, NULL);
    CHECK(read_config(0, 0x58) == 0x33330000 && read_config(0, 0x5c) == 0x33333333); /* but where the ROM is */
    CHECK(pci_shadow(devices.pci) == memory.shadow && memory.shadow == 0x00ffffff);
    remaps = 0;
    write_config(0, 0x59, 1, 0xff);
    CHECK(read_config(0, 0x58) == 0x33333000 && pci_shadow(devices.pci) == UINT32_MAX && remaps == 1);
    write_config(0, 0x59, 1, 0x30); /* nothing new */
    CHECK(remaps == 1);
    write_config(0, 0x59, 1, 0x10);
    write_config(0, 0x5a, 1, 0x12); /* C0000 written only, C4000 read only */
    write_config(0, 0x5f, 1, 0x20); /* E8000 nothing, EC000 written only */
    CHECK(pci_shadow(devices.pci) == 0x558ffff6);
    devices_close(&devices);
    memory_close(&memory);
    memory = (struct memory){0};
}

/* Memory as the shadow has it, for each of the four. */
static void shadow(void) {
    static uint8_t rom[ROM_MAX];
    uint8_t b[4] = {0};
    memset(rom, 0x99, sizeof rom);
    CHECK(memory_open(&memory, 2 * MIB) == 0 && memory_add_rom(&memory, rom, sizeof rom) == 0);
    memory_set_shadow(&memory, 0); /* as at a reset: the last 128 KiB of the ROM */
    CHECK(memory_read(&memory, 0xdfffe, b, 4) == 2 && b[0] == 0xff && b[2] == 0x99);
    CHECK(!memory_at(&memory, 0xc0000, 1, false) && memory_shadow_is_off(&memory, 0xe0000));
    CHECK(!memory_write_shadow(&memory, 0xe0000, "a", 1) && !memory_write_shadow(&memory, MIB, "a", 1));
    memory_set_shadow(&memory, SHADOW_WRITE << 16 | SHADOW_READ << 18 | 3 << 20);
    CHECK(memory_write(&memory, 0xe0000, "a", 1) == 0 && memory_write_shadow(&memory, 0xe0000, "ab", 2));
    CHECK(!memory_write_shadow(&memory, 0xe3fff, "ab", 2)); /* not all of it */
    CHECK(memory_read(&memory, 0xe0000, b, 1) == 1 && b[0] == 0x99 && memory.ram[0xe0001] == 'b');
    CHECK(memory_write(&memory, 0xe4000, "a", 1) == 0 && memory_write(&memory, 0xe8000, "a", 1) == 1);
    CHECK(memory_poke(&memory, 0xe4000, "p", 1) == 1 && memory.ram[0xe4000] == 'p' && memory.rom_pokes == 0);
    CHECK(memory_poke(&memory, 0xe0000, "p", 1) == 1 && memory.rom_pokes == 1 && rom[ROM_MAX - 0x20000] == 0x99);
    memory_poke(&memory, 0xe0000, rom, 1);
    uint64_t dirty[2 * MIB / PAGE_SIZE / 64] = {0};
    memory.dirty = dirty;
    memory_write_shadow(&memory, 0xe1000, "c", 1);
    memory_poke(&memory, 0xe5000, "p", 1);
    CHECK(dirty[0xe1 / 64] >> 0xe1 % 64 & 1 && dirty[0xe5 / 64] >> 0xe5 % 64 & 1);
    CHECK(memory_journal_begin(&memory) && memory_write_shadow(&memory, 0xe0000, "z", 1));
    memory_journal_undo(&memory);
    CHECK(memory.ram[0xe0000] == 'a');
    for (uint32_t bits = 0; bits < 1u << 16; bits += 0x123) { /* never more pieces than there is room for */
        memory_set_shadow(&memory, bits | bits << 15 | 0x66666666);
        CHECK(memory.count <= MEMORY_PIECES && memory_at(&memory, MIB, MIB, true) == memory.ram + MIB);
    }
    memory_close(&memory);
    memory = (struct memory){0};
}

/* --- firmware's ports ---------------------------------------------------------------------------- */

static uint32_t next(unsigned bytes) { /* big-endian */
    uint32_t value = 0;
    while (bytes--)
        value = value << 8 | in(0x511, 1);
    return value;
}

static void firmware_is_told(void) {
    static const uint8_t rom[3] = {0x55, 0xaa, 7};
    struct device_state state;
    firmware = (struct firmware){.logs = true, .vga_rom = rom, .vga_rom_size = sizeof rom, .boot_order = "/x\n"};
    open_devices(NULL, NULL);
    CHECK(!bus_find(&bus, false, 0x510, 0x510) && !bus_find(&bus, false, 0x402, 0x402));
    devices_close(&devices);
    open_devices(NULL, &firmware);
    out(0x510, 2, 0);
    CHECK(next(4) == 0x51454d55 && next(1) == 0); /* "QEMU", and nothing behind it */
    out(0x510, 2, 0x19);
    unsigned files = next(4), found = 0;
    for (unsigned i = 0; i < files; i++) {
        uint32_t size = next(4), key = next(2);
        next(2);
        char name[57] = {0};
        for (unsigned n = 0; n < 56; n++)
            name[n] = (char)next(1);
        if (strcmp(name, "pci1234,1111.rom"))
            continue;
        found++;
        CHECK(size == sizeof rom && devices_save(&devices, &state));
        out(0x510, 2, key);
        CHECK(next(3) == 0x55aa07 && next(1) == 0);
        devices_load(&devices, &state);
        device_state_free(&state);
    }
    CHECK(found == 1 && files >= 2);
    out(0x510, 2, 0x4321); /* no such key */
    CHECK(next(4) == 0 && in(0x510, 2) == 0);
    CHECK(in(0x402, 1) == 0xe9);
    for (const char *c = "a line\x1b[2J\n"; *c; c++)
        out(0x402, 1, (uint8_t)*c);
    CHECK_STR(told, "BIOS: a line[2J");
    for (int i = 0; i < 1000; i++)
        out(0x402, 1, 'x');
    CHECK(strlen(told) > 100);
    devices_close(&devices);
}

int main(void) {
    base_addresses();
    widths();
    saved();
    attributes();
    shadow();
    firmware_is_told();
    return unit_end();
}
