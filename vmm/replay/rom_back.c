/* Backwards out of the BIOS's ROM; see rom_back.h. */
#include "vmm/replay/rom_back.h"

#include "vmm/machine/rom_step.h"
#include "vmm/replay/history.h"
#include "vmm/replay/snapshot.h"

struct level {
    uint64_t ss;
    uint16_t sp;
};

static struct level level_of(struct machine *m) {
    const struct cpu_state *s = cpu_read(&history_vcpu(m)->cpu, CPU_REGS | CPU_SREGS);
    return (struct level){s->sregs.ss.base, (uint16_t)s->regs.rsp};
}

/* The caller's frame is on the stack no more. */
static bool is_before(struct machine *m, struct level inside) {
    struct level now = level_of(m);
    return !rom_step_in_rom(history_vcpu(m)) &&
           (now.ss != inside.ss || (int16_t)(now.sp - inside.sp) > 0);
}

bool rom_back_out(struct machine *m, bool (*go_back)(struct machine *)) {
    uint64_t start = m->history->list[0]->ticks;
    if (m->rom_is_stepped || !rom_step_in_rom(history_vcpu(m)))
        return true;
    struct level inside = level_of(m);
    while (history_vcpu(m)->cpu.ticks > start && !is_before(m, inside))
        if (!go_back(m))
            return false;
    return true;
}
