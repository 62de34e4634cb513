/* Reading and writing a CPU's registers; see register_access.h. */
#include "vmm/cpu/register_access.h"

#include <string.h>

#include "vmm/cpu/engine.h"

static uint64_t shift_of(struct cpu *cpu, const struct reg *r) {
    if (!register_is_flat(r) || !cpu->address_shift)
        return 0;
    return cpu->address_shift(cpu->addresses, cpu_read(cpu, r->parts));
}

bool register_read(struct cpu *cpu, const struct reg *r, uint8_t *value) {
    const struct cpu_state *s = cpu_read(cpu, r->parts);
    register_get(s, r, shift_of(cpu, r), value);
    return !(cpu->missing & r->parts);
}

bool register_write(struct cpu *cpu, const struct reg *r, const uint8_t *value) {
    uint8_t old[64];
    if (!register_read(cpu, r, old))
        return false;
    if (r->parts & CPU_MP) /* the instruction pointer, be it to where it is */
        cpu_arrives(cpu);
    if (!memcmp(old, value, (r->bits + 7) / 8))
        return true;
    if (!register_is_writable(r))
        return false;
    uint64_t shift = shift_of(cpu, r);
    struct cpu_state *s = cpu_write(cpu, r->parts);
    register_set(s, r, shift, value);
    if (r->parts & CPU_MP) /* the instruction pointer: moved on from a hlt */
        s->mp.mp_state = KVM_MP_STATE_RUNNABLE;
    return true;
}
