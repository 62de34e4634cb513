/* Two programs for ring 3. Each computes with SSE, and lets the other go on after each step: so
 * both want the same registers, and each finds its own.
 *
 * A task may touch nothing of the kernel's. The compiler's constants are on its own pages, too:
 * see kernel.ld.
 */
#include "kernel.h"

USER_DATA static uint8_t no_code[16] = {0xc3}; /* RET, on a page of data */

USER_CODE static inline void call_kernel(enum system_call number, uint64_t argument) {
    __asm__ volatile("syscall" : : "a"((uint64_t)number), "D"(argument)
                     : "rcx", "r11", "rdx", "rsi", "r8", "r9", "r10", "memory");
}

/* 0.5 + 1 + 1.5 + … + 5 = 27.5 */
USER_CODE void task_sum(void) {
    double sum = 0;
    for (int i = 1; i <= 10; i++) {
        sum += 0.5 * i;
        call_kernel(SYS_YIELD, 0);
    }
    call_kernel(SYS_REPORT, (uint64_t)(sum * 10));
    call_kernel(SYS_EXIT, 0);
}

/* 1.5 to the 8th is 25.62890625. Then it runs what is no code. */
USER_CODE void task_product(void) {
    double product = 1;
    for (int i = 0; i < 8; i++) {
        product *= 1.5;
        call_kernel(SYS_YIELD, 0);
    }
    call_kernel(SYS_REPORT, (uint64_t)(product * 10));
    ((void (*)(void))no_code)();
    call_kernel(SYS_EXIT, 0);
}
