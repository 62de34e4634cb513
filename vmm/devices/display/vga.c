/* The registers of a VGA; see vga.h. */
#include "vmm/devices/display/vga.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/devices/devices.h"
#include "vmm/devices/display/picture.h"
#include "vmm/devices/display/screen.h"
#include "vmm/devices/bus_mmio.h"
#include "vmm/devices/pci.h"
#include "vmm/memory/layout.h"

enum {
    MONO_CRTC = 0x3b4, MONO_STATUS = 0x3ba, FIRST = 0x3c0, LAST = 0x3cf, CRTC_PORT = 0x3d4,
    STATUS = 0x3da,
};
/* Below FIRST. */
enum {
    ATTRIBUTE_WRITE, ATTRIBUTE_READ, MISC_WRITE, ENABLE, SEQUENCER_INDEX, SEQUENCER_DATA, DAC_MASK,
    DAC_READ_INDEX, DAC_WRITE_INDEX, DAC_DATA, FEATURE_READ, MISC_READ = 12, GRAPHICS_INDEX = 14,
    GRAPHICS_DATA
};
enum { MISC_COLOR = 1, VGA_SLOT = PCI_SLOT(2, 0) };
enum { RETRACE_PROTECT = 0x80, OVERFLOW_LINE_COMPARE = 0x10 };
enum { STATUS_BLANK = 1, STATUS_RETRACE = 8 };

/* The bits that exist. */
static const uint8_t sequencer_bits[VGA_SEQUENCER] = {0x03, 0x3d, 0x0f, 0x3f, 0x0e};
static const uint8_t graphics_bits[VGA_GRAPHICS] = {0x0f, 0x0f, 0x0f, 0x1f, 0x03,
                                                    0x7b, 0x0f, 0x0f, 0xff};
static uint8_t attribute_bits(unsigned index) {
    static const uint8_t bits[] = {0xef, 0xff, 0x3f, 0x0f, 0x0f};
    return index < ATTRIBUTE_MODE ? 0x3f : bits[index - ATTRIBUTE_MODE];
}

/* --- power-on: mode 3, 80 by 25 characters of 9 by 16 dots ----------------------------- */

static const struct vga mode_3 = {
    .misc = 0x67, .enabled = 1,
    .sequencer = {0x03, 0x00, 0x03, 0x00, 0x02},
    .crtc = {0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00,
             0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff},
    .graphics = {0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x00, 0xff},
    .attribute = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a,
                  0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00},
    .attribute_index = ATTRIBUTE_SHOWN,
    .dac_mask = 0xff,
};

/* The 64 colours of an EGA: bits 2 to 0 are two thirds of red, green and blue, bits 5 to 3
 * one third. */
static void set_default_colors(struct vga *v) {
    for (unsigned i = 0; i < 64; i++)
        for (unsigned component = 0; component < 3; component++) {
            unsigned bit = 2 - component;
            v->dac[i][component] = (i >> bit & 1) * 0x2a + (i >> (bit + 3) & 1) * 0x15;
        }
}

static void reset(void *device) {
    struct vga *v = device;
    const struct board *board = v->board;
    struct memory *memory = v->memory;
    const struct devices *devices = v->devices;
    *v = mode_3;
    v->board = board;
    v->memory = memory;
    v->devices = devices;
    dispi_reset(&v->dispi);
    vga_forget_map(v);
    set_default_colors(v);
}

/* --- CRT controller ------------------------------------------------------------------- */

static unsigned with_overflow(const struct vga *v, unsigned index, unsigned bit8, unsigned bit9) {
    unsigned overflow = v->crtc[CRTC_OVERFLOW];
    return v->crtc[index] | (overflow >> bit8 & 1) << 8 | (overflow >> bit9 & 1) << 9;
}

unsigned vga_vertical_end(const struct vga *v) {
    return with_overflow(v, CRTC_VERTICAL_END, 1, 6) + 1;
}

unsigned vga_line_compare(const struct vga *v) {
    return v->crtc[CRTC_LINE_COMPARE] | (v->crtc[CRTC_OVERFLOW] >> 4 & 1) << 8 |
           (v->crtc[CRTC_CHARACTER_HEIGHT] >> 6 & 1) << 9;
}

/* Bit 7 of the retrace end register protects registers 0 to 7, but for the bit of the line
 * compare in register 7. */
static void write_crtc(struct vga *v, uint8_t value) {
    unsigned i = v->crtc_index;
    bool locked = v->crtc[CRTC_RETRACE_END] & RETRACE_PROTECT && i <= CRTC_OVERFLOW;
    uint8_t writable = !locked ? 0xff : i == CRTC_OVERFLOW ? OVERFLOW_LINE_COMPARE : 0;
    if (i < VGA_CRTC)
        v->crtc[i] = (v->crtc[i] & ~writable) | (value & writable);
}

