/* What the generated instruction streams (tests/lockstep) found in the built-in
 * CPU: each as the smallest case of its own.
 */
#include "tests/lockstep/rig.h"
#include "unit.h"
#include "vmm/engines/soft/soft.h"
#include "vmm/x86/descriptor.h"
#include "vmm/x86/mode.h"

static struct rig r;

/* Flat, with paging; the pages at `missing` and the one before it are not there. */
static void flat_without(const void *code, size_t length, uint32_t missing) {
    rig_open(&r, soft_open, 4 << 20);
    rig_flat(&r, code, length);
    rig_gate(&r, VECTOR_PF, 8, 0x12000, 0x8E);
    rig_paging(&r, 7);
    rig_put32(&r, PT_AT + 4 * (missing >> 12), 0);
    rig_put32(&r, PT_AT + 4 * ((missing >> 12) - 1), 0);
}

/* What is accessed in several pieces faults at the first of them. */
static void test_first_piece(void) {
    static const uint8_t popa[] = {0x61}, sgdt[] = {0x0F, 0x01, 0x05, 0xF8, 0xFF, 0x20, 0x00};
    flat_without(popa, sizeof popa, 0x201000);
    struct cpu_state *s = rig_get(&r);
    uint64_t code3 = rig_descriptor(0, 0xFFFFF, 0xFB, 0xC);
    uint64_t data3 = rig_descriptor(0, 0xFFFFF, 0xF3, 0xC);
    s->sregs.cs = x86_descriptor(0x1B, code3); /* ring 3: the handler has another stack */
    s->sregs.ss = s->sregs.ds = x86_descriptor(0x23, data3);
    s->regs.rsp = 0x200FF0;
    rig_set(&r);
    CHECK(rig_step(&r) == CPU_EXIT_STEPPED);
    CHECK(rig_get(&r)->regs.rip == 0x12000 && rig_get(&r)->sregs.cr2 == 0x200FF0);
    rig_close(&r);
    flat_without(sgdt, sizeof sgdt, 0x210000);
    CHECK(rig_step(&r) == CPU_EXIT_STEPPED);
    CHECK(rig_get(&r)->regs.rip == 0x12000 && rig_get(&r)->sregs.cr2 == 0x20FFF8);
    rig_close(&r);
}

int main(void) {
    test_first_piece();
    return unit_end();
}
