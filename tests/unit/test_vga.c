/* The VGA's registers, driven by port accesses, and the text screen that they make of display
 * memory. */
#include "tests/unit/unit.h"

#include "vmm/devices/devices.h"
#include "vmm/devices/display/screen.h"
#include "vmm/memory/layout.h"
#include "vmm/memory/memory.h"

static struct bus bus;
static struct vga vga;
static struct memory memory;
static struct screen screen;
static uint64_t time_ns;

static uint64_t now(void *machine) {
    (void)machine;
    return time_ns;
}

static void moved(void *machine) { (void)machine; }

static const struct board board = {.now = now, .moved = moved};

static void new_vga(void) {
    bus = (struct bus){0};
    time_ns = 0;
    vga_open(&vga, &bus, &board, &memory);
    memory_clear(&memory);
    CHECK_STR(bus.error, "");
}

static void out_wide(uint16_t port, unsigned size, uint32_t value) {
    CHECK(bus_access(&bus, &(struct access){.address = port, .write = true, .size = size,
                                            .data = &value}) == IO_DONE);
}

static void out(uint16_t port, uint8_t value) { out_wide(port, 1, value); }

static uint8_t in(uint16_t port) {
    uint8_t value = 0x5a;
    CHECK(bus_access(&bus, &(struct access){.address = port, .size = 1, .data = &value}) == IO_DONE);
    return value;
}

static void set(uint16_t port, uint8_t index, uint8_t value) {
    out(port, index);
    out(port + 1, value);
}

static uint8_t get(uint16_t port, uint8_t index) {
    out(port, index);
    return in(port + 1);
}

enum { ATTRIBUTE = 0x3c0, MISC = 0x3c2, SEQUENCER = 0x3c4, DAC_READ = 0x3c7, DAC_WRITE, DAC_DATA,
       MISC_READ = 0x3cc, GRAPHICS = 0x3ce, MONO = 0x3b4, COLOR = 0x3d4, STATUS = 0x3da };

static void set_attribute(uint8_t index, uint8_t value) {
    in(STATUS);
    out(ATTRIBUTE, index);
    out(ATTRIBUTE, value);
    out(ATTRIBUTE, 0x20);
}

static void unlock(void) { set(COLOR, 0x11, get(COLOR, 0x11) & 0x7f); }

/* --- registers ------------------------------------------------------------------------ */

static void begins_in_text_mode(void) {
    new_vga();
    CHECK(in(MISC_READ) == 0x67 && get(COLOR, 0x01) == 79 && get(COLOR, 0x12) == 0x8f);
    CHECK(get(COLOR, 0x09) == 0x4f && get(COLOR, 0x13) == 40);
    CHECK(in(ATTRIBUTE) == 0x20);
    CHECK(get(GRAPHICS, 6) == 0x0e && get(SEQUENCER, 4) == 2);
}

static void all_read_back(void) {
    new_vga();
    for (unsigned i = 0; i < 25; i++)
        if (i > 7 || (unlock(), true)) {
            set(COLOR, i, 0xa5 & (i == 0x11 ? 0x7f : 0xff));
            CHECK(get(COLOR, i) == (0xa5 & (i == 0x11 ? 0x7f : 0xff)));
        }
    CHECK(in(COLOR) == 24);
    static const uint8_t graphics[] = {0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff};
    for (unsigned i = 0; i < sizeof graphics; i++) {
        set(GRAPHICS, i, 0xff);
        CHECK(get(GRAPHICS, i) == graphics[i]);
    }
    static const uint8_t sequencer[] = {0x03, 0x3d, 0x0f, 0x3f, 0x0e};
    for (unsigned i = 0; i < sizeof sequencer; i++) {
        set(SEQUENCER, i, 0xff);
        CHECK(get(SEQUENCER, i) == sequencer[i]);
    }
    out(0x3c6, 0x3c);
    out(STATUS, 0x02); /* written: the feature control register */
    CHECK(in(0x3c6) == 0x3c && in(0x3ca) == 0x02 && in(0x3c3) == 1);
}

