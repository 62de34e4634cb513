/* The CPU's accesses to the four planes, where they do not look like plain memory: the graphics
 * controller's write and read modes, and the latches (IBM PS/2 Hardware Interface Technical
 * Reference, Video Subsystem, "Graphics Controller Registers"). */
#include "vmm/devices/display/vga.h"

#include <string.h>

#include "vmm/memory/layout.h"

enum { SEQUENTIAL = 4, CHAIN_4 = 8, MISC_CHAIN = 2, READ_COMPARE = 8, MODE_ODD_EVEN = 0x10 };

/* --- which planes, and where ---------------------------------------------------------- */

struct place {
    unsigned offset; /* in each plane */
    unsigned planes; /* that a write may reach, by address */
};

/* Offset from where the window begins. */
static unsigned window_offset(const struct vga *v, uint64_t phys) {
    static const uint32_t base[] = {0xa0000, 0xa0000, 0xb0000, 0xb8000};
    return (unsigned)(phys - base[v->graphics[GRAPHICS_MISCELLANEOUS] >> 2 & 3]) & (2 * VGA_PLANE_SIZE - 1);
}

/* With odd and even addresses chained, the lowest bit chooses the plane, and a higher one is in
 * its place: that of a window of 128 KiB, else the page bit of the miscellaneous register, which
 * is 64 KiB up: beyond a plane. */
static struct place plane_place(const struct vga *v, uint64_t phys) {
    unsigned at = window_offset(v, phys), mode = v->sequencer[SEQUENCER_MEMORY_MODE];
    struct place p = {at & (VGA_PLANE_SIZE - 1), 15};
    if (mode & CHAIN_4) {
        p.planes = 1u << (at & 3);
        p.offset &= ~3u;
        return p;
    }
    if (!(mode & SEQUENTIAL))
        p.planes = at & 1 ? 10 : 5;
    if (v->graphics[GRAPHICS_MISCELLANEOUS] & MISC_CHAIN)
        p.offset = (p.offset & ~1u) | (at >> 16 & 1);
    return p;
}

/* --- writing -------------------------------------------------------------------------- */

/* A bit for each plane: the byte of all ones or zeros. */
static uint8_t spread_bit(unsigned bits, unsigned plane) { return bits >> plane & 1 ? 0xff : 0; }

static uint8_t rotate(uint8_t byte, unsigned by) { return (uint8_t)(byte >> by | byte << (8 - by)); }

static uint8_t combine(unsigned function, uint8_t byte, uint8_t latch) {
    switch (function) {
    case 1: return byte & latch;
    case 2: return byte | latch;
    case 3: return byte ^ latch;
    default: return byte;
    }
}

/* What goes into one plane. */
static uint8_t byte_for(const struct vga *v, uint8_t value, unsigned plane) {
    const uint8_t *g = v->graphics;
    unsigned function = g[GRAPHICS_ROTATE] >> 3;
    uint8_t latch = v->latch[plane], mask = g[GRAPHICS_BIT_MASK], byte = 0;
    uint8_t turned = rotate(value, g[GRAPHICS_ROTATE] & 7);
    switch (g[GRAPHICS_MODE] & 3) {
    case 0:
        byte = g[GRAPHICS_ENABLE_SET_RESET] >> plane & 1 ? spread_bit(g[GRAPHICS_SET_RESET], plane) : turned;
        break;
    case 1: return latch;
    case 2: byte = spread_bit(value, plane); break;
    case 3:
        byte = spread_bit(g[GRAPHICS_SET_RESET], plane);
        mask &= turned;
        break;
    }
    byte = combine(function, byte, latch);
    return (byte & mask) | (latch & (uint8_t)~mask);
}

static void write_planes(struct vga *v, uint64_t phys, uint8_t value) {
    struct place p = plane_place(v, phys);
    unsigned planes = p.planes & v->sequencer[SEQUENCER_MAP_MASK];
    uint8_t *at = memory_vram(v->memory) + p.offset * VGA_PLANES;
    memory_dirty(v->memory, at, VGA_PLANES);
    for (unsigned plane = 0; plane < VGA_PLANES; plane++)
        if (planes >> plane & 1)
            at[plane] = byte_for(v, value, plane);
}

/* --- reading -------------------------------------------------------------------------- */

/* A bit is 1 where the colour is the one compared with, in the planes that matter. */
static uint8_t compare(const struct vga *v) {
    uint8_t differs = 0;
    for (unsigned plane = 0; plane < VGA_PLANES; plane++)
        if (v->graphics[GRAPHICS_DONT_CARE] >> plane & 1)
            differs |= v->latch[plane] ^ spread_bit(v->graphics[GRAPHICS_COMPARE], plane);
    return (uint8_t)~differs;
}

static uint8_t read_planes(struct vga *v, uint64_t phys) {
    struct place p = plane_place(v, phys);
    unsigned plane = v->graphics[GRAPHICS_READ_MAP] & 3;
    memcpy(v->latch, memory_vram(v->memory) + p.offset * VGA_PLANES, VGA_PLANES);
    if (v->sequencer[SEQUENCER_MEMORY_MODE] & CHAIN_4)
        plane = phys & 3;
    else if (v->graphics[GRAPHICS_MODE] & READ_COMPARE)
        return compare(v);
    else if (v->graphics[GRAPHICS_MODE] & MODE_ODD_EVEN)
        plane = (plane & 2) | (phys & 1);
    return v->latch[plane];
}

bool vga_peek(const struct vga *v, uint64_t phys, uint8_t *to) {
    const struct memory_piece *w = &v->memory->window;
    struct vga copy = *v;
    if (phys >= v->dispi.framebuffer && phys - v->dispi.framebuffer < MEMORY_VRAM) {
        *to = memory_vram(v->memory)[phys - v->dispi.framebuffer]; /* before its first use */
        return true;
    }
    if (v->view != VIEW_PLANES || phys < w->phys || phys - w->phys >= w->length)
        return false;
    *to = read_planes(&copy, phys);
    return true;
}

/* A wide access is one byte after the other. */
enum io_result vga_access_planes(void *vga, const struct access *a) {
    uint8_t *data = a->data;
    for (unsigned i = 0; i < a->size; i++)
        if (a->write)
            write_planes(vga, a->address + i, data[i]);
        else
            data[i] = read_planes(vga, a->address + i);
    return IO_DONE;
}
