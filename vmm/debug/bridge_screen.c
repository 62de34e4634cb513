/* Pictures of a machine's screen, and the names of files that a client has made. */
#include "vmm/debug/bridge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vmm/host/broker.h"
#include "vmm/host/files.h"

bool bridge_file_name(const struct machine *m, const char *wanted, const char *suffix, char *name,
                      size_t size) {
    size_t length = strlen(wanted), end = strlen(suffix);
    bool ends = length > end && !strcmp(wanted + length - end, suffix);
    bool fits = (size_t)snprintf(name, size, "%s%s", wanted, ends ? "" : suffix) < size;
    return fits && *wanted && (m->options->unconfined || saved_name_is_good(name));
}

/* false, and nothing is left of it. */
static bool write_new(struct machine *m, const char *name, char *error, size_t size) {
    int fd = file_create(name);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "wb");
    if (!f) {
        snprintf(error, size, "%s", file_error(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    bool good = inspect_screenshot(m, f, error, size);
    if (fclose(f) && good) {
        snprintf(error, size, "%s", file_error(errno));
        good = false;
    }
    if (!good)
        file_discard(name);
    return good;
}

void bridge_screenshot(struct machine *m, const char *wanted, const struct text *t) {
    char name[PATH_MAX], error[200];
    if (!*wanted)
        text_print(t, "screenshot takes a file's name\n");
    else if (!bridge_file_name(m, wanted, PICTURE_SUFFIX, name, sizeof name))
        text_print(t, "screenshot" BRIDGE_NEW_FILE "\n", PICTURE_SUFFIX);
    else if (write_new(m, name, error, sizeof error))
        text_print(t, "%s is written\n", name);
    else
        text_print(t, "cannot write %s: %s\n", name, error);
}
