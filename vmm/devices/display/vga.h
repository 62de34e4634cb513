/* The registers of a VGA: CRT controller, sequencer, graphics controller, attribute
 * controller and DAC, at ports 0x3B0 to 0x3DF.
 *
 * Display memory is RAM at A0000 to BFFFF: what the guest writes there stays as it is, and
 * screen.h reads it as the registers say. So no access to display memory leaves the CPU.
 *
 * Rule: all registers read back what was written, in the bits that the hardware has
 * (IBM PS/2 Hardware Interface Technical Reference, Video Subsystem).
 */
#ifndef MINIKVM_VGA_H
#define MINIKVM_VGA_H

#include "vmm/devices/bus.h"

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
enum { GRAPHICS_MISCELLANEOUS = 6, SEQUENCER_CLOCKING = 1 };
/* Of the attribute controller's index: the palette is the screen's, so something is shown. */
enum { ATTRIBUTE_SHOWN = 0x20 };

struct vga {
    const struct board *board;
    uint8_t misc, feature, enabled;
    uint8_t sequencer_index, sequencer[VGA_SEQUENCER];
    uint8_t crtc_index, crtc[VGA_CRTC];
    uint8_t graphics_index, graphics[VGA_GRAPHICS];
    uint8_t attribute_index, attribute[VGA_ATTRIBUTE];
    bool attribute_data; /* the flip-flop: the next byte for port 0x3C0 is data */
    uint8_t dac_mask, dac_read, dac_write; /* the two indices */
    uint8_t dac_component;                 /* 0 red, 1 green, 2 blue: the next one */
    bool dac_reads;                        /* a read index was set last */
    uint8_t dac[VGA_COLORS][3];            /* six bits each */
    /* The glyphs that the guest has set, a byte a line; font_height 0: none were set, and
     * the font is the ROM's. */
    uint8_t font_height;
    uint8_t font[256][VGA_FONT_HEIGHT];
};

/* On the bus, in text mode 3 as a BIOS leaves it. */
void vga_open(struct vga *, struct bus *, const struct board *);

/* What a BIOS does for int 10h/11: `count` glyphs of `height` (1 to 32) bytes from character
 * `first` on. What does not fit is left out. */
void vga_set_font(struct vga *, unsigned first, unsigned count, unsigned height,
                  const uint8_t *glyphs);

/* Ten-bit registers whose upper bits are elsewhere; in lines. */
unsigned vga_vertical_end(const struct vga *); /* how many are displayed */
unsigned vga_line_compare(const struct vga *);

#endif
