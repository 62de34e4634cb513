/* `monitor regs`: every register, by the table that gdb has them from. */
#include "vmm/inspect/inspect.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "vmm/cpu/register_access.h"
#include "vmm/x86/mode.h"
#include "vmm/x86/x86.h"

static uint64_t print_number(const uint8_t *value, unsigned bytes) {
    uint64_t n = 0;
    memcpy(&n, value, bytes < 8 ? bytes : 8);
    return n;
}

static void bytes(const uint8_t *value, unsigned count, char *out) {
    for (unsigned i = count; i-- > 0; out += 2)
        sprintf(out, "%02x", value[i]);
}

static void structure(const struct reg_layout *layout, const struct reg *r, const uint8_t *value,
                      char *out, size_t size) {
    unsigned base = layout->bits / 8;
    const struct reg_type *attr = register_type(layout, "x86_attr");
    char flags[96];
    if (!strcmp(r->type, "x86_table")) {
        snprintf(out, size, "base %0*" PRIx64 " limit %04" PRIx64, 2 * base, print_number(value, base),
                 print_number(value + base, 4));
        return;
    }
    register_flags(attr, print_number(value + 8 + base, 4), flags, sizeof flags);
    snprintf(out, size, "sel %04" PRIx64 " base %0*" PRIx64 " limit %08" PRIx64 " %s",
             print_number(value, 4), 2 * base, print_number(value + 4, base), print_number(value + 4 + base, 4),
             flags);
}

static const char *mode_name(const struct reg_type *type, uint64_t mode) {
    for (const struct reg_field *f = type->fields; f->name; f++)
        if ((uint64_t)f->start == mode)
            return f->name;
    return "?";
}

static void show_register(const struct reg_layout *layout, const struct reg *r, const uint8_t *value,
                 char *out, size_t size) {
    const struct reg_type *type = register_type(layout, r->type);
    unsigned length = (r->bits + 7) / 8;
    if (type && type->kind == REG_STRUCT) {
        structure(layout, r, value, out, size);
    } else if (type && type->kind == REG_ENUM) {
        snprintf(out, size, "%s", mode_name(type, print_number(value, 4)));
    } else if (type && type->kind == REG_FLAGS) {
        int n = snprintf(out, size, "%0*" PRIx64 " ", 2 * length, print_number(value, length));
        register_flags(type, print_number(value, length), out + n, size - n);
    } else {
        bytes(value, length, out);
    }
}

/* Short ones share a line. */
void inspect_registers(struct machine *m, const struct text *t) {
    struct cpu *cpu = &shown_vcpu(m)->cpu;
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    unsigned bits = x86_mode_bits(x86_mode(&s->sregs, s->regs.rflags));
    const struct reg_layout *layout = register_layout(bits);
    unsigned column = 0;
    for (unsigned i = 0; i < layout->count; i++) {
        const struct reg *r = &layout->regs[i];
        uint8_t value[64];
        char text[256];
        if (r->view)
            continue;
        if (register_read(cpu, r, value))
            show_register(layout, r, value, text, sizeof text);
        else
            snprintf(text, sizeof text, "<unavailable>");
        bool wide = strlen(text) > 16 || !strcmp(r->name, "cpumode");
        if (wide && column % 4)
            text_print(t, "\n");
        text_print(t, wide ? "%-8s %s\n" : "%-6s %-16s ", r->name, text);
        column = wide ? 0 : column + 1;
        if (column && column % 4 == 0)
            text_print(t, "\n");
    }
}

void inspect_cpu(struct vcpu *v, char *out, size_t size) {
    const struct cpu_state *s = cpu_read(&v->cpu, CPU_REGS | CPU_SREGS);
    int n = snprintf(out, size, "ring%u %s", x86_cpl(&s->sregs),
                     x86_mode_name(x86_mode(&s->sregs, s->regs.rflags)));
    for (int i = 0; i < n && i < (int)size; i++)
        out[i] = tolower((unsigned char)out[i]);
}
