/* The registers by which Bochs, QEMU and others give guests large modes and a linear framebuffer:
 * an index at port 1CE, 16 bits of data at 1CF (Bochs' "VBE DISPI", ids B0C0 to B0C5).
 *
 * Rule: whatever a guest writes, what is shown is a picture of at least a dot that picture.h can
 * hold; what of it does not lie in the adapter's memory is black.
 */
#ifndef MINIKVM_DISPI_H
#define MINIKVM_DISPI_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/devices/bus.h"

enum { DISPI_INDEX = 0x1ce, DISPI_DATA = 0x1cf, DISPI_BANK_SIZE = 0x10000 };

/* Registers by index. */
enum {
    DISPI_ID, DISPI_WIDTH, DISPI_HEIGHT, DISPI_BITS, DISPI_ENABLE, DISPI_BANK, DISPI_VIRTUAL_WIDTH,
    DISPI_VIRTUAL_HEIGHT, DISPI_X, DISPI_Y, DISPI_MEMORY,
};
/* Of DISPI_ENABLE. */
enum {
    DISPI_ON = 0x01, DISPI_CAPABILITIES = 0x02, DISPI_DAC8 = 0x20, DISPI_LINEAR = 0x40, DISPI_NO_CLEAR = 0x80,
};
enum { DISPI_ID_LAST = 0xb0c5, DISPI_WIDTH_MAX = 2560, DISPI_HEIGHT_MAX = 1600, DISPI_BITS_MAX = 32 };

struct dispi {
    uint16_t index, id, width, height, bits, enable, bank, virtual_width, x, y;
    uint32_t framebuffer; /* where it is decoded */
    bool mapped;          /* it has been used, and is there */
};

void dispi_reset(struct dispi *);

static inline bool dispi_is_on(const struct dispi *d) { return d->enable & DISPI_ON; }
/* The bits that a colour's component has in the DAC. */
static inline uint8_t dispi_dac_bits(const struct dispi *d) { return d->enable & DISPI_DAC8 ? 0xff : 0x3f; }
static inline unsigned dispi_dot_size(const struct dispi *d) { return (d->bits + 7) / 8; }
/* Bytes from a line to the next, and where the first dot is that is shown. */
static inline unsigned dispi_pitch(const struct dispi *d) { return d->virtual_width * dispi_dot_size(d); }
static inline uint64_t dispi_start(const struct dispi *d) {
    return (uint64_t)d->y * dispi_pitch(d) + d->x * dispi_dot_size(d);
}

/* What a loader does that sets such a mode. */
void dispi_set_mode(void *vga, uint16_t width, uint16_t height, uint16_t bits);

/* Ports, and memory at MEMORY_FRAMEBUFFER that is not yet mapped; `vga` is a struct vga. */
enum io_result dispi_access(void *vga, const struct access *);
enum io_result dispi_access_framebuffer(void *vga, const struct access *);

#endif
