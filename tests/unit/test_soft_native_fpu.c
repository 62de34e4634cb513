/* 32-bit code: see native_fpu.h. `test_soft_native_fpu [cases] [seed] [x87|sse]`. */
#define IN_64BIT 0
#include "native_fpu.h"
#include "native32.h"

/* Machine code with a distance or an address behind it. */
static uint32_t put_code(uint32_t at, const char *bytes, size_t length, uint32_t value) {
    put(at, bytes, length);
    put(at + (uint32_t)length, &value, 4);
    return at + (uint32_t)length + 4;
}
#define CODE32(at, bytes, value) put_code(at, bytes, sizeof bytes - 1, value)

/* fxrstor; mov esp, FRAME; popf; popa; mov esp, [sp of the frame]; jmp CODE. After the
 * instruction, EXIT: keep esp, save the rest in a second frame, fxsave, return far. */
static void host_stubs(void) {
    const uint32_t mxcsr = 0x1F80;
    uint32_t at = CODE32(LOW, "\x0F\xAE\x0D", FPU_IN);
    at = CODE32(at, "\xBC", FRAME);
    at = CODE32(at, "\x9D\x61\x8B\x25", FRAME + 0x10);
    CODE32(at, "\xE9", CODE - (at + 5));
    at = CODE32(EXIT, "\x89\x25", FRAME + 0x80);
    at = CODE32(at, "\xBC", FRAME + 0x64);
    at = CODE32(at, "\x60\x9C\x0F\xAE\x05", FPU_OUT);
    at = CODE32(at, "\xDB\xE3\x0F\xAE\x15", MXCSR);
    CODE32(at, "\xFC\xBC", STACKS - 8);
    put(at + 6, "\xCB", 1);
    put(MXCSR, &mxcsr, 4);
    put_bridge();
}

static struct pushed pushed_of(const struct registers *r) {
    return (struct pushed){(uint32_t)r->flags, (uint32_t)r->r[DI], (uint32_t)r->r[SI],
                           (uint32_t)r->r[BP], (uint32_t)r->r[SP], (uint32_t)r->r[BX],
                           (uint32_t)r->r[DX], (uint32_t)r->r[CX], (uint32_t)r->r[AX]};
}

static void host_run(struct test *t) {
    struct pushed frame = pushed_of(&t->in);
    put_code32(t->code, t->length);
    put(FRAME, &frame, sizeof frame);
    put(DATA, t->data, DATA_SIZE);
    put(FPU_IN, &t->fpu, sizeof t->fpu);
    faulted = 0;
    run_bridge();
    memcpy(&frame, (void *)(uintptr_t)(FRAME + 0x40), sizeof frame);
    memcpy(&frame.sp, (void *)(uintptr_t)(FRAME + 0x80), 4);
    t->out = (struct registers){frame.flags, {frame.ax, frame.cx, frame.dx, frame.bx, frame.sp,
                                              frame.bp, frame.si, frame.di}};
    memcpy(t->data, (void *)(uintptr_t)DATA, DATA_SIZE);
    memcpy(&t->fpu, (void *)(uintptr_t)FPU_OUT, sizeof t->fpu);
    t->faulted = faulted;
}

static void host_child(struct test *tests) {
    host_prepare();
    host_stubs();
    for (unsigned n = 0; n < BATCH; n++)
        host_run(&tests[n]);
    _exit(0);
}

int main(int argc, char **argv) {
    return native_fpu(argc, argv, rig_flat);
}