/* Indices that no register has are neither kept nor do they reach others. */
static void indices_beyond(void) {
    new_vga();
    struct vga before = vga;
    for (unsigned i = 0x19; i < 0x40; i++)
        set(COLOR, i, 0x77);
    for (unsigned i = 5; i < 8; i++)
        set(SEQUENCER, i, 0x77);
    for (unsigned i = 9; i < 16; i++)
        set(GRAPHICS, i, 0x77);
    for (unsigned i = 0x15; i < 0x20; i++)
        set_attribute(i, 0x77);
    CHECK(!memcmp(before.crtc, vga.crtc, sizeof vga.crtc) &&
          !memcmp(before.attribute, vga.attribute, sizeof vga.attribute));
    CHECK(get(COLOR, 0x30) == 0 && get(SEQUENCER, 7) == 0 && get(GRAPHICS, 15) == 0);
    CHECK(in(0x3cd) == 0xff && in(0x3cb) == 0xff);
}

static void index_and_data_in_one_out(void) {
    new_vga();
    out_wide(COLOR, 2, 0x420f);
    out_wide(COLOR, 2, 0x010e);
    CHECK(vga.crtc[0x0f] == 0x42 && vga.crtc[0x0e] == 0x01);
    uint16_t both = 0;
    bus_access(&bus, &(struct access){.address = COLOR, .size = 2, .data = &both});
    CHECK(both == 0x010e);
    out_wide(SEQUENCER, 2, 0x0402);
    CHECK(vga.sequencer[2] == 4);
}

static void write_protection(void) {
    new_vga();
    CHECK(get(COLOR, 0x11) & 0x80); /* as a BIOS leaves it */
    set(COLOR, 0x01, 0x11);
    set(COLOR, 0x07, 0x00);
    CHECK(get(COLOR, 0x01) == 79);
    CHECK(get(COLOR, 0x07) == (0x1f & ~0x10)); /* but for the line compare's bit */
    unlock();
    set(COLOR, 0x01, 0x11);
    CHECK(get(COLOR, 0x01) == 0x11);
}

static void attribute_flip_flop(void) {
    new_vga();
    in(STATUS);
    out(ATTRIBUTE, 0x02);
    CHECK(in(0x3c1) == 0x02);
    out(ATTRIBUTE, 0x3f); /* data */
    CHECK(in(0x3c1) == 0x3f);
    out(ATTRIBUTE, 0x03); /* an index again */
    in(STATUS);           /* and the next is one once more */
    out(ATTRIBUTE, 0x34);
    CHECK(in(ATTRIBUTE) == 0x34 && vga.attribute[3] == 3);
}

static void dac(void) {
    new_vga();
    out(DAC_WRITE, 255);
    for (unsigned i = 0; i < 6; i++)
        out(DAC_DATA, 0x41 + i); /* goes on at 0 */
    CHECK(in(DAC_READ) == 0 && in(DAC_WRITE) == 1);
    out(DAC_READ, 255);
    CHECK(in(DAC_READ) == 3);
    for (unsigned i = 0; i < 6; i++)
        CHECK(in(DAC_DATA) == 0x01 + i); /* six bits */
    out(DAC_READ, 7);
    CHECK(in(DAC_DATA) == 0x2a && in(DAC_DATA) == 0x2a && in(DAC_DATA) == 0x2a);
    out(DAC_READ, 20); /* brown: half of the green */
    CHECK(in(DAC_DATA) == 0x2a && in(DAC_DATA) == 0x15 && in(DAC_DATA) == 0x00);
}

