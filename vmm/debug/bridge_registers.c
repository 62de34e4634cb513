/* The register table in the stub's terms. One row there is one row here; nothing
 * is said twice. */
#include "vmm/debug/bridge.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/cpu/register_access.h"
#include "vmm/x86/mode.h"
#include "vmm/x86/x86.h"

/* gdb finds its own registers by these names of features. */
#define SSE_FEATURE    "org.gnu.gdb.i386.sse"
#define CORE_FEATURE   "org.gnu.gdb.i386.core"
#define SYSTEM_FEATURE "org.minikvm.x86.system"

static const struct {
    unsigned bits;
    const char *architecture;
} shapes[DESCRIPTIONS] = {
    [DESCRIPTION_16] = {32, "i8086"},
    [DESCRIPTION_32] = {32, "i386"},
    [DESCRIPTION_64] = {64, "i386:x86-64"},
};

static struct gdb_register *convert_registers(const struct reg_layout *layout) {
    struct gdb_register *out = calloc(layout->count, sizeof *out);
    for (unsigned i = 0; out && i < layout->count; i++) {
        const struct reg *r = &layout->regs[i];
        out[i] = (struct gdb_register){r->name,  r->bits, r->type,     r->feature,
                                       r->group, r->core, r->expedite, r->view};
    }
    return out;
}

static struct gdb_field *convert_fields(const struct reg_field *fields) {
    size_t n = 0;
    while (fields && fields[n].name)
        n++;
    struct gdb_field *out = calloc(n + 1, sizeof *out);
    for (size_t i = 0; out && i < n; i++)
        out[i] = (struct gdb_field){fields[i].name, fields[i].start, fields[i].end, fields[i].type};
    return out;
}

static const char *type_feature(const struct reg_type *t, size_t index) {
    if (t->kind == REG_VECTOR || t->kind == REG_UNION)
        return SSE_FEATURE;
    if (index == 0) /* eflags is the first, and gdb's own */
        return CORE_FEATURE;
    return t->id[0] == 'i' ? SSE_FEATURE : SYSTEM_FEATURE;
}

static struct gdb_type *convert_types(const struct reg_type *types) {
    static const int kinds[] = {[REG_FLAGS] = GDB_TYPE_FLAGS,
                                [REG_STRUCT] = GDB_TYPE_STRUCT,
                                [REG_ENUM] = GDB_TYPE_ENUM,
                                [REG_VECTOR] = GDB_TYPE_VECTOR,
                                [REG_UNION] = GDB_TYPE_UNION};
    size_t n = 0;
    while (types[n].id)
        n++;
    struct gdb_type *out = calloc(n + 1, sizeof *out);
    for (size_t i = 0; out && i < n; i++) {
        out[i].kind = kinds[types[i].kind];
        out[i].id = types[i].id;
        out[i].size = types[i].size;
        out[i].element = types[i].element;
        out[i].fields = convert_fields(types[i].fields);
        out[i].feature = type_feature(&types[i], i);
    }
    return out;
}

void bridge_make_descriptions(struct debug *d) {
    for (unsigned i = 0; i < DESCRIPTIONS; i++) {
        const struct reg_layout *layout = register_layout(shapes[i].bits);
        struct gdb_description *out = &d->description[i];
        out->architecture = shapes[i].architecture;
        out->registers = convert_registers(layout);
        out->count = out->registers ? layout->count : 0;
        out->types = convert_types(layout->types);
        out->types_feature = SYSTEM_FEATURE;
    }
}

void bridge_free_descriptions(struct debug *d) {
    for (unsigned i = 0; i < DESCRIPTIONS; i++) {
        struct gdb_description *out = &d->description[i];
        for (const struct gdb_type *t = out->types; t && t->id; t++)
            free((void *)t->fields);
        free((void *)out->types);
        free((void *)out->registers);
    }
}

const struct gdb_description *bridge_describe(void *target, struct gdb_thread thread) {
    struct debug *d = target;
    struct vcpu *v = bridge_vcpu(d, thread);
    if (!v)
        return &d->description[DESCRIPTION_32];
    const struct cpu_state *s = cpu_read(&v->cpu, CPU_REGS | CPU_SREGS);
    unsigned bits = x86_mode_bits(x86_mode(&s->sregs, s->regs.rflags));
    return &d->description[bits == 16   ? DESCRIPTION_16
                           : bits == 32 ? DESCRIPTION_32
                                        : DESCRIPTION_64];
}

const struct gdb_description *bridge_description_of(void *target, const char *architecture) {
    struct debug *d = target;
    for (unsigned i = 0; i < DESCRIPTIONS; i++)
        if (!strcmp(shapes[i].architecture, architecture))
            return &d->description[i];
    return &d->description[DESCRIPTION_32];
}

/* For people; gdb prints it at each change of mode. */
const char *bridge_mode_name(void *target, struct gdb_thread thread) {
    static const char *const names[] = {
        [MODE_REAL] = "16-bit real mode",
        [MODE_VM86] = "virtual-8086 mode",
        [MODE_PROT16] = "16-bit protected mode",
        [MODE_PROT32] = "32-bit protected mode",
        [MODE_COMPAT16] = "16-bit compatibility mode",
        [MODE_COMPAT32] = "32-bit compatibility mode",
        [MODE_LONG] = "64-bit long mode",
    };
    struct vcpu *v = bridge_vcpu(target, thread);
    const struct cpu_state *s = v ? cpu_read(&v->cpu, CPU_REGS | CPU_SREGS) : NULL;
    return s ? names[x86_mode(&s->sregs, s->regs.rflags)] : "no CPU";
}

const struct reg *bridge_row(struct debug *d, const struct gdb_description *description,
                             unsigned number) {
    const struct reg_layout *layout = register_layout(shapes[description - d->description].bits);
    return number < layout->count ? &layout->regs[number] : NULL;
}

bool bridge_read_register(void *target, struct gdb_thread thread,
                          const struct gdb_description *description, unsigned number,
                          uint8_t *value) {
    struct vcpu *v = bridge_vcpu(target, thread);
    const struct reg *r = bridge_row(target, description, number);
    if (!v || !r)
        return false;
    return register_read(&v->cpu, r, value);
}

bool bridge_write_register(void *target, struct gdb_thread thread,
                           const struct gdb_description *description, unsigned number,
                           const uint8_t *value) {
    struct vcpu *v = bridge_vcpu(target, thread);
    const struct reg *r = bridge_row(target, description, number);
    if (!v || !r)
        return false;
    if (!register_is_writable(r)) {
        uint8_t now[64];
        return register_read(&v->cpu, r, now) && !memcmp(now, value, (r->bits + 7) / 8);
    }
    bridge_change(target, v->machine);
    return register_write(&v->cpu, r, value);
}

const char *bridge_read_only(void *target, const struct gdb_description *description,
                             unsigned number) {
    const struct reg *r = bridge_row(target, description, number);
    return !r || register_is_writable(r)
               ? NULL
               : "the mode follows from CR0.PE, EFER.LMA, EFLAGS.VM and CS; "
                 "write those";
}
