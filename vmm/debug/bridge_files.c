/* Files that a client reads by the stub: images, and what has their symbols. */
#include "vmm/debug/bridge.h"

#include <string.h>
#include <unistd.h>

#include "vmm/host/files.h"

/* The symbols of a flat image NAME.bin are in NAME.elf, if that stands beside. */
const char *bridge_exec_file(void *target, int pid) {
    struct debug *d = target;
    struct machine *m = bridge_machine(d, pid);
    if (!m || !m->image.path || m->image.is_elf)
        return m ? m->image.path : NULL;
    size_t n = strlen(m->image.path);
    if (n < 4 || n >= sizeof d->symbols || strcmp(m->image.path + n - 4, ".bin"))
        return NULL;
    memcpy(d->symbols, m->image.path, n - 3);
    memcpy(d->symbols + n - 3, "elf", 4);
    int fd = file_open_fd(d->symbols);
    if (fd >= 0)
        close(fd);
    return fd >= 0 ? d->symbols : NULL;
}

/* The images, and what has their symbols. */
bool bridge_may_read(void *target, const char *path) {
    struct debug *d = target;
    for (unsigned pid = 1; pid <= d->count; pid++) {
        const char *symbols = bridge_exec_file(d, pid);
        const char *image = d->machines[pid - 1].image.path;
        const char *user = d->machines[pid - 1].image.user_path;
        if ((symbols && !strcmp(path, symbols)) || (image && !strcmp(path, image)) ||
            (user && !strcmp(path, user)))
            return true;
    }
    return false;
}

/* The user program inside a kernel. */
size_t bridge_libraries(void *target, int pid, struct gdb_library *list, size_t max) {
    struct machine *m = bridge_machine(target, pid);
    if (!m || !m->image.user_path)
        return 0;
    if (max)
        list[0] = (struct gdb_library){m->image.user_path, m->image.user_address};
    return 1;
}