static void mono_ports(void) {
    new_vga();
    set(MONO, 0x0f, 0x12); /* nobody is there */
    CHECK(in(MONO) == 0xff && in(MONO + 1) == 0xff && in(0x3ba) == 0xff && vga.crtc[0x0f] == 0);
    out(MISC, 0x66);
    set(MONO, 0x0f, 0x12);
    CHECK(in(MONO + 1) == 0x12 && in(COLOR + 1) == 0xff);
    out(ATTRIBUTE, 0x21);
    in(0x3ba);
    CHECK(!vga.attribute_data);
}

/* 449 lines of 31.777 us, 400 of them displayed, 0x19c and 0x19d in retrace. */
static void retrace(void) {
    new_vga();
    unsigned blank = 0, retraces = 0, changes = 0, last = 0;
    for (time_ns = 0; time_ns < 14268000; time_ns += 1000) {
        unsigned status = in(STATUS);
        blank += status & 1;
        retraces += status >> 3 & 1;
        changes += (status ^ last) & 8 ? 1 : 0;
        last = status;
        CHECK(!(status & 8) || status & 1);
    }
    CHECK(retraces > 55 && retraces < 70 && changes == 2);
    CHECK(blank > 3800 && blank < 4500); /* of 14268: the borders of each line, and 49 lines */
    for (unsigned i = 0; i < 25; i++) { /* nonsense is no division by zero */
        unlock();
        set(COLOR, i, 0);
        in(STATUS);
    }
}

static void saved_and_loaded(void) {
    struct device_state s = {0};
    new_vga();
    extern const struct device_class device_vga;
    device_vga.save(&vga, &s);
    size_t plain = s.length;
    CHECK(plain < 1024);
    device_state_free(&s);
    s = (struct device_state){0};
    set(COLOR, 0x0f, 0x99);
    set(SEQUENCER, 2, 4); /* planes, no longer RAM */
    CHECK(!memory_at(&memory, 0xb8000, 1, false));
    struct vga before = vga;
    device_vga.save(&vga, &s);
    new_vga();
    s.end = s.length;
    device_vga.load(&vga, &s);
    CHECK(!memcmp(&before, &vga, sizeof vga) && !memory_at(&memory, 0xb8000, 1, false));
    device_state_free(&s);
}

/* Where a guest finds it: in plane 2, 32 bytes for each character. */
static void fonts(void) {
    static uint8_t glyphs[2 * 16];
    memset(glyphs, 0x18, sizeof glyphs);
    new_vga();
    vga_set_font(&vga, 0, 255, 2, 16, glyphs); /* the second has no place */
    vga_set_font(&vga, 0, 0, 1, 33, glyphs);   /* nor has this */
    vga_set_font(&vga, 5, 1, 1, 16, glyphs);
    CHECK(vga_bytes_at(&vga, &memory, 255 * 32 + 15).plane[2] == 0x18);
    CHECK(vga_bytes_at(&vga, &memory, 255 * 32 + 16).plane[2] == 0);
    CHECK(vga_bytes_at(&vga, &memory, 0).plane[2] == 0);
    set(SEQUENCER, 2, 4);
    set(SEQUENCER, 4, 7);
    CHECK(vga_bytes_at(&vga, &memory, 0x6000 + 32).plane[2] == 0x18);
}

/* --- the screen ----------------------------------------------------------------------- */

static void write_text(uint32_t at, const char *text, uint8_t attribute) {
    for (; *text; text++, at += 2)
        memory_write(&memory, at, (uint8_t[]){(uint8_t)*text, attribute}, 2);
}

static bool shows(unsigned row, unsigned column, const char *text) {
    for (; *text; text++, column++)
        if (screen.cell[row][column].character != (uint8_t)*text)
            return false;
    return true;
}

static void reads_text(void) {
    new_vga();
    write_text(0xb8000, "top", 0x07);
    write_text(0xb8000 + 24 * 160 + 77 * 2, "end", 0x4f);
    CHECK(screen_read(&vga, &memory, &screen) && screen.text && screen.on);
    CHECK(screen.columns == 80 && screen.rows == 25 && screen.height == 16);
    CHECK(shows(0, 0, "top") && shows(24, 77, "end"));
    CHECK(screen.cell[24][79].attribute == 0x4f);
    CHECK(screen.color[7] == 0xaaaaaa && screen.color[1] == 0x0000aa && screen.color[6] == 0xaa5500 &&
          screen.color[15] == 0xffffff);
}

