/* Writing a PNG; see png.h. Deflate and its checksum are RFC 1951 and RFC 1950. */
#include "vmm/devices/display/png.h"

enum { TRUE_COLOR = 2, ADLER = 65521, BLOCK = 5, DOT = 3 };

static void big_endian(uint8_t *to, uint32_t value) {
    for (unsigned i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* --- chunks: length, name, bytes, and the checksum of the two last ---------------------- */

/* The polynomial of ISO 3309, four bits at a time. */
static uint32_t crc_of(uint32_t crc, const uint8_t *bytes, size_t length) {
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return crc;
}

static void put_bytes(struct png *p, const void *bytes, size_t length) {
    p->crc = crc_of(p->crc, bytes, length);
    p->put(p->context, bytes, length);
}

static void begin_chunk(struct png *p, const char *name, uint32_t length) {
    uint8_t size[4];
    big_endian(size, length);
    p->put(p->context, size, sizeof size);
    p->crc = UINT32_MAX;
    put_bytes(p, name, 4);
}

static void end_chunk(struct png *p) {
    uint8_t crc[4];
    big_endian(crc, ~p->crc);
    p->put(p->context, crc, sizeof crc);
}

static void put_chunk(struct png *p, const char *name, const void *bytes, uint32_t length) {
    begin_chunk(p, name, length);
    put_bytes(p, bytes, length);
    end_chunk(p);
}

/* --- the picture: a chunk for each row, which is a stored block ------------------------- */

static uint32_t adler_of(uint32_t adler, const uint8_t *bytes, size_t length) {
    uint32_t a = adler & 0xffff, b = adler >> 16;
    for (size_t i = 0; i < length; i++) {
        a = (a + bytes[i]) % ADLER;
        b = (b + a) % ADLER;
    }
    return b << 16 | a;
}

/* The block's head: is it the last, its length, and that inverted. */
static void block_head(uint8_t head[BLOCK], bool last, uint16_t length) {
    head[0] = last;
    head[1] = (uint8_t)length;
    head[2] = (uint8_t)(length >> 8);
    head[3] = (uint8_t)~head[1];
    head[4] = (uint8_t)~head[2];
}

void png_begin(struct png *p, uint32_t width, uint32_t height) {
    static const uint8_t signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    static const uint8_t no_window[] = {0x78, 0x01}; /* of zlib: deflate, the fastest */
    uint8_t header[13] = {[8] = 8, [9] = TRUE_COLOR};
    p->width = width;
    p->adler = 1;
    p->put(p->context, signature, sizeof signature);
    big_endian(header, width);
    big_endian(header + 4, height);
    put_chunk(p, "IHDR", header, sizeof header);
    put_chunk(p, "IDAT", no_window, sizeof no_window);
}

/* Filter 0, and three bytes for each dot. */
void png_row(struct png *p, const uint32_t row[PICTURE_COLUMNS]) {
    uint8_t bytes[BLOCK + 1 + DOT * PICTURE_COLUMNS];
    uint32_t length = 1 + DOT * p->width;
    block_head(bytes, false, (uint16_t)length);
    bytes[BLOCK] = 0;
    for (uint32_t i = 0; i < p->width; i++)
        for (unsigned part = 0; part < DOT; part++)
            bytes[BLOCK + 1 + DOT * i + part] = (uint8_t)(row[i] >> (16 - 8 * part));
    p->adler = adler_of(p->adler, bytes + BLOCK, length);
    put_chunk(p, "IDAT", bytes, BLOCK + length);
}

void png_end(struct png *p) {
    uint8_t last[BLOCK + 4];
    block_head(last, true, 0);
    big_endian(last + BLOCK, p->adler);
    put_chunk(p, "IDAT", last, sizeof last);
    put_chunk(p, "IEND", "", 0);
}
