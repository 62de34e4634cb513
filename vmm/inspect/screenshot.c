/* What a machine's screen shows, as a PNG. */
#include "vmm/inspect/inspect.h"

#include <errno.h>
#include <string.h>

#include "vmm/devices/display/png.h"
#include "vmm/host/files.h"
#include "vmm/machine/machine_screen.h"

static void put_to_file(void *file, const void *bytes, size_t length) { fwrite(bytes, 1, length, file); }

static void write_png(FILE *f, const struct picture *p) {
    struct png png = {.put = put_to_file, .context = f};
    uint32_t row[PICTURE_COLUMNS];
    png_begin(&png, p->width, p->height);
    for (unsigned y = 0; y < p->height; y++) {
        picture_row(p, y, row);
        png_row(&png, row);
    }
    png_end(&png);
}

bool inspect_screenshot(struct machine *m, FILE *f, char *error, size_t size) {
    struct vga registers;
    struct picture p;
    if (!machine_picture(m, &registers, &p)) {
        snprintf(error, size, "the machine goes through its past; try again when it stands");
        return false;
    }
    write_png(f, &p);
    if (!fflush(f) && !ferror(f))
        return true;
    snprintf(error, size, "%s", file_error(errno));
    return false;
}
