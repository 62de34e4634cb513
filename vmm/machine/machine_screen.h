/* A look at a machine's screen, while it runs, too. */
#ifndef MINIKVM_MACHINE_SCREEN_H
#define MINIKVM_MACHINE_SCREEN_H

#include "vmm/devices/display/picture.h"
#include "vmm/devices/display/screen.h"
#include "vmm/machine/machine.h"

/* For the owner, any time; the guest does not wait for it. false: the machine goes through its
 * past, so there is no present to show. */
bool machine_screen(struct machine *, struct screen *);

/* Dot by dot, likewise. `registers` is the picture's, and lasts as long as its rows are read. */
bool machine_picture(struct machine *, struct vga *registers, struct picture *);

/* For a debugger, while the machine stands: what the CPU would read of display memory where that
 * is no RAM. false: there is none. */
bool machine_peek_display(struct machine *, uint64_t phys, uint8_t *to);

/* "kvm", or "soft, stopped": which engine the machine has, and whether it stands. Any time. */
void machine_state(struct machine *, char *out, size_t size);

/* What the guest's speaker sounds, and how many tones have begun. Any time. */
struct machine_sound {
    unsigned hz; /* 0: nothing */
    unsigned tones;
};
struct machine_sound machine_sound(struct machine *);

/* Has the guest enabled its mouse? Any time. */
bool machine_wants_mouse(const struct machine *);

#endif