static void start_and_offset(void) {
    new_vga();
    write_text(0xb8000 + 4096, "second page", 0x07);
    out_wide(COLOR, 2, 0x080c); /* cell 0x800 */
    out_wide(COLOR, 2, 0x000d);
    screen_read(&vga, &memory, &screen);
    CHECK(shows(0, 0, "second page"));
    out_wide(COLOR, 2, 0x3213); /* 100 cells a row */
    write_text(0xb8000 + 4096 + 200, "second row", 0x07);
    screen_read(&vga, &memory, &screen);
    CHECK(shows(1, 0, "second row"));
    out_wide(COLOR, 2, 0x3f0c); /* over the window's end, to its begin */
    out_wide(COLOR, 2, 0xff0d);
    write_text(0xb8000, "B", 0x07);
    screen_read(&vga, &memory, &screen);
    CHECK(shows(0, 1, "B"));
}

static void cursor(void) {
    new_vga();
    screen_read(&vga, &memory, &screen);
    CHECK(screen.cursor.shown && screen.cursor.row == 0 && screen.cursor.column == 0);
    CHECK(screen.cursor.first == 13 && screen.cursor.last == 14);
    set(COLOR, 0x0e, (3 * 80 + 7) >> 8);
    set(COLOR, 0x0f, 3 * 80 + 7);
    screen_read(&vga, &memory, &screen);
    CHECK(screen.cursor.row == 3 && screen.cursor.column == 7);
    set(COLOR, 0x0a, 0x20); /* off */
    screen_read(&vga, &memory, &screen);
    CHECK(!screen.cursor.shown);
    set(COLOR, 0x0a, 0x0f);
    set(COLOR, 0x0b, 0x03); /* ends before it begins */
    screen_read(&vga, &memory, &screen);
    CHECK(!screen.cursor.shown);
    set(COLOR, 0x0a, 0);
    set(COLOR, 0x0e, 25 * 80 >> 8); /* below the screen */
    set(COLOR, 0x0f, 25 * 80 & 0xff);
    screen_read(&vga, &memory, &screen);
    CHECK(!screen.cursor.shown);
}

static void forty_columns_fifty_rows(void) {
    new_vga();
    unlock();
    set(COLOR, 0x01, 39);
    set(COLOR, 0x13, 20);
    set(COLOR, 0x09, 0x47);
    write_text(0xb8000 + 49 * 80, "last", 0x07);
    screen_read(&vga, &memory, &screen);
    CHECK(screen.columns == 40 && screen.rows == 50 && screen.height == 8 && shows(49, 0, "last"));
    set(COLOR, 0x09, 0x4d); /* 14 lines: an EGA's 28 rows */
    screen_read(&vga, &memory, &screen);
    CHECK(screen.rows == 28);
    set(COLOR, 0x09, 0xc7); /* 8 lines, each twice */
    screen_read(&vga, &memory, &screen);
    CHECK(screen.rows == 25);
}

static void mono_text(void) {
    new_vga();
    set(GRAPHICS, 6, 0x0a);
    write_text(0xb0000, "mode 7", 0x01);
    set(COLOR, 0x14, 0x0d);
    screen_read(&vga, &memory, &screen);
    CHECK(shows(0, 0, "mode 7") && screen.underline);
}

static void split_screen(void) {
    new_vga();
    out_wide(COLOR, 2, 0x080c);
    write_text(0xb8000, "below", 0x07);
    write_text(0xb8000 + 4096, "above", 0x07);
    unsigned line = 20 * 16 - 1;
    set(COLOR, 0x18, line & 0xff);
    set(COLOR, 0x07, 0x1f); /* bit 8 */
    set(COLOR, 0x09, 0x0f); /* bit 9 */
    set(COLOR, 0x0f, 81);
    screen_read(&vga, &memory, &screen);
    CHECK(shows(0, 0, "above") && shows(20, 0, "below"));
    CHECK(screen.cursor.row == 21 && screen.cursor.column == 1);
}

