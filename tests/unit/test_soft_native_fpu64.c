/* 64-bit code: see native_fpu.h. `test_soft_native_fpu64 [cases] [seed] [x87|sse]`. */
#define IN_64BIT 1
#include "native_fpu.h"
#include "native64.h"

NATIVE64("fxrstor64 " TEXT(FPU_IN), "fxsave64 " TEXT(FPU_OUT) "; fninit; ldmxcsr " TEXT(MXCSR) "; cld");

static void host_run(struct test *t) {
    put_code64(t->code, t->length);
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