static uint8_t read_crtc(const struct vga *v) {
    return v->crtc_index < VGA_CRTC ? v->crtc[v->crtc_index] : 0;
}

/* Nanoseconds of a line of dots. */
static uint64_t line_ns(const struct vga *v, unsigned characters) {
    unsigned khz = (v->misc >> 2 & 3) == 1 ? 28322 : 25175;
    unsigned dots = v->sequencer[SEQUENCER_CLOCKING] & 1 ? 8 : 9;
    if (v->sequencer[SEQUENCER_CLOCKING] & 8)
        dots *= 2;
    return characters * dots * 1000000ull / khz;
}

/* Where the beam is, by guest time. */
static uint8_t read_status(struct vga *v) {
    unsigned characters = v->crtc[CRTC_TOTAL] + 5u;
    unsigned lines = with_overflow(v, CRTC_VERTICAL_TOTAL, 0, 5) + 2;
    unsigned start = with_overflow(v, CRTC_RETRACE_START, 2, 7);
    unsigned length = (v->crtc[CRTC_RETRACE_END] - start) & 15;
    uint64_t line = line_ns(v, characters);
    uint64_t t = v->board->now(v->board->machine) % (line * lines);
    unsigned y = t / line, x = t % line * characters / line;
    bool blank = y >= vga_vertical_end(v) || x > v->crtc[CRTC_DISPLAY_END];
    bool retrace = y - start < (length ? length : 16);
    v->attribute_data = false;
    return (blank ? STATUS_BLANK : 0) | (retrace ? STATUS_RETRACE : 0);
}

/* --- attribute controller and DAC ----------------------------------------------------- */

static void write_attribute(struct vga *v, uint8_t value) {
    unsigned i = v->attribute_index & 0x1f;
    if (!v->attribute_data)
        v->attribute_index = value & 0x3f;
    else if (i < VGA_ATTRIBUTE)
        v->attribute[i] = value & attribute_bits(i);
    v->attribute_data = !v->attribute_data;
}

static uint8_t read_attribute(const struct vga *v) {
    unsigned i = v->attribute_index & 0x1f;
    return i < VGA_ATTRIBUTE ? v->attribute[i] : 0;
}

/* One byte of a colour was transferred: the third goes on to the next colour. */
static void next_component(struct vga *v, uint8_t *index) {
    if (++v->dac_component == 3) {
        v->dac_component = 0;
        ++*index;
    }
}

static void write_dac(struct vga *v, uint8_t value) {
    v->dac[v->dac_write][v->dac_component] = value & dispi_dac_bits(&v->dispi);
    next_component(v, &v->dac_write);
}

static uint8_t read_dac(struct vga *v) {
    uint8_t value = v->dac[v->dac_read][v->dac_component];
    next_component(v, &v->dac_read);
    return value;
}

static void set_dac_index(struct vga *v, uint8_t *index, uint8_t value) {
    *index = value;
    v->dac_component = 0;
    v->dac_reads = index == &v->dac_read;
}

/* --- ports ---------------------------------------------------------------------------- */

static void write_indexed(uint8_t *registers, const uint8_t *bits, unsigned count, unsigned index,
                          uint8_t value) {
    if (index < count)
        registers[index] = value & bits[index];
}

static void write_sequencer(struct vga *v, uint8_t value) {
    write_indexed(v->sequencer, sequencer_bits, VGA_SEQUENCER, v->sequencer_index, value);
    vga_remap(v);
}

static void write_graphics(struct vga *v, uint8_t value) {
    write_indexed(v->graphics, graphics_bits, VGA_GRAPHICS, v->graphics_index, value);
    vga_remap(v);
}

static void write_port(struct vga *v, unsigned port, uint8_t value) {
    switch (port - FIRST) {
    case ATTRIBUTE_WRITE: write_attribute(v, value); break;
    case MISC_WRITE: v->misc = value & 0xef; break;
    case ENABLE: v->enabled = value & 1; break;
    case SEQUENCER_INDEX: v->sequencer_index = value & 7; break;
    case SEQUENCER_DATA: write_sequencer(v, value); break;
    case DAC_MASK: v->dac_mask = value; break;
    case DAC_READ_INDEX: set_dac_index(v, &v->dac_read, value); break;
    case DAC_WRITE_INDEX: set_dac_index(v, &v->dac_write, value); break;
    case DAC_DATA: write_dac(v, value); break;
    case GRAPHICS_INDEX: v->graphics_index = value & 15; break;
    case GRAPHICS_DATA: write_graphics(v, value); break;
    }
}

