/* The cache of a CPU's state between its engine and everyone else; see cpu.h. */
#include "vmm/cpu/cpu.h"

#include "vmm/base/invariant.h"

const struct cpu_state *cpu_read(struct cpu *cpu, unsigned parts) {
    parts &= ~cpu->valid;
    if (parts) {
        INVARIANT(cpu->ops); /* an engine is there */
        cpu->missing &= ~parts;
        cpu->ops->fetch(cpu, parts);
        cpu->valid |= parts;
    }
    return &cpu->state;
}

struct cpu_state *cpu_write(struct cpu *cpu, unsigned parts) {
    cpu_read(cpu, parts);
    cpu->dirty |= parts & ~cpu->missing; /* else the zeros would be stored */
    return &cpu->state;
}
