/* Least privilege as the options want it; see confine.h. */
#include "vmm/app/confine.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "vmm/host/broker.h"
#include "vmm/host/files.h"
#include "vmm/host/stderr.h"
#include "vmm/app/sandbox.h"

static int told_path(const struct options *o, const char *wall, int err) {
    if (err == -ENOSYS || err == -EOPNOTSUPP || err == -EINVAL) {
        if (o->machine.verbose)
            say("no %s in this kernel: %s; going on without", wall, strerror(-err));
        return 0;
    }
    if (err)
        say("cannot make the sandbox: %s: %s; or run with --sandbox=off", wall, file_error(-err));
    return err;
}

/* Only a debugger saves runs, and has a socket. */
int confine_begin(const struct options *o, const char *socket) {
    int err = o->gdb && !o->machine.unconfined ? broker_start(socket) : 0;
    if (socket && !broker_is_there())
        file_remove_at_end(socket);
    if (err)
        say("cannot start a process beside the sandbox: %s; or run with --sandbox=off", file_error(-err));
    return err;
}

/* Of an image the whole folder: it may be built anew while we run, and what is
 * beside it has its symbols. */
int confine_files(const struct options *o, char *const *paths) {
    enum { OTHERS = 16 };
    struct sandbox_path use[MACHINES_MAX + MULTIBOOT_MODULES + SYMBOL_FILES + OTHERS] = {
        {"/dev/kvm", SANDBOX_DEVICE}, {"/proc/self/statm", SANDBOX_READ}};
    char folders[OTHERS / 2][PATH_MAX];
    size_t n = 2;
    if (o->machine.unconfined)
        return 0;
    if (o->machine.rom)
        use[n++] = (struct sandbox_path){o->machine.rom, SANDBOX_READ_BESIDE};
    if (o->machine.vga_rom && *o->machine.vga_rom)
        use[n++] = (struct sandbox_path){o->machine.vga_rom, SANDBOX_READ};
    if (o->machine.replay)
        use[n++] = (struct sandbox_path){o->machine.replay, SANDBOX_READ};
    for (unsigned i = 0; i < OTHERS / 2 && image_guest_folder(i, folders[i], PATH_MAX); i++)
        use[n++] = (struct sandbox_path){folders[i], SANDBOX_READ};
    for (unsigned i = 0; i < o->count; i++)
        use[n++] = (struct sandbox_path){paths[i], SANDBOX_READ_BESIDE};
    for (unsigned i = 0; i < o->machine.image.module_count; i++)
        use[n++] = (struct sandbox_path){o->modules[i].path, SANDBOX_READ_BESIDE};
    for (unsigned i = 0; i < o->machine.symbol_count; i++)
        use[n++] = (struct sandbox_path){o->machine.symbols[i].path, SANDBOX_READ_BESIDE};
    return told_path(o, "Landlock", sandbox_files(use, n));
}

int confine_calls(const struct options *o) {
    return o->machine.unconfined ? 0 : told_path(o, "seccomp", sandbox_calls());
}
