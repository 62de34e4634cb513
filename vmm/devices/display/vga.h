/* A VGA: CRT controller, sequencer, graphics controller, attribute controller and DAC at ports
 * 0x3B0 to 0x3DF, and display memory at A0000 to BFFFF.
 *
 * Display memory is four planes of 64 KiB: the first 256 KiB of the adapter's own memory, a
 * byte of each plane behind the other. Where the registers make the planes look like plain
 * memory to the CPU (text, mode 13h, a CGA's modes), RAM is there in their place, so that no
 * access leaves the CPU; whenever that begins or ends, the bytes are carried over (map.c).
 *
 * Rule: all registers read back what was written, in the bits that the hardware has
 * (IBM PS/2 Hardware Interface Technical Reference, Video Subsystem).
 */
#ifndef MINIKVM_VGA_H
#define MINIKVM_VGA_H

#include "vmm/devices/bus.h"
#include "vmm/devices/display/dispi.h"

struct devices;
struct memory;

enum {
    VGA_SEQUENCER = 5, VGA_CRTC = 25, VGA_GRAPHICS = 9, VGA_ATTRIBUTE = 21, VGA_COLORS = 256,
    VGA_FONT_HEIGHT = 32, /* lines at most */
};

/* Registers by index. */
enum {
    CRTC_TOTAL, CRTC_DISPLAY_END, CRTC_VERTICAL_TOTAL = 0x06, CRTC_OVERFLOW = 0x07,
    CRTC_CHARACTER_HEIGHT = 0x09, CRTC_CURSOR_START, CRTC_CURSOR_END, CRTC_START_HIGH, CRTC_START_LOW,
    CRTC_CURSOR_HIGH, CRTC_CURSOR_LOW, CRTC_RETRACE_START, CRTC_RETRACE_END, CRTC_VERTICAL_END,
    CRTC_OFFSET, CRTC_UNDERLINE, CRTC_MODE = 0x17, CRTC_LINE_COMPARE,
};
enum { ATTRIBUTE_MODE = 0x10, ATTRIBUTE_PLANES = 0x12, ATTRIBUTE_COLOR_SELECT = 0x14 };
enum {
    GRAPHICS_SET_RESET, GRAPHICS_ENABLE_SET_RESET, GRAPHICS_COMPARE, GRAPHICS_ROTATE, GRAPHICS_READ_MAP,
    GRAPHICS_MODE, GRAPHICS_MISCELLANEOUS, GRAPHICS_DONT_CARE, GRAPHICS_BIT_MASK,
};
enum { SEQUENCER_CLOCKING = 1, SEQUENCER_MAP_MASK, SEQUENCER_FONT, SEQUENCER_MEMORY_MODE };
/* Of the attribute controller's index: the palette is the screen's, so something is shown. */
enum { ATTRIBUTE_SHOWN = 0x20 };

enum { VGA_PLANES = 4, VGA_PLANE_SIZE = 0x10000 };

/* How the CPU sees display memory. */
enum vga_view {
    VIEW_ODD_EVEN, /* as RAM: even addresses are plane 0, odd ones plane 1 */
    VIEW_CHAIN4,   /* as RAM: the lowest two bits are the plane */
    VIEW_PLANE0,   /* as RAM: plane 0 alone */
    VIEW_PLANES,   /* each access comes to planes.c */
    VIEW_BANK,     /* 64 KiB of the adapter's memory: dispi.h */
};

struct vga {
    const struct board *board;
    struct memory *memory;
    const struct devices *devices;
    enum vga_view view;
    uint8_t window; /* which of four stretches of addresses: graphics register 6 */
    uint8_t latch[VGA_PLANES];
    uint8_t misc, feature, enabled;
    uint8_t sequencer_index, sequencer[VGA_SEQUENCER];
    uint8_t crtc_index, crtc[VGA_CRTC];
    uint8_t graphics_index, graphics[VGA_GRAPHICS];
    uint8_t attribute_index, attribute[VGA_ATTRIBUTE];
    bool attribute_data; /* the flip-flop: the next byte for port 0x3C0 is data */
    uint8_t dac_mask, dac_read, dac_write; /* the two indices */
    uint8_t dac_component;                 /* 0 red, 1 green, 2 blue: the next one */
    bool dac_reads;                        /* a read index was set last */
    uint8_t dac[VGA_COLORS][3];            /* six bits each, or eight */
    struct dispi dispi;
};

/* On the bus, in text mode 3 as a BIOS leaves it, but for the font. */
void vga_open(struct vga *, struct bus *, const struct board *, struct memory *);

/* What a BIOS does for int 10h/11: `count` glyphs of `height` (1 to 32) bytes from character
 * `first` on into plane 2, as font `block` of eight. What does not fit is left out. */
void vga_set_font(struct vga *, unsigned block, unsigned first, unsigned count, unsigned height,
                  const uint8_t *glyphs);
/* Where that font begins in plane 2. */
static inline unsigned vga_font_offset(unsigned block) {
    return (block & 3) << 14 | (block & 4) << 11;
}

/* Ten-bit registers whose upper bits are elsewhere; in lines. */
unsigned vga_vertical_end(const struct vga *); /* how many are displayed */
unsigned vga_line_compare(const struct vga *);

/* What is shown. */
bool vga_shows_text(const struct vga *);
bool vga_is_on(const struct vga *); /* else nothing is */
/* Of the DAC, and of one of 16 attributes by the palette: 0xRRGGBB. */
uint32_t vga_dac_color(const struct vga *, unsigned index);
uint32_t vga_attribute_color(const struct vga *, unsigned attribute);

/* --- map.c --- */
/* The registers have changed: is display memory to be seen in another way? */
void vga_remap(struct vga *);
/* Where all of the adapter's memory is, from now on; 0: as if nobody had said, at
 * MEMORY_FRAMEBUFFER. */
void vga_set_framebuffer(struct vga *, uint32_t base);
/* The guest uses it. */
void vga_map_framebuffer(struct vga *);
/* At power-on, where the registers and RAM are what they are then. */
void vga_forget_map(struct vga *);
/* The state was loaded, and memory with it. */
void vga_restore_map(struct vga *);
/* The bytes of the four planes at an offset. The vga may be a copy. */
struct vga_bytes {
    uint8_t plane[VGA_PLANES];
};
struct vga_bytes vga_bytes_at(const struct vga *, const struct memory *, unsigned offset);

/* --- planes.c --- */
/* An access to A0000 to BFFFF where no RAM is. */
enum io_result vga_access_planes(void *vga, const struct access *);
/* What a CPU would read there, or in the framebuffer; no latch changes. false: it would read
 * neither. */
bool vga_peek(const struct vga *, uint64_t phys, uint8_t *to);

#endif
