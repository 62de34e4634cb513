/* PCI configuration space by mechanism #1 (PCI Local Bus 2.3, 3.2.2.3.2): ports CF8 and CFC.
 *
 * A device that is a PCI function has a row that says what its 256 bytes are (device.h, `pci`);
 * pci.c puts all rows of a machine on bus 0. Other functions read as ones.
 *
 * Rule: a row is constant. What the guest has written is in struct pci, which is saved as it is;
 * a device asks it there.
 */
#ifndef MINIKVM_PCI_H
#define MINIKVM_PCI_H

#include "vmm/devices/device.h"

/* Offsets: 6.1, 6.2.5. */
enum {
    PCI_VENDOR = 0x00, PCI_DEVICE = 0x02, PCI_COMMAND = 0x04, PCI_REVISION = 0x08, PCI_CLASS = 0x09,
    PCI_CACHE_LINE = 0x0c, PCI_LATENCY = 0x0d, PCI_HEADER = 0x0e, PCI_BAR = 0x10, PCI_SUBSYSTEM = 0x2c,
    PCI_LINE = 0x3c, PCI_PIN = 0x3d, PCI_CONFIG_SIZE = 256
};
enum { PCI_BARS = 6, PCI_FUNCTIONS = 8, PCI_MULTIFUNCTION = 0x80 };
/* The command register, and the low bits of a BAR. */
enum { PCI_COMMAND_IO = 1, PCI_COMMAND_MEMORY = 2, PCI_COMMAND_MASTER = 4 };
enum { PCI_BAR_MEMORY = 0, PCI_BAR_IO = 1, PCI_BAR_PREFETCH = 8 };
/* What every function says of itself as a part: the virtual machines that firmware knows. */
#define PCI_SUBSYSTEM_ID 0x11001af4
#define PCI_SLOT(DEVICE, FUNCTION) ((DEVICE) << 3 | (FUNCTION))

/* A byte that is more than the header has. */
struct pci_register {
    uint8_t at, value, writable; /* which bits */
};

struct pci_function {
    const char *name;
    uint8_t slot; /* PCI_SLOT() */
    uint16_t vendor, device;
    uint32_t class; /* base class, subclass, programming interface */
    uint8_t revision, header, pin;
    uint8_t command; /* bits of the command register that can be set */
    struct {
        uint32_t size; /* a power of two; 0: there is none */
        uint8_t kind;
    } bar[PCI_BARS];
    const struct pci_register *registers; /* the last one's `at` is 0 */
};

struct pci {
    const struct board *board;
    struct devices *devices;
    uint32_t address; /* port CF8 */
    unsigned count;
    struct pci_slot {
        const struct device_class *class;
        void *device;
        uint8_t config[PCI_CONFIG_SIZE], writable[PCI_CONFIG_SIZE];
    } slot[PCI_FUNCTIONS];
};

/* The 256 bytes of a function as they are now, or NULL: there is none. */
const uint8_t *pci_config(const struct pci *, uint8_t slot);
/* What a BAR decodes now, and whether the command register enables it. */
bool pci_bar(const struct pci *, uint8_t slot, unsigned bar, uint32_t *base);

/* What the host bridge says of memory from C0000 on, as layout.h has it. */
uint32_t pci_shadow(const struct pci *);

#endif