static void blink_or_bright(void) {
    struct screen_cell cell = {'x', 0x9e};
    new_vga();
    screen_read(&vga, &memory, &screen);
    CHECK(screen_blinks(&screen, &cell) && screen_background(&screen, &cell) == 1 &&
          screen_foreground(&cell) == 14);
    set_attribute(0x10, 0x04);
    screen_read(&vga, &memory, &screen);
    CHECK(!screen_blinks(&screen, &cell) && screen_background(&screen, &cell) == 9);
}

static void palette(void) {
    new_vga();
    set_attribute(1, 0x2a);
    out(DAC_WRITE, 0x2a);
    out(DAC_DATA, 0x3f);
    out(DAC_DATA, 0x00);
    out(DAC_DATA, 0x20);
    screen_read(&vga, &memory, &screen);
    CHECK(screen.color[1] == 0xff0082);
    set_attribute(0x12, 0x0e); /* plane 0 is off: 1 is 0 */
    screen_read(&vga, &memory, &screen);
    CHECK(screen.color[1] == 0);
    set_attribute(0x12, 0x0f);
    set_attribute(0x10, 0x8c); /* bits 5 and 4 by colour select */
    set_attribute(0x14, 0x0d); /* so colour 1 is DAC's 0xda */
    out(DAC_WRITE, 0xda);
    out(DAC_DATA, 0x01);
    out(DAC_DATA, 0x02);
    out(DAC_DATA, 0x03);
    screen_read(&vga, &memory, &screen);
    CHECK(screen.color[1] == 0x04080c);
}

static void switched_off(void) {
    new_vga();
    in(STATUS);
    out(ATTRIBUTE, 0x00);
    CHECK(screen_read(&vga, &memory, &screen) && !screen.on);
    out(ATTRIBUTE, 0x00);
    out(ATTRIBUTE, 0x20);
    CHECK(screen_read(&vga, &memory, &screen) && screen.on);
    set(SEQUENCER, 1, 0x20);
    CHECK(screen_read(&vga, &memory, &screen) && !screen.on);
}

static void graphics_is_no_text(void) {
    unsigned columns, rows;
    new_vga();
    set(GRAPHICS, 6, 0x05);
    CHECK(!screen_read(&vga, &memory, &screen) && !screen.text && !screen_size(&vga, &columns, &rows));
}

/* Whatever the registers say, what is read is within display memory and the struct. */
static void any_registers(void) {
    uint32_t random = 1;
    new_vga();
    for (unsigned n = 0; n < 3000; n++) {
        for (unsigned i = 0; i < VGA_CRTC; i++)
            vga.crtc[i] = (random = random * 1664525 + 1013904223) >> 24;
        vga.graphics[6] = random >> 8 & 0x0e;
        vga.attribute[0x10] = random >> 12 & 0xee;
        screen_read(&vga, &memory, &screen);
        CHECK(screen.columns <= SCREEN_COLUMNS && screen.rows <= SCREEN_ROWS);
    }
}

int main(void) {
    memory_open(&memory, 1 << 20);
    begins_in_text_mode();
    all_read_back();
    indices_beyond();
    index_and_data_in_one_out();
    write_protection();
    attribute_flip_flop();
    dac();
    mono_ports();
    retrace();
    saved_and_loaded();
    fonts();
    reads_text();
    start_and_offset();
    cursor();
    forty_columns_fifty_rows();
    mono_text();
    split_screen();
    blink_or_bright();
    palette();
    switched_off();
    graphics_is_no_text();
    any_registers();
    memory_close(&memory);
    return unit_end();
}
