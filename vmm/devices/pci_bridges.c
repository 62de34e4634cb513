/* The two bridges of a PC with Intel's 440FX chips: the host bridge, which decides what memory is
 * at C0000 to FFFFF, and the ISA bridge (PIIX3), behind which the other devices are.
 *
 * Intel 82441FX (290549), 3.2; 82371SB (290550), 2.2.
 */
#include "vmm/devices/pci.h"

#include <stdio.h>
#include <stdlib.h>

#include "vmm/devices/devices.h"
#include "vmm/memory/layout.h"

enum { HOST = PCI_SLOT(0, 0), ISA = PCI_SLOT(1, 0), PAM = 0x59, PAMS = 7 };

/* --- programmable attribute map -------------------------------------------------------------- */

/* PAM0's upper half is of F0000 to FFFFF. Then each register has two times 16 KiB from C0000 on,
 * the lower first. Bit 0 of a half: reads go to RAM; bit 1: writes do. */
static unsigned attribute_of(const uint8_t *pam, unsigned page) {
    unsigned half = page >= 12 ? 1 : 2 + page;
    return pam[half / 2] >> (half & 1 ? 4 : 0) & 3;
}

uint32_t pci_shadow(const struct pci *p) {
    const uint8_t *config = pci_config(p, HOST);
    uint32_t shadow = 0;
    for (unsigned page = 0; config && page < SHADOW_PAGES; page++)
        shadow |= attribute_of(config + PAM, page) << 2 * page;
    return shadow;
}

/* The same the other way. */
static uint8_t pam_of(uint32_t shadow, unsigned n) {
    unsigned low = n ? shadow >> 4 * (n - 1) & 3 : 0;
    unsigned high = n ? shadow >> (4 * (n - 1) + 2) & 3 : shadow >> 24 & 3;
    return (uint8_t)(high << 4 | low);
}

struct host_bridge {
    const struct board *board;
    const struct memory *memory;
    struct devices *devices;
};

/* Without firmware of the user's the registers are as that would leave them. */
static void host_reset(void *device) {
    struct host_bridge *h = device;
    uint8_t *config = (uint8_t *)pci_config(h->devices->pci, HOST);
    for (unsigned n = 0; config && h->memory && n < PAMS; n++)
        config[PAM + n] = pam_of(h->memory->shadow_at_reset, n);
}

static enum io_result host_configured(void *device, struct cpu *cpu) {
    struct host_bridge *h = device;
    return h->board->remap(h->board->machine, cpu);
}

static void host_describe(const void *device, const struct device_sink *sink) {
    static const char *const names[] = {"ROM", "RAM, read-only", "ROM, writes to RAM", "RAM"};
    const struct host_bridge *h = device;
    uint32_t shadow = pci_shadow(h->devices->pci);
    char name[24];
    for (unsigned page = 0, next; page < SHADOW_PAGES; page = next) {
        for (next = page + 1; next < SHADOW_PAGES && (shadow >> 2 * next & 3) == (shadow >> 2 * page & 3);)
            next++;
        snprintf(name, sizeof name, "%05x-%05x", MEMORY_SHADOW + page * SHADOW_SIZE,
                 MEMORY_SHADOW + next * SHADOW_SIZE - 1);
        device_row(sink, "PAM", name, "%s", names[shadow >> 2 * page & 3]);
    }
}

static void *host_open(const struct device_site *site) {
    struct host_bridge *h = calloc(1, sizeof *h);
    if (h)
        *h = (struct host_bridge){site->board, site->memory, site->devices};
    return h;
}

static const struct pci_register host_registers[] = {
    {PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0},
    {PAM, 0, 0x30}, {PAM + 1, 0, 0x33}, {PAM + 2, 0, 0x33}, {PAM + 3, 0, 0x33},
    {PAM + 4, 0, 0x33}, {PAM + 5, 0, 0x33}, {PAM + 6, 0, 0x33},
    {0x72, 0x02, 0}, /* SMRAM: there is none */
    {0},
};
static const struct pci_function host_function = {
    .name = "host bridge", .slot = HOST, .vendor = 0x8086, .device = 0x1237, .class = 0x060000,
    .revision = 2, .registers = host_registers,
};

const struct device_class device_host_bridge = {
    .name = "host bridge",
    .open = host_open,
    .reset = host_reset,
    .size = sizeof(struct host_bridge),
    .describe = host_describe,
    .close = free,
    .pci = &host_function,
    .configured = host_configured,
};

/* --- ISA ------------------------------------------------------------------------------------------ */

static void *isa_open(const struct device_site *site) { return site->devices; }
static void isa_reset(void *device) { (void)device; }
static void isa_save(const void *device, struct device_state *s) { (void)device, (void)s; }
static void isa_load(void *device, struct device_state *s) { (void)device, (void)s; }

/* 60h to 63h: where PIRQA to PIRQD lead; 80h: nowhere. No function here interrupts by them. */
static const struct pci_register isa_registers[] = {
    {PCI_COMMAND, 0x07, 0}, {0x60, 0x80, 0x8f}, {0x61, 0x80, 0x8f}, {0x62, 0x80, 0x8f}, {0x63, 0x80, 0x8f}, {0},
};
static const struct pci_function isa_function = {
    .name = "ISA bridge", .slot = ISA, .vendor = 0x8086, .device = 0x7000, .class = 0x060100,
    .header = PCI_MULTIFUNCTION, .registers = isa_registers,
};

const struct device_class device_isa_bridge = {
    .name = "ISA bridge",
    .open = isa_open,
    .reset = isa_reset,
    .save = isa_save,
    .load = isa_load,
    .pci = &isa_function,
};