static uint8_t read_port(struct vga *v, unsigned port) {
    switch (port - FIRST) {
    case ATTRIBUTE_WRITE: return v->attribute_index;
    case ATTRIBUTE_READ: return read_attribute(v);
    case MISC_WRITE: return 0; /* input status 0: no interrupt is pending */
    case ENABLE: return v->enabled;
    case SEQUENCER_INDEX: return v->sequencer_index;
    case SEQUENCER_DATA:
        return v->sequencer_index < VGA_SEQUENCER ? v->sequencer[v->sequencer_index] : 0;
    case DAC_MASK: return v->dac_mask;
    case DAC_READ_INDEX: return v->dac_reads ? 3 : 0;
    case DAC_WRITE_INDEX: return v->dac_write;
    case DAC_DATA: return read_dac(v);
    case FEATURE_READ: return v->feature;
    case MISC_READ: return v->misc;
    case GRAPHICS_INDEX: return v->graphics_index;
    case GRAPHICS_DATA: return v->graphics_index < VGA_GRAPHICS ? v->graphics[v->graphics_index] : 0;
    default: return 0xff;
    }
}

static enum io_result access_byte_of(struct vga *v, const struct access *a) {
    if (a->write)
        write_port(v, a->address, access_byte(a));
    else
        access_reply(a, read_port(v, a->address));
    return IO_DONE;
}

/* The ports of the CRT controller; `port` is that of a colour screen. */
static void write_crt_port(struct vga *v, unsigned port, uint8_t value) {
    if (port == CRTC_PORT)
        v->crtc_index = value & 0x3f;
    else if (port == CRTC_PORT + 1)
        write_crtc(v, value);
    else if (port == STATUS)
        v->feature = value;
}

static uint8_t read_crt_port(struct vga *v, unsigned port) {
    if (port == CRTC_PORT)
        return v->crtc_index;
    return port == CRTC_PORT + 1 ? read_crtc(v) : port == STATUS ? read_status(v) : 0xff;
}

/* They are at 0x3Bx or at 0x3Dx, as the miscellaneous output register says. */
static enum io_result access_crt_byte(struct vga *v, const struct access *a) {
    bool color = a->address >= CRTC_PORT, here = color == (v->misc & MISC_COLOR);
    unsigned port = a->address + (color ? 0 : CRTC_PORT - MONO_CRTC);
    if (!a->write)
        return access_reply(a, here ? read_crt_port(v, port) : 0xff);
    if (here)
        write_crt_port(v, port, access_byte(a));
    return IO_DONE;
}

/* A wide access is one to each of the ports, the lowest first: index and data in one OUT. */
static enum io_result each_byte(struct vga *v, const struct access *a,
                                enum io_result (*access)(struct vga *, const struct access *)) {
    for (unsigned i = 0; i < a->size; i++) {
        struct access one = *a;
        one.address += i;
        one.size = 1;
        one.data = (uint8_t *)a->data + i;
        access(v, &one);
    }
    return IO_DONE;
}

static enum io_result access_vga(void *device, const struct access *a) {
    return each_byte(device, a, access_byte_of);
}

static enum io_result access_crt(void *device, const struct access *a) {
    return each_byte(device, a, access_crt_byte);
}

/* --- what is shown --------------------------------------------------------------------- */

enum { GRAPHICS = 1, COLOR_SELECT = 0x80, SCREEN_OFF = 0x20 };

bool vga_shows_text(const struct vga *v) {
    return !dispi_is_on(&v->dispi) && !(v->graphics[GRAPHICS_MISCELLANEOUS] & GRAPHICS) &&
           !(v->attribute[ATTRIBUTE_MODE] & GRAPHICS);
}

bool vga_is_on(const struct vga *v) {
    return v->attribute_index & ATTRIBUTE_SHOWN && v->enabled &&
           !(v->sequencer[SEQUENCER_CLOCKING] & SCREEN_OFF);
}

/* Six bits to eight: 3F is FF. */
static uint32_t component(const struct vga *v, const uint8_t *rgb, unsigned i) {
    return dispi_dac_bits(&v->dispi) == 0xff ? rgb[i] : (rgb[i] << 2 | rgb[i] >> 4) & 0xffu;
}

uint32_t vga_dac_color(const struct vga *v, unsigned index) {
    const uint8_t *rgb = v->dac[index & v->dac_mask];
    return component(v, rgb, 0) << 16 | component(v, rgb, 1) << 8 | component(v, rgb, 2);
}

