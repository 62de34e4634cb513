/* The registers that a person sees, as one table for each layout: it makes the
 * debugger's description, its g packet, and `monitor regs`.
 *
 * gdb has one flat address space. So eip, esp and ebp are shown as linear
 * addresses (segment base added, and subtracted again on write); what the CPU
 * itself holds is in raw_ip, raw_sp, raw_bp. In flat code both are the same.
 * Where a debugger's addresses are offsets (addresses.h), these three are as well.
 */
#ifndef MINIKVM_REGISTERS_H
#define MINIKVM_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>

#include "vmm/x86/state.h"

/* How the value of a register is made up; for debuggers and for people. */
struct reg_field {
    const char *name; /* NULL ends a list */
    int start, end;   /* bits of flags; an enum's value in start; -1: a typed field */
    const char *type;
};
struct reg_type {
    enum { REG_FLAGS, REG_STRUCT, REG_ENUM, REG_VECTOR, REG_UNION } kind;
    const char *id;   /* NULL ends the table */
    unsigned size;    /* bytes; of a vector, elements */
    const char *element;
    const struct reg_field *fields;
};

struct reg {
    const char *name;
    unsigned bits;
    const char *type;     /* gdb's name of a type, or the id of a reg_type */
    const char *feature;  /* gdb's name of the set it belongs to */
    const char *group;
    bool core;            /* in the g packet */
    bool expedite;        /* what gdb asks for at every stop */
    bool view;            /* of what another row holds, as a plain integer */
    unsigned parts;       /* of the state, to read and to write it */
    size_t offset;        /* in struct cpu_state, where it simply lies there… */
    unsigned size;        /* …with so many bytes; 0: by get and set */
    void (*get)(const struct cpu_state *, unsigned index, uint8_t *value);
    void (*set)(struct cpu_state *, unsigned index, const uint8_t *value);
    unsigned index;       /* for get and set */
};

struct reg_layout {
    const struct reg *regs;
    unsigned count;
    const struct reg_type *types;
    unsigned bits; /* 32 or 64 */
};

const struct reg_layout *register_layout(unsigned bits);

/* value: (bits + 7) / 8 bytes, little-endian. `shift`: linear address less what a flat
 * register shows; a shifted one is of 32 bits. vmm/cpu/register_access.h does it for a CPU. */
void register_get(const struct cpu_state *, const struct reg *, uint64_t shift, uint8_t *value);
/* For a register that is writable. */
void register_set(struct cpu_state *, const struct reg *, uint64_t shift, const uint8_t *value);
/* Shown as a linear address: it moves with the shift. */
bool register_is_flat(const struct reg *);
/* false: it follows from others. */
bool register_is_writable(const struct reg *);
const struct reg *register_find(const struct reg_layout *, const char *name);

/* The type with an id, or NULL for gdb's own. */
const struct reg_type *register_type(const struct reg_layout *, const char *id);
/* "[ PE ET ]", into out. */
void register_flags(const struct reg_type *, uint64_t value, char *out, size_t size);

#endif
