/* 64-bit code: see native_fpu.h. `test_soft_native_fpu64 [cases] [seed] [x87|sse]`. */
#define IN_64BIT 1
#include "native64.h"
#include "native_fpu.h"

NATIVE64("fxrstor64 " TEXT(FPU_IN), "fxsave64 " TEXT(FPU_OUT) "; fninit; ldmxcsr " TEXT(MXCSR) "; cld")

static void native_fault(ucontext_t *c) {
    uint64_t ip = (uint64_t)c->uc_mcontext.gregs[REG_RIP];
    if (ip < CODE || ip >= CODE + 64)
        _exit(76); /* not by the instruction under test */
    c->uc_mcontext.gregs[REG_RIP] = (greg_t)host_leave;
}

/* jmp *[rip]: host_leave */
static void host_run(struct test *t) {
    static const uint8_t jump[] = {0xFF, 0x25, 0, 0, 0, 0};
    uint64_t leave = (uint64_t)host_leave, code = CODE;
    put(CODE, t->code, t->length);
    put(CODE + t->length, jump, sizeof jump);
    put(CODE + t->length + sizeof jump, &leave, 8);
    put(SAVED + 8, &code, 8);
    put(FRAME, &t->in, sizeof t->in);
    put(DATA, t->data, DATA_SIZE);
    put(FPU_IN, &t->fpu, sizeof t->fpu);
    faulted = 0;
    host_enter();
    memcpy(&t->out, (void *)(uintptr_t)OUT, sizeof t->out);
    memcpy(t->data, (void *)(uintptr_t)DATA, DATA_SIZE);
    memcpy(&t->fpu, (void *)(uintptr_t)FPU_OUT, sizeof t->fpu);
    t->faulted = faulted;
}

static void host_child(struct test *tests) {
    const uint32_t mxcsr = 0x1F80;
    host_prepare();
    put(MXCSR, &mxcsr, 4);
    for (unsigned n = 0; n < BATCH; n++)
        host_run(&tests[n]);
    _exit(0);
}

int main(int argc, char **argv) {
    return native_fpu(argc, argv, rig_long);
}