uint32_t vga_attribute_color(const struct vga *v, unsigned attribute) {
    unsigned select = v->attribute[ATTRIBUTE_COLOR_SELECT];
    unsigned index = v->attribute[attribute & v->attribute[ATTRIBUTE_PLANES] & 15];
    if (v->attribute[ATTRIBUTE_MODE] & COLOR_SELECT)
        index = (index & 15) | (select & 3) << 4;
    return vga_dac_color(v, index | (select >> 2 & 3) << 6);
}

/* --- as a device ---------------------------------------------------------------------- */

void vga_set_font(struct vga *v, unsigned block, unsigned first, unsigned count, unsigned height,
                  const uint8_t *glyphs) {
    enum { FONT_PLANE = 2 };
    uint8_t *font = memory_vram(v->memory) + vga_font_offset(block) * VGA_PLANES;
    if (height == 0 || height > VGA_FONT_HEIGHT)
        return;
    for (unsigned i = first; i < first + count && i < 256; i++)
        for (unsigned line = 0; line < height; line++)
            font[(i * VGA_FONT_HEIGHT + line) * VGA_PLANES + FONT_PLANE] = *glyphs++;
    memory_dirty(v->memory, font, 256 * VGA_FONT_HEIGHT * VGA_PLANES);
}

static void save(const void *device, struct device_state *s) { device_put(s, device, sizeof(struct vga)); }

static void load(void *device, struct device_state *s) {
    device_take(s, device, sizeof(struct vga));
    vga_restore_map(device);
}

static void describe_picture(const struct vga *v, const struct device_sink *sink) {
    struct picture p;
    picture_open(&p, v, v->memory);
    if (dispi_is_on(&v->dispi))
        device_row(sink, "VGA", "graphics", "%u by %u dots of %u bits, at 0x%08x", p.width, p.height,
                   v->dispi.bits, v->dispi.framebuffer);
    else
        device_row(sink, "VGA", "graphics", "%u by %u dots", p.width, p.height);
}

static void describe(const void *device, const struct device_sink *sink) {
    const struct vga *v = device;
    unsigned columns, rows;
    if (screen_size(v, &columns, &rows))
        device_row(sink, "VGA", "text", "%u columns, %u rows", columns, rows);
    else
        describe_picture(v, sink);
    device_row(sink, "VGA", "start, cursor", "0x%02x%02x, 0x%02x%02x", v->crtc[CRTC_START_HIGH],
               v->crtc[CRTC_START_LOW], v->crtc[CRTC_CURSOR_HIGH], v->crtc[CRTC_CURSOR_LOW]);
}

void vga_open(struct vga *v, struct bus *bus, const struct board *board, struct memory *memory) {
    v->board = board;
    v->memory = memory;
    reset(v);
    bus_add_range(bus, &(struct bus_range){"vga", true, MEMORY_VIDEO, 0xbffff, vga_access_planes, v});
    bus_add_mmio(bus, "framebuffer", MEMORY_FRAMEBUFFER, MEMORY_VRAM, dispi_access_framebuffer, v);
    bus_add(bus, "dispi", DISPI_INDEX, DISPI_DATA + 1, dispi_access, v);
    bus_add(bus, "vga", FIRST, LAST, access_vga, v);
    bus_add(bus, "vga", CRTC_PORT, CRTC_PORT + 1, access_crt, v);
    bus_add(bus, "vga", STATUS, STATUS, access_crt, v);
    bus_add(bus, "vga", MONO_CRTC, MONO_CRTC + 1, access_crt, v);
    bus_add(bus, "vga", MONO_STATUS, MONO_STATUS, access_crt, v);
}

static void *open_on(const struct device_site *site) {
    struct vga *v = site->devices->vga = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    v->devices = site->devices;
    vga_open(v, site->bus, site->board, site->memory);
    return v;
}

/* The guest has moved the framebuffer. */
static enum io_result configured(void *device, struct cpu *cpu) {
    struct vga *v = device;
    uint32_t base;
    (void)cpu;
    bool on = pci_bar(v->devices->pci, VGA_SLOT, 0, &base);
    vga_set_framebuffer(v, on ? base : 0);
    return IO_DONE;
}

static const struct pci_function function = {
    .name = "VGA", .slot = VGA_SLOT, .vendor = 0x1234, .device = 0x1111, .class = 0x030000,
    .revision = 2, .command = PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER,
    .bar = {{MEMORY_VRAM, PCI_BAR_MEMORY | PCI_BAR_PREFETCH}},
};

const struct device_class device_vga = {
    .name = "vga",
    .open = open_on,
    .reset = reset,
    .save = save,
    .load = load,
    .describe = describe,
    .close = free,
    .pci = &function,
    .configured = configured,
};
