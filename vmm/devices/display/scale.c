/* A picture in another size; see picture.h. */
#include "vmm/devices/display/picture.h"

/* At most so many of a side are looked at for one dot. */
enum { SAMPLES = 4 };

/* Those of `all` that stand for the n-th of `parts`. */
struct samples {
    unsigned first, step, count;
};

static struct samples samples_of(unsigned n, unsigned parts, unsigned all) {
    unsigned first = n * all / parts, end = (n + 1) * all / parts;
    unsigned count = end > first ? end - first : 1, step = (count + SAMPLES - 1) / SAMPLES;
    return (struct samples){first, step, (count + step - 1) / step};
}

struct sum {
    uint32_t red, green, blue, count;
};

static void add_dots(struct sum *sum, const struct samples *s, const uint32_t *row) {
    for (unsigned i = 0, at = s->first; i < s->count; i++, at += s->step) {
        sum->red += row[at] >> 16 & 0xff;
        sum->green += row[at] >> 8 & 0xff;
        sum->blue += row[at] & 0xff;
        sum->count++;
    }
}

static uint32_t mean_of(const struct sum *s) {
    return s->red / s->count << 16 | s->green / s->count << 8 | s->blue / s->count;
}

static void scale_row(const struct picture *p, unsigned y, unsigned columns, unsigned rows, uint32_t *out) {
    struct samples lines = samples_of(y, rows, p->height);
    struct sum sums[PICTURE_COLUMNS] = {{0}};
    uint32_t row[PICTURE_COLUMNS];
    for (unsigned i = 0; i < lines.count; i++) {
        picture_row(p, lines.first + i * lines.step, row);
        for (unsigned x = 0; x < columns; x++) {
            struct samples dots = samples_of(x, columns, p->width);
            add_dots(&sums[x], &dots, row);
        }
    }
    for (unsigned x = 0; x < columns; x++)
        out[x] = mean_of(&sums[x]);
}

void picture_scale(const struct picture *p, unsigned columns, unsigned rows, uint32_t *out) {
    columns = columns < PICTURE_COLUMNS ? columns : PICTURE_COLUMNS;
    for (unsigned y = 0; y < rows; y++)
        scale_row(p, y, columns, rows, out + (size_t)y * columns);
}

void picture_fit(const struct picture *p, unsigned *columns, unsigned *rows) {
    bool square = p->kind == PICTURE_LINEAR;
    unsigned across = square ? p->width : 4, down = square ? p->height : 3;
    if (*columns * down > *rows * across)
        *columns = *rows * across / down;
    else
        *rows = *columns * down / across;
    *columns += !*columns;
    *rows += !*rows;
}
