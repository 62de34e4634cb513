/* A look at a machine's screen; see machine_screen.h. */
#include "vmm/machine/machine_screen.h"

#include <stdio.h>

#include "vmm/cpu/engine.h"
#include "vmm/machine/engines.h"

/* The guest may be writing a register now, and is not kept waiting: each is as it was before or
 * after, and the next look shows it. A device may hold its lock until input comes, and who
 * brings that may be asking here. */
__attribute__((no_sanitize("thread"))) static void copy_registers(const struct vga *from,
                                                                  struct vga *to) {
    const volatile uint8_t *bytes = (const volatile uint8_t *)from;
    for (size_t i = 0; i < sizeof *to; i++)
        ((uint8_t *)to)[i] = bytes[i];
}

static bool is_in_past(struct machine *m) {
    lock_take(&m->run.lock);
    bool is = m->run.in_past;
    lock_release(&m->run.lock);
    return is;
}

bool machine_screen(struct machine *m, struct screen *s) {
    struct vga vga;
    if (is_in_past(m))
        return false;
    copy_registers(m->board.devices.vga, &vga);
    screen_read(&vga, &m->memory, s);
    return true;
}

bool machine_picture(struct machine *m, struct vga *registers, struct picture *p) {
    if (is_in_past(m))
        return false;
    copy_registers(m->board.devices.vga, registers);
    picture_open(p, registers, &m->memory);
    return true;
}

bool machine_peek_display(struct machine *m, uint64_t phys, uint8_t *to) {
    return vga_peek(m->board.devices.vga, phys, to);
}

void machine_state(struct machine *m, char *out, size_t size) {
    lock_take(&m->run.lock);
    snprintf(out, size, "%s%s", boot_vcpu(m)->cpu.engine->name, m->run.busy ? "" : ", stopped");
    lock_release(&m->run.lock);
}

/* As with the screen: the guest is not kept waiting, and the next look shows it. */
__attribute__((no_sanitize("thread"))) bool machine_wants_mouse(const struct machine *m) {
    return *(const volatile bool *)&m->board.devices.keyboard.mouse.reporting;
}

/* Of the chip in the kernel; with a debugger its state is another thread's. */
static unsigned kernel_tone(struct machine *m) {
    struct irqchip_state chips;
    lock_take(&m->run.lock); /* or the engine may be changing */
    struct cpu *cpu = &boot_vcpu(m)->cpu;
    bool has = !m->options->debugged && engines_has_irqchip(m) && !cpu->engine->get_irqchip(cpu, &chips);
    lock_release(&m->run.lock);
    return has ? pit_tone(&chips.pit) : 0;
}

__attribute__((no_sanitize("thread"))) struct machine_sound machine_sound(struct machine *m) {
    const volatile struct pit *pit = &m->board.devices.pit;
    struct machine_sound s = {pit->tone, pit->tones};
    if (!s.hz)
        s.hz = kernel_tone(m);
    return s;
}
