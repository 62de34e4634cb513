/* From a test's C into 64-bit code with all general registers, and back with all of them.
 *
 * At SAVED is the stack meanwhile, at SAVED + 8 the address of the code.
 */
#ifndef MINIKVM_NATIVE64_H
#define MINIKVM_NATIVE64_H

#include "native_host.h"

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)

/* host_enter(): out of C with everything from FRAME; host_leave: behind the instruction, back with
 * everything in OUT. `first` and `last` are instructions of the test's own, with C's stack saved
 * or not to be used yet. */
#define NATIVE64(first, last)                                                                      \
    __asm__(".text\n"                                                                              \
            "host_enter:\n"                                                                        \
            "  push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"                 \
            "  " first "\n"                                                                        \
            "  mov %rsp, " TEXT(SAVED) "\n"                                                        \
            "  mov $" TEXT(FRAME) ", %rsp\n"                                                       \
            "  popfq; pop %rax; pop %rcx; pop %rdx; pop %rbx; lea 8(%rsp), %rsp\n"                 \
            "  pop %rbp; pop %rsi; pop %rdi; pop %r8; pop %r9; pop %r10; pop %r11\n"               \
            "  pop %r12; pop %r13; pop %r14; pop %r15\n"                                           \
            "  mov " TEXT(FRAME) " + 40, %rsp\n"                                                   \
            "  jmp *" TEXT(SAVED) " + 8\n"                                                         \
            "host_leave:\n"                                                                        \
            "  mov %rsp, " TEXT(OUT) " + 40\n"                                                     \
            "  mov $" TEXT(OUT) " + 136, %rsp\n"                                                   \
            "  push %r15; push %r14; push %r13; push %r12; push %r11; push %r10; push %r9\n"       \
            "  push %r8; push %rdi; push %rsi; push %rbp; lea -8(%rsp), %rsp\n"                    \
            "  push %rbx; push %rdx; push %rcx; push %rax; pushfq\n"                               \
            "  " last "\n"                                                                         \
            "  mov " TEXT(SAVED) ", %rsp\n"                                                        \
            "  pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"                       \
            "  ret\n");                                                                            \
    extern void host_enter(void)

extern char host_leave[];

static void native_fault(ucontext_t *c) {
    uint64_t ip = (uint64_t)c->uc_mcontext.gregs[REG_RIP];
    if (ip < CODE || ip >= CODE + 64)
        _exit(76); /* not by the instruction under test */
    c->uc_mcontext.gregs[REG_RIP] = (greg_t)host_leave;
}

/* The instruction, and behind it: jmp *[rip], which is host_leave. */
static void put_code64(const uint8_t *bytes, unsigned length) {
    static const uint8_t jump[] = {0xFF, 0x25, 0, 0, 0, 0};
    uint64_t leave = (uint64_t)host_leave, code = CODE;
    put(CODE, bytes, length);
    put(CODE + length, jump, sizeof jump);
    put(CODE + length + sizeof jump, &leave, 8);
    put(SAVED + 8, &code, 8);
}

#endif
