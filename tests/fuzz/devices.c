/* Any accesses to the devices' ports, with time and input in between, as a guest makes
 * them: one byte says what, those behind it how.
 */
#include "fuzz.h"
#include "guest.h"

#include "vmm/machine/machine_screen.h"

enum { OP_IN, OP_OUT, OP_TIME, OP_ACKNOWLEDGE, OP_INPUT, OPS };
enum { ACCESSES_MAX = 4000 };

static const uint16_t ports[] = {
    0x20,  0x21,  0xA0,  0xA1,  0x40,  0x41,  0x42,  0x43,  0x60,  0x61,  0x64,  0x70,  0x71, 0x80,
    0x92,  0xE9,  0xF4,  0x3F8, 0x3F9, 0x3FA, 0x3FB, 0x3FC, 0x3FD, 0x3FE, 0x3FF, 0x4D0, 0x500,
    0x3C0, 0x3C4, 0x3C5, 0x3C7, 0x3C8, 0x3C9, 0x3CE, 0x3CF, 0x3D4, 0x3D5, 0x3DA,
    0x04,  0x05,  0x08,  0x0A,  0x0B,  0x0C,  0x0E,  0x81,  0x3F2, 0x3F4, 0x3F5, 0x3F7};
enum { PORTS = sizeof ports / sizeof *ports };

static void access_port(struct machine *m, struct feed *in, bool out) {
    unsigned which = (unsigned)feed_number(in, 1), size = 1u << which / 64 % 3;
    uint32_t data = out ? (uint32_t)feed_number(in, size) : 0;
    uint16_t port = which % 64 < PORTS ? ports[which % 64] : (uint16_t)feed_number(in, 2);
    m->vcpu[0].cpu.host.io(&m->vcpu[0], port, out, size, &data);
}

/* Time goes on, and the next call is due later than now. */
static void pass_time(struct machine *m, uint64_t by) {
    m->vcpu[0].cpu.ticks += by;
    struct cpu *cpu = &m->vcpu[0].cpu;
    must(cpu->host.extra->deadline(&m->vcpu[0], cpu->ticks) > cpu->ticks, "a deadline lies ahead");
}

static void act(struct machine *m, struct feed *in) {
    uint8_t byte;
    int vector;
    switch (feed_number(in, 1) % OPS) {
    case OP_IN: access_port(m, in, false); break;
    case OP_OUT: access_port(m, in, true); break;
    case OP_TIME: pass_time(m, feed_number(in, 2)); break;
    case OP_ACKNOWLEDGE:
        vector = m->vcpu[0].cpu.intr ? m->vcpu[0].cpu.host.extra->acknowledge(&m->vcpu[0]) : -1;
        must(vector >= -1 && vector <= 0xFF, "a vector is one");
        break;
    case OP_INPUT:
        byte = (uint8_t)feed_number(in, 1);
        machine_input(m, &byte, 1);
        break;
    }
}

/* Whatever the registers of the VGA say, there is a screen of a size that it can have. */
static void look(struct machine *m) {
    struct screen s;
    must(machine_screen(m, &s), "a machine that stands has a screen");
    must(!s.text || (s.columns && s.columns <= SCREEN_COLUMNS && s.rows <= SCREEN_ROWS), "a size");
    must(!s.text || !s.cursor.shown || (s.cursor.row < s.rows && s.cursor.column < s.columns),
         "the cursor is on it");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static const struct machine_options options = {
        .engine = ENGINE_SOFT, .irqchip = IRQCHIP_ON, .memory = 64 << 10};
    struct machine m;
    struct feed in = {bytes, size};
    must(guest_open(&m, 1, guest_file(GUEST_KERNEL, "\xF4", 1), &options), "a machine");
    for (unsigned n = 0; in.left && n < ACCESSES_MAX; n++)
        act(&m, &in);
    look(&m);
    machine_close(&m);
    return 0;
}
