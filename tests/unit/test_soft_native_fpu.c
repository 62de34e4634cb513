/* 32-bit code: see native_fpu.h. As in test_soft_native.c, the host's user code segment 0x23 is
 * reached by a far call from a page below 4 GiB. `test_soft_native_fpu [cases] [seed] [x87|sse]`.
 */
#define IN_64BIT 0
#include "native_fpu.h"

/* As PUSHA and PUSHF leave them, going up. */
struct pushed {
    uint32_t flags, di, si, bp, sp, bx, dx, cx, ax;
};

static void native_fault(ucontext_t *c) {
    if ((c->uc_mcontext.gregs[REG_CSGSFS] & 0xFFFF) != 0x23)
        _exit(76); /* not by the instruction under test */
    c->uc_mcontext.gregs[REG_RIP] = EXIT;
}

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
    /* 64-bit: keep rsp in r12, far call by the pointer at BRIDGE+0x40 on a low stack */
    static const uint8_t bridge[] = {
        0x41, 0x54, 0x53, 0x55, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, /* push r12 rbx rbp r13-15 */
        0x49, 0x89, 0xE4,                                           /* mov r12, rsp */
        0xBC, 0x00, 0x18, 0x10, 0x00,                               /* mov esp, STACKS */
        0xFF, 0x1C, 0x25, 0x40, 0x0C, 0x10, 0x00,                   /* lcall [BRIDGE+0x40] */
        0x4C, 0x89, 0xE4,                                           /* mov rsp, r12 */
        0x41, 0x5F, 0x41, 0x5E, 0x41, 0x5D, 0x5D, 0x5B, 0x41, 0x5C, 0xC3};
    static const uint8_t pointer[] = {0x00, 0x00, 0x10, 0x00, 0x23, 0x00};
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
    put(BRIDGE, bridge, sizeof bridge);
    put(BRIDGE + 0x40, pointer, sizeof pointer);
    put(MXCSR, &mxcsr, 4);
}

static struct pushed pushed_of(const struct registers *r) {
    return (struct pushed){(uint32_t)r->flags, (uint32_t)r->r[DI], (uint32_t)r->r[SI],
                           (uint32_t)r->r[BP], (uint32_t)r->r[SP], (uint32_t)r->r[BX],
                           (uint32_t)r->r[DX], (uint32_t)r->r[CX], (uint32_t)r->r[AX]};
}

static void host_run(struct test *t) {
    uint8_t jump[5] = {0xE9};
    int32_t distance = EXIT - (CODE + t->length + 5);
    struct pushed frame = pushed_of(&t->in);
    memcpy(jump + 1, &distance, 4);
    put(CODE, t->code, t->length);
    put(CODE + t->length, jump, 5);
    put(FRAME, &frame, sizeof frame);
    put(DATA, t->data, DATA_SIZE);
    put(FPU_IN, &t->fpu, sizeof t->fpu);
    faulted = 0;
    ((void (*)(void))(uintptr_t)BRIDGE)();
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
    /* 64-bit code has null DS and ES; the 32-bit needs the user's data segment. */
    __asm__ volatile("mov %0, %%ds\n mov %0, %%es" : : "r"(0x2B));
    host_stubs();
    for (unsigned n = 0; n < BATCH; n++)
        host_run(&tests[n]);
    _exit(0);
}

int main(int argc, char **argv) {
    return native_fpu(argc, argv, rig_flat);
}
