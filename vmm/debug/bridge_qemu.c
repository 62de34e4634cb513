/* What users of QEMU's monitor type, in terms of our own commands; and its memory dump.
 *
 * Rule: an alias is one row, and does what our command does.
 */
#include "vmm/debug/bridge.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/x86/page_walk.h"
#include "vmm/x86/x86.h"

static const struct {
    const char *qemu, *ours;
} aliases[] = {
    {"info registers", "regs"},
    {"info mem", "info pages"},
    {"info tlb", "info pages"},
    {"info pic", "info devices"},
    {"info irq", "info devices"},
    {"info qtree", "info devices"},
    {"info block", "info disks"},
    {"info blockstats", "info disks"},
    {"system_reset", "reset"},
    {"q", "quit"},
    {"?", "help"},
    {"c", "cont"},
};

const char *bridge_of_qemu(const char *line, char *out, size_t size) {
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        size_t n = strlen(aliases[i].qemu);
        if (strncmp(line, aliases[i].qemu, n) || (line[n] && line[n] != ' '))
            continue;
        snprintf(out, size, "%s%s", aliases[i].ours, line + n);
        return out;
    }
    return line;
}

/* --- x, xp ------------------------------------------------------------------------------ */

struct dump {
    unsigned count, size; /* of units, and bytes of each */
    char format;
};

/* "/4xw" */
static bool parse_format(const char **text, struct dump *d) {
    static const char units[] = "bhwg";
    *d = (struct dump){1, 4, 'x'};
    if (**text != '/')
        return true;
    const char *at = *text + 1;
    if (isdigit((unsigned char)*at))
        d->count = strtoul(at, (char **)&at, 10);
    for (; *at && *at != ' '; at++) {
        const char *unit = strchr(units, *at);
        if (unit)
            d->size = 1u << (unit - units);
        else if (strchr("xduoc", *at))
            d->format = *at;
        else
            return false;
    }
    if (d->format == 'c')
        d->size = 1;
    *text = at + strspn(at, " ");
    return d->count > 0 && d->count <= DUMP_MAX;
}

static void put_unit(const struct text *t, const struct dump *d, const uint8_t *bytes) {
    uint64_t value = 0;
    memcpy(&value, bytes, d->size);
    int64_t with_sign = (int64_t)(value << (64 - 8 * d->size)) >> (64 - 8 * d->size);
    switch (d->format) {
    case 'd': text_print(t, " %*" PRId64, (int)d->size * 3, with_sign); break;
    case 'u': text_print(t, " %*" PRIu64, (int)d->size * 3, value); break;
    case 'o': text_print(t, " 0%0*" PRIo64, (int)d->size * 3, value); break;
    case 'c': text_print(t, isprint((int)value) ? " '%c'" : " '\\x%02x'", (int)value); break;
    default: text_print(t, " 0x%0*" PRIx64, (int)d->size * 2, value);
    }
}

static bool read_unit(struct machine *m, bool physical, uint64_t address, uint8_t *to, size_t n) {
    if (physical)
        return memory_read(&m->memory, address, to, n) == n;
    const struct kvm_sregs *s = &cpu_read(&shown_vcpu(m)->cpu, CPU_SREGS)->sregs;
    address = addresses_linear(address, bridge_shift(shown_vcpu(m)));
    return x86_read(&m->memory, s, address, to, n) == n;
}

const char *bridge_dump(struct machine *m, bool physical, const char *format, uint64_t address,
                        const struct text *t) {
    struct dump d;
    uint8_t bytes[8];
    if (!parse_format(&format, &d))
        return "the format is /COUNT, x d u o or c, and b h w or g; code is shown by gdb's x/i";
    unsigned columns = d.format == 'c' ? 8 : 16 / d.size;
    for (unsigned i = 0; i < d.count; i++, address += d.size) {
        if (i % columns == 0)
            text_print(t, "%s%08" PRIx64 ":", i ? "\n" : "", address);
        if (!read_unit(m, physical, address, bytes, d.size)) {
            text_print(t, " Cannot access memory\n");
            return NULL;
        }
        put_unit(t, &d, bytes);
    }
    text_print(t, "\n");
    return NULL;
}
