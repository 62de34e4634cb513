/* 64-bit code: see native_fpu.h. `test_soft_native_fpu64 [cases] [seed] [x87|sse]`. */
#define IN_64BIT 1
#include "native_fpu.h"

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)

/* Out of C with everything from FRAME; behind the instruction back with everything in OUT. */
__asm__(".text\n"
        "host_enter:\n"
        "  push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "  fxrstor64 " TEXT(FPU_IN) "\n"
        "  mov %rsp, " TEXT(SAVED) "\n"
        "  mov $" TEXT(FRAME) ", %rsp\n"
        "  popfq; pop %rax; pop %rcx; pop %rdx; pop %rbx; lea 8(%rsp), %rsp\n"
        "  pop %rbp; pop %rsi; pop %rdi; pop %r8; pop %r9; pop %r10; pop %r11\n"
        "  pop %r12; pop %r13; pop %r14; pop %r15\n"
        "  mov " TEXT(FRAME) " + 40, %rsp\n"
        "  jmp *" TEXT(SAVED) " + 8\n"
        "host_leave:\n"
        "  mov %rsp, " TEXT(OUT) " + 40\n"
        "  mov $" TEXT(OUT) " + 136, %rsp\n"
        "  push %r15; push %r14; push %r13; push %r12; push %r11; push %r10; push %r9\n"
        "  push %r8; push %rdi; push %rsi; push %rbp; lea -8(%rsp), %rsp\n"
        "  push %rbx; push %rdx; push %rcx; push %rax; pushfq\n"
        "  fxsave64 " TEXT(FPU_OUT) "\n"
        "  fninit; ldmxcsr " TEXT(MXCSR) "; cld\n"
        "  mov " TEXT(SAVED) ", %rsp\n"
        "  pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "  ret\n");
extern void host_enter(void);
extern char host_leave[];

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
