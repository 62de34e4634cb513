/* The PCI BIOS, INT 1Ah AH=B1h (PCI BIOS 2.1). It works by the ports of configuration space, as a
 * program could itself. */
#include "vmm/board/bios/call.h"

enum { PCI_ADDRESS = 0xcf8, PCI_DATA = 0xcfc, SLOTS = 256 };
enum { PCI_GOOD = 0x00, PCI_UNSUPPORTED = 0x81, PCI_BAD_VENDOR = 0x83, PCI_NOT_FOUND = 0x86, PCI_BAD_REGISTER = 0x87,
       PCI_SET_FAILED = 0x88 };

static void answer_pci(struct call *c, uint8_t ah) {
    c->ah = ah;
    set_carry(c, ah != PCI_GOOD);
}

/* --- configuration space ----------------------------------------------------------------------- */

static uint16_t select_register(struct bios *b, uint8_t bus, uint8_t slot, unsigned at) {
    port_write(b, PCI_ADDRESS, 4, 0x80000000u | bus << 16 | slot << 8 | (at & 0xfc));
    return (uint16_t)(PCI_DATA + (at & 3));
}

static uint32_t config_read(struct bios *b, uint8_t bus, uint8_t slot, unsigned at, unsigned size) {
    return port_read(b, select_register(b, bus, slot, at), size);
}

/* BH is the bus, BL the device and function, DI the register. */
static bool names_register(struct call *c, unsigned size) {
    bool good = c->di < 256 && c->di % size == 0;
    answer_pci(c, good ? PCI_GOOD : PCI_BAD_REGISTER);
    return good;
}

static void read_config_of(struct call *c, unsigned size, uint32_t *value) {
    if (names_register(c, size))
        *value = config_read(c->bios, c->bh, c->bl, c->di, size);
}

static void read_config_byte(struct call *c) {
    uint32_t value = c->cl;
    read_config_of(c, 1, &value);
    c->cl = (uint8_t)value;
}

static void read_config_word(struct call *c) {
    uint32_t value = c->cx;
    read_config_of(c, 2, &value);
    c->cx = (uint16_t)value;
}

static void read_config_double(struct call *c) { read_config_of(c, 4, &c->ecx); }

static void write_config_of(struct call *c, unsigned size) {
    if (names_register(c, size))
        port_write(c->bios, select_register(c->bios, c->bh, c->bl, c->di), size, c->ecx);
}

static void write_config_byte(struct call *c) { write_config_of(c, 1); }
static void write_config_word(struct call *c) { write_config_of(c, 2); }
static void write_config_double(struct call *c) { write_config_of(c, 4); }

/* --- what is there ---------------------------------------------------------------------------------- */

/* EDX says "PCI ", AL mechanism #1; version 2.1; bus 0 is the last. */
static void pci_installed(struct call *c) {
    answer_pci(c, PCI_GOOD);
    c->al = 1;
    c->bx = 0x0210;
    c->cl = 0;
    c->edx = 0x20494350;
}

/* The SI-th function whose double word at a register is a value, its low bits left out. Functions
 * beside the first count where its header says that there are some. */
static void find_pci(struct call *c, unsigned at, unsigned shift, uint32_t value) {
    unsigned left = c->si;
    bool many = false;
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        if (slot % 8 == 0)
            many = config_read(c->bios, 0, (uint8_t)slot, 0x0e, 1) & 0x80;
        bool there = (slot % 8 == 0 || many) && config_read(c->bios, 0, (uint8_t)slot, 0, 2) != 0xffff;
        if (!there || config_read(c->bios, 0, (uint8_t)slot, at, 4) >> shift != value || left--)
            continue;
        c->bh = 0;
        c->bl = (uint8_t)slot;
        answer_pci(c, PCI_GOOD);
        return;
    }
    answer_pci(c, PCI_NOT_FOUND);
}

static void find_pci_device(struct call *c) {
    if (c->dx == 0xffff)
        answer_pci(c, PCI_BAD_VENDOR);
    else
        find_pci(c, 0x00, 0, (uint32_t)c->cx << 16 | c->dx);
}

static void find_pci_class(struct call *c) { find_pci(c, 0x08, 8, c->ecx & 0xffffff); }

/* The buffer at ES:DI begins with its size. No function has an interrupt that could be led, so
 * there are no entries, and no IRQ is PCI's alone (BX). */
static void routing_options(struct call *c) {
    uint16_t none = 0;
    far_write(c, c->es, c->di, &none, sizeof none);
    c->bx = 0;
    answer_pci(c, PCI_GOOD);
}

static void set_pci_interrupt(struct call *c) { answer_pci(c, PCI_SET_FAILED); }
static void pci_unsupported(struct call *c) { answer_pci(c, PCI_UNSUPPORTED); }

/* --- words --------------------------------------------------------------------------------------------- */

static void ask_pci_device(struct call *c, struct words *w) { words_add(w, "%04x:%04x, number %u", c->dx, c->cx, c->si); }
static void ask_pci_class(struct call *c, struct words *w) { words_add(w, "%06x, number %u", c->ecx & 0xffffff, c->si); }
static void answer_found(struct call *c, struct words *w) {
    if (c->ah == PCI_GOOD)
        words_add(w, "%02x:%02x.%x", c->bh, c->bl >> 3, c->bl & 7);
    else
        words_add(w, "AH=%02xh: there is none", c->ah);
}

static void ask_register(struct call *c, struct words *w) {
    words_add(w, "%02xh of %02x:%02x.%x", c->di, c->bh, c->bl >> 3, c->bl & 7);
}

static void ask_write(struct call *c, struct words *w) {
    ask_register(c, w);
    words_add(w, " = %x", c->al == 0x0b ? c->cl : c->al == 0x0c ? c->cx : c->ecx);
}

static void answer_register(struct call *c, struct words *w) {
    if (c->ah == PCI_GOOD)
        words_add(w, "%x", c->al == 0x08 ? c->cl : c->al == 0x09 ? c->cx : c->ecx);
    else
        words_add(w, "AH=%02xh: no such register", c->ah);
}

static const struct service list[] = {
    ROW(0x1a, BY_AX(0xb101), "is there a PCI BIOS", pci_installed),
    TOLD(0x1a, BY_AX(0xb102), "find a PCI device", find_pci_device, ask_pci_device, answer_found),
    TOLD(0x1a, BY_AX(0xb103), "find a PCI class", find_pci_class, ask_pci_class, answer_found),
    ROW(0x1a, BY_AX(0xb106), "PCI special cycle", pci_unsupported),
    TOLD(0x1a, BY_AX(0xb108), "read a PCI byte", read_config_byte, ask_register, answer_register),
    TOLD(0x1a, BY_AX(0xb109), "read a PCI word", read_config_word, ask_register, answer_register),
    TOLD(0x1a, BY_AX(0xb10a), "read a PCI double word", read_config_double, ask_register, answer_register),
    TOLD(0x1a, BY_AX(0xb10b), "write a PCI byte", write_config_byte, ask_write, NULL),
    TOLD(0x1a, BY_AX(0xb10c), "write a PCI word", write_config_word, ask_write, NULL),
    TOLD(0x1a, BY_AX(0xb10d), "write a PCI double word", write_config_double, ask_write, NULL),
    ROW(0x1a, BY_AX(0xb10e), "PCI interrupt routing", routing_options),
    ROW(0x1a, BY_AX(0xb10f), "set a PCI interrupt", set_pci_interrupt),
    ROW(0x1a, BY_AH(0xb1), "PCI", pci_unsupported),
};
const struct services services_pci = {list, sizeof list / sizeof *list};
