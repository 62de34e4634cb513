/* From a test's C into 64-bit code with all general registers, and back with all of them.
 *
 * The places of what goes in (FRAME), of what comes out (OUT) and of the stack meanwhile (SAVED)
 * are the test's, below 2 GiB; at SAVED + 8 is the address of the code.
 */
#ifndef MINIKVM_NATIVE64_H
#define MINIKVM_NATIVE64_H

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
    extern void host_enter(void);                                                                  \
    extern char host_leave[];

#endif
