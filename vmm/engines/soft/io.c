/* Port I/O: the permission (Vol. 1 §18.5), and the machine's devices that answer.
 *
 * Rule: an IO_RETRY leaves the instruction as if it had not begun, so nothing
 * is changed before the device was asked.
 */
#include "vmm/engines/soft/access.h"
#include "vmm/engines/soft/x87.h"
#include "vmm/engines/soft/handlers.h"

#define TSS_IO_MAP 0x66

/* All bits of the port in the TSS's map must be clear; there is always one byte
 * more read than the port needs, so two are. */
static bool map_allows(struct soft *s, uint16_t port, unsigned size) {
    const struct kvm_segment *tr = &s->seg[S_TR].k;
    if (tr->unusable || !(tr->type & 8) || tr->limit < TSS_IO_MAP + 1)
        return false;
    unsigned map = read_linear(s, wrap_system(s, tr->base + TSS_IO_MAP), 2, RIGHTS_SYSTEM) & 0xFFFF;
    unsigned at = map + port / 8u;
    if (at + 1 > tr->limit)
        return false;
    uint64_t bits = read_linear(s, wrap_system(s, tr->base + at), 2, RIGHTS_SYSTEM);
    return !(bits >> port % 8u & ((1u << size) - 1));
}

void io_allow(struct soft *s, uint16_t port, unsigned size) {
    bool ask = s->cr0 & CR0_PE && (vm86(s) || s->cpl > iopl(s));
    if (ask && !map_allows(s, port, size))
        raise_gp0(s);
}

static void device(struct soft *s, uint16_t port, bool out, unsigned size, uint32_t *data) {
    const struct cpu_host *host = &s->cpu->host;
    fpu_away(s);
    s->cpu->ticks = now(s);
    s->deadline = 0; /* it may have set a timer, or raised an interrupt */
    pend(s, PENDING_CHECK);
    s->cpu->valid = 0; /* a device may look at registers: it is to see those of now */
    enum io_result result = host->io ? host->io(host->context, port, out, size, data) : IO_DONE;
    s->cpu->valid = 0;
    if (result == IO_RETRY)
        leave_with(s, CPU_EXIT_WAITING, "");
    if (result == IO_STOP)
        report(s, CPU_EXIT_DEVICE, "%s", "");
    if (result == IO_SERVICE)
        s->serves = true;
    if (s->guest_watching)
        watch_io(s, port, size);
}

uint64_t io_read(struct soft *s, uint16_t port, unsigned size) {
    uint32_t data = 0xFFFFFFFF;
    device(s, port, false, size, &data);
    return data & mask_of(size);
}

void io_write(struct soft *s, uint16_t port, unsigned size, uint64_t value) {
    uint32_t data = (uint32_t)(value & mask_of(size));
    device(s, port, true, size, &data);
}

static const struct op *in_port(struct soft *s, const struct op *op, uint16_t port) {
    io_allow(s, port, op->size);
    set_reg(s, REG(R_AX), op->size, io_read(s, port, op->size));
    return op + 1;
}

static const struct op *out_port(struct soft *s, const struct op *op, uint16_t port) {
    io_allow(s, port, op->size);
    io_write(s, port, op->size, s->r[R_AX]);
    return op + 1;
}

const struct op *in_i(struct soft *s, const struct op *op) {
    return in_port(s, op, (uint8_t)op->imm);
}
const struct op *in_dx(struct soft *s, const struct op *op) {
    return in_port(s, op, (uint16_t)s->r[R_DX]);
}
const struct op *out_i(struct soft *s, const struct op *op) {
    return out_port(s, op, (uint8_t)op->imm);
}
const struct op *out_dx(struct soft *s, const struct op *op) {
    return out_port(s, op, (uint16_t)s->r[R_DX]);
}
