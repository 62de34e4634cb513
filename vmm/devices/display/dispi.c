/* Large modes and the linear framebuffer; see dispi.h. */
#include "vmm/devices/display/dispi.h"

#include <string.h>

#include "vmm/devices/bus_mmio.h"
#include "vmm/devices/display/vga.h"
#include "vmm/memory/layout.h"

enum { FIRST_WIDTH = 640, FIRST_HEIGHT = 480, FIRST_BITS = 8 };

void dispi_reset(struct dispi *d) {
    *d = (struct dispi){.id = DISPI_ID_LAST, .width = FIRST_WIDTH, .height = FIRST_HEIGHT, .bits = FIRST_BITS,
                        .virtual_width = FIRST_WIDTH, .framebuffer = MEMORY_FRAMEBUFFER};
}

/* --- what registers may be ------------------------------------------------------------ */

static unsigned not_above(unsigned value, unsigned most) { return value < most ? value : most; }

static bool is_depth(unsigned bits) {
    return bits == 8 || bits == 15 || bits == 16 || bits == 24 || bits == 32;
}

static unsigned line_count(const struct dispi *d) { return MEMORY_VRAM / dispi_pitch(d); }

/* A line is no shorter than what is shown, and all that is shown is in memory, if it fits. */
static void keep_in_memory(struct dispi *d) {
    unsigned widest = MEMORY_VRAM / d->height / dispi_dot_size(d);
    d->virtual_width = (uint16_t)not_above(d->virtual_width, not_above(widest, UINT16_MAX));
    d->virtual_width = d->virtual_width < d->width ? d->width : d->virtual_width;
    d->x = (uint16_t)not_above(d->x, d->virtual_width - d->width);
    d->y = (uint16_t)not_above(d->y, line_count(d) > d->height ? line_count(d) - d->height : 0);
}

/* --- switching on and off ------------------------------------------------------------- */

static void clear_picture(struct vga *v) {
    uint64_t length = (uint64_t)dispi_pitch(&v->dispi) * v->dispi.height;
    length = length < MEMORY_VRAM ? length : MEMORY_VRAM;
    memset(memory_vram(v->memory), 0, length);
    memory_dirty(v->memory, memory_vram(v->memory), length);
}

/* The VGA's own modes keep their planes in the same memory. So it is seen in this way before it
 * is cleared. */
static void switch_on(struct vga *v) {
    struct dispi *d = &v->dispi;
    d->virtual_width = d->width;
    d->x = d->y = d->bank = 0;
    vga_map_framebuffer(v);
    vga_remap(v);
    if (!(d->enable & DISPI_NO_CLEAR))
        clear_picture(v);
}

/* A component of six bits is one of eight in its upper ones, and back. */
static void change_dac(struct vga *v, bool wide) {
    for (unsigned i = 0; i < VGA_COLORS; i++)
        for (unsigned part = 0; part < 3; part++)
            v->dac[i][part] = wide ? (uint8_t)(v->dac[i][part] << 2 | v->dac[i][part] >> 4) : v->dac[i][part] >> 2;
}

static void set_enable(struct vga *v, uint16_t value) {
    struct dispi *d = &v->dispi;
    uint16_t before = d->enable;
    d->enable = value & (DISPI_ON | DISPI_CAPABILITIES | DISPI_DAC8 | DISPI_LINEAR | DISPI_NO_CLEAR);
    if ((before ^ d->enable) & DISPI_DAC8)
        change_dac(v, d->enable & DISPI_DAC8);
    if (d->enable & DISPI_ON && !(before & DISPI_ON))
        switch_on(v);
    else
        vga_remap(v);
}

void dispi_set_mode(void *vga, uint16_t width, uint16_t height, uint16_t bits) {
    struct vga *v = vga;
    set_enable(v, 0);
    v->dispi.width = width;
    v->dispi.height = height;
    v->dispi.bits = bits;
    set_enable(v, DISPI_ON | DISPI_LINEAR);
}

/* --- registers ------------------------------------------------------------------------ */

/* Those of the size, by the bit for capabilities their greatest. */
static uint16_t read_display_register(const struct dispi *d) {
    bool most = d->enable & DISPI_CAPABILITIES;
    switch (d->index) {
    case DISPI_ID: return d->id;
    case DISPI_WIDTH: return most ? DISPI_WIDTH_MAX : d->width;
    case DISPI_HEIGHT: return most ? DISPI_HEIGHT_MAX : d->height;
    case DISPI_BITS: return most ? DISPI_BITS_MAX : d->bits;
    case DISPI_ENABLE: return d->enable;
    case DISPI_BANK: return d->bank;
    case DISPI_VIRTUAL_WIDTH: return d->virtual_width;
    case DISPI_VIRTUAL_HEIGHT: return (uint16_t)not_above(line_count(d), UINT16_MAX);
    case DISPI_X: return d->x;
    case DISPI_Y: return d->y;
    case DISPI_MEMORY: return MEMORY_VRAM / DISPI_BANK_SIZE;
    default: return 0;
    }
}

/* A size that is none is not taken. */
static void set_display_size(uint16_t *size, uint16_t value, unsigned most) {
    if (value && value <= most)
        *size = value;
}

static void write_display_register(struct vga *v, uint16_t value) {
    struct dispi *d = &v->dispi;
    switch (d->index) {
    case DISPI_ID: d->id = value >= 0xb0c0 && value <= DISPI_ID_LAST ? value : d->id; break;
    case DISPI_WIDTH: set_display_size(&d->width, value & ~7, DISPI_WIDTH_MAX); break;
    case DISPI_HEIGHT: set_display_size(&d->height, value, DISPI_HEIGHT_MAX); break;
    case DISPI_BITS: d->bits = is_depth(value) ? value : d->bits; break;
    case DISPI_ENABLE: set_enable(v, value); break;
    case DISPI_BANK:
        d->bank = value & (MEMORY_VRAM / DISPI_BANK_SIZE - 1);
        vga_remap(v);
        break;
    case DISPI_VIRTUAL_WIDTH: d->virtual_width = value & ~7; break;
    case DISPI_X: d->x = value; break;
    case DISPI_Y: d->y = value; break;
    }
    keep_in_memory(d);
}

/* --- ports: 16 bits each, a byte is the lower one; the data at 1D0, too, where words are aligned --- */

static enum io_result access_register(struct vga *v, const struct access *a) {
    uint16_t value = 0;
    if (!a->write)
        return access_reply(a, a->address == DISPI_INDEX ? v->dispi.index : read_display_register(&v->dispi));
    memcpy(&value, a->data, a->size < sizeof value ? a->size : sizeof value);
    if (a->address == DISPI_INDEX)
        v->dispi.index = value;
    else
        write_display_register(v, value);
    return IO_DONE;
}

enum io_result dispi_access(void *vga, const struct access *a) { return access_register(vga, a); }

/* --- memory --------------------------------------------------------------------------- */

/* The first access: from now on it is memory. */
enum io_result dispi_access_framebuffer(void *vga, const struct access *a) {
    struct vga *v = vga;
    if (v->dispi.framebuffer != MEMORY_FRAMEBUFFER)
        return IO_NOBODY;
    uint8_t *at = memory_vram(v->memory) + (a->address - MEMORY_FRAMEBUFFER);
    vga_map_framebuffer(v);
    if (!a->write)
        return access_reply(a, access_value(&(struct access){.size = a->size, .data = at}));
    memory_dirty(v->memory, at, a->size);
    memcpy(at, a->data, a->size);
    return IO_DONE;
}
