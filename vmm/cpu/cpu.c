/* The cache of a CPU's state between its engine and everyone else; see cpu.h. */
#include "vmm/cpu/cpu.h"

#include <string.h>

/* Which bytes of the state belong to which part. */
static const struct {
    unsigned part;
    size_t offset, size;
} parts_table[] = {
#define PART(mask, field)                                                                          \
    {mask, offsetof(struct cpu_state, field), sizeof(((struct cpu_state *)0)->field)}
    PART(CPU_REGS, regs),     PART(CPU_SREGS, sregs), PART(CPU_DEBUGREGS, debugregs),
    PART(CPU_EVENTS, events), PART(CPU_FPU, fpu),     PART(CPU_MSRS, msrs),
    PART(CPU_MP, mp),
#undef PART
};

static void zero_missing(struct cpu *cpu, unsigned parts) {
    cpu->missing = (cpu->missing & ~parts) | (parts & ~cpu->valid);
    for (size_t i = 0; i < sizeof parts_table / sizeof *parts_table; i++)
        if (parts_table[i].part & parts & ~cpu->valid)
            memset((char *)&cpu->state + parts_table[i].offset, 0, parts_table[i].size);
    cpu->valid |= parts;
}

const struct cpu_state *cpu_read(struct cpu *cpu, unsigned parts) {
    if (parts & ~cpu->valid) {
        parts &= ~cpu->valid;
        cpu->ops->fetch(cpu, parts);
        zero_missing(cpu, parts);
    }
    return &cpu->state;
}

struct cpu_state *cpu_write(struct cpu *cpu, unsigned parts) {
    cpu_read(cpu, parts);
    cpu->dirty |= parts & ~cpu->missing; /* zeros would be made true */
    return &cpu->state;
}
