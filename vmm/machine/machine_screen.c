/* A look at a machine's screen; see machine_screen.h. */
#include "vmm/machine/machine_screen.h"

/* A device may hold the lock until input comes, and who brings that may be asking here. */
static bool copy_registers(struct machine *m, struct vga *vga) {
    if (pthread_mutex_trylock(&m->board.lock))
        return false;
    *vga = *m->board.devices.vga;
    pthread_mutex_unlock(&m->board.lock);
    return true;
}

bool machine_screen(struct machine *m, struct screen *s) {
    struct vga vga;
    if (!copy_registers(m, &vga))
        return false;
    screen_read(&vga, &m->memory, s);
    return true;
}
