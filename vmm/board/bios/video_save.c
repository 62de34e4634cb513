/* INT 10h, AH=1C and AX=4F04: the adapter's state into a program's buffer, and back.
 *
 * Each part that is asked for takes whole blocks of 64 bytes, one behind the other. */
#include "vmm/board/bios/video.h"

#include <string.h>

#include "vmm/devices/display/dispi.h"

enum { BLOCK = 64, COLORS = 768 };
enum { SEQUENCER = 0x3c4, GRAPHICS = 0x3ce, ATTRIBUTE = 0x3c0, MISC = 0x3c2, MISC_READ = 0x3cc, DAC = 0x3c7 };

/* One part, as bytes. */
struct state {
    struct bios *bios;
    bool save;
    uint8_t *bytes;
    unsigned used;
};

static uint8_t *state_byte(struct state *s) { return &s->bytes[s->used++]; }

static void indexed(struct state *s, uint16_t port, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        uint8_t *byte = state_byte(s);
        port_out(s->bios, port, (uint8_t)i);
        if (s->save)
            *byte = port_in(s->bios, port + 1);
        else
            port_out(s->bios, port + 1, *byte);
    }
}

/* --- the parts, by the bits of CX -------------------------------------------------------------------------- */

/* Index and data of the attribute controller come by one port; bit 5: the screen stays on. */
static void attribute_registers(struct state *s) {
    uint16_t status = peek16(s->bios, BDA_CRTC) + 6;
    for (unsigned i = 0; i < 21; i++) {
        uint8_t *byte = state_byte(s);
        port_in(s->bios, status);
        port_out(s->bios, ATTRIBUTE, (uint8_t)(i | 0x20));
        if (s->save)
            *byte = port_in(s->bios, ATTRIBUTE + 1);
        else
            port_out(s->bios, ATTRIBUTE, *byte);
    }
    port_in(s->bios, status);
}

/* The display registers come last: they may switch on what is over all of the VGA's. */
static void display(struct state *s) {
    static const uint8_t registers[] = {DISPI_WIDTH, DISPI_HEIGHT, DISPI_BITS, DISPI_ENABLE, DISPI_BANK,
                                        DISPI_VIRTUAL_WIDTH, DISPI_X, DISPI_Y};
    for (size_t i = 0; i < sizeof registers; i++) {
        uint8_t *low = state_byte(s), *high = state_byte(s);
        port_write(s->bios, DISPI_INDEX, 2, registers[i]);
        uint16_t value = s->save ? (uint16_t)port_read(s->bios, DISPI_DATA, 2) : (uint16_t)(*low | *high << 8);
        if (!s->save && registers[i] == DISPI_ENABLE)
            value |= DISPI_NO_CLEAR;
        if (!s->save)
            port_write(s->bios, DISPI_DATA, 2, value);
        *low = (uint8_t)value;
        *high = (uint8_t)(value >> 8);
    }
}

static void hardware(struct state *s) {
    uint16_t crtc = peek16(s->bios, BDA_CRTC);
    uint8_t *misc = state_byte(s);
    if (s->save)
        *misc = port_in(s->bios, MISC_READ);
    else
        port_out(s->bios, MISC, *misc);
    if (!s->save) { /* its bit 7 protects 00 to 07 */
        port_out(s->bios, crtc, 0x11);
        port_out(s->bios, crtc + 1, 0);
    }
    indexed(s, SEQUENCER, 5);
    indexed(s, crtc, 25);
    indexed(s, GRAPHICS, 9);
    attribute_registers(s);
    display(s);
}

static void memory_range(struct state *s, uint32_t from, unsigned length) {
    for (unsigned i = 0; i < length; i++) {
        uint8_t *byte = state_byte(s);
        if (s->save)
            *byte = peek8(s->bios, from + i);
        else
            poke8(s->bios, from + i, *byte);
    }
}

static void bios_data(struct state *s) {
    memory_range(s, BDA_MODE, 30);
    memory_range(s, BDA_ROWS, 7);
    memory_range(s, 0x1f * 4, 4);
    memory_range(s, 0x43 * 4, 4);
    memory_range(s, ebda(s->bios, EBDA_VBE_MODE), 2);
}

static void colors(struct state *s) {
    uint8_t *mask = state_byte(s);
    if (s->save)
        *mask = port_in(s->bios, DAC - 1);
    else
        port_out(s->bios, DAC - 1, *mask);
    port_out(s->bios, s->save ? DAC : DAC + 1, 0);
    for (unsigned i = 0; i < COLORS; i++) {
        uint8_t *byte = state_byte(s);
        if (s->save)
            *byte = port_in(s->bios, DAC + 2);
        else
            port_out(s->bios, DAC + 2, *byte);
    }
}

static const struct {
    unsigned bit, blocks;
    void (*transfer)(struct state *);
} parts[] = {{1, 2, hardware}, {2, 1, bios_data}, {4, (1 + COLORS + BLOCK - 1) / BLOCK, colors}};

/* --- the calls --------------------------------------------------------------------------------------------- */

static unsigned saved_blocks(uint16_t mask) {
    unsigned blocks = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        blocks += mask & parts[i].bit ? parts[i].blocks : 0;
    return blocks;
}

/* To or from ES:BX. Data comes before what is read by it: which ports the CRTC has. */
static void transfer(struct call *c, bool save) {
    uint16_t at = c->bx;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        uint8_t bytes[16 * BLOCK] = {0};
        struct state s = {c->bios, save, bytes, 0};
        unsigned length = parts[i].blocks * BLOCK;
        if (!(c->cx & parts[i].bit))
            continue;
        if (!save)
            far_read(c, c->es, at, bytes, length);
        parts[i].transfer(&s);
        if (save)
            far_write(c, c->es, at, bytes, length);
        at = (uint16_t)(at + length);
    }
}

/* 0: how many blocks, 1: save, 2: restore. false: something else. */
static bool save_or_restore(struct call *c, uint8_t function) {
    if (function > 2)
        return false;
    if (function == 0)
        c->bx = (uint16_t)saved_blocks(c->cx);
    else
        transfer(c, function == 1);
    return true;
}

void video_save(struct call *c) {
    if (save_or_restore(c, c->al))
        c->al = 0x1c;
}

/* Bit 3: the registers of large modes, which are with the others here. */
void video_save_vbe(struct call *c) {
    if (c->cx & 8)
        c->cx |= 1;
    c->ax = save_or_restore(c, c->dl) ? 0x004f : 0x014f;
}
