/* Parts of a CPU's state that its engine cannot give; see engine.h. */
#include <string.h>

#include "vmm/cpu/engine.h"

/* Which bytes of the state belong to which part. */
static const struct {
    unsigned part;
    size_t offset, size;
} parts_table[] = {
#define PART(mask, field)                                                                          \
    { mask, offsetof(struct cpu_state, field), sizeof(((struct cpu_state *)0)->field) }
    PART(CPU_REGS, regs),     PART(CPU_SREGS, sregs), PART(CPU_DEBUGREGS, debugregs),
    PART(CPU_EVENTS, events), PART(CPU_FPU, xcr0),    PART(CPU_FPU, xsave),
    PART(CPU_MSRS, msrs),     PART(CPU_MP, mp),
#undef PART
};

void cpu_miss(struct cpu *cpu, unsigned parts) {
    cpu->missing |= parts;
    for (size_t i = 0; i < sizeof parts_table / sizeof *parts_table; i++)
        if (parts_table[i].part & parts)
            memset((char *)&cpu->state + parts_table[i].offset, 0, parts_table[i].size);
}
