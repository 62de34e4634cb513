/* From a test's 64-bit C into 32-bit code, and back: the kernel's user code segment 0x23 is reached
 * by a far call from a page below 4 GiB. */
#ifndef MINIKVM_NATIVE32_H
#define MINIKVM_NATIVE32_H

#include "native_host.h"

/* As PUSHA and PUSHF leave them, going up. */
struct pushed {
    uint32_t flags, di, si, bp, sp, bx, dx, cx, ax;
};

static void native_fault(ucontext_t *c) {
    if ((c->uc_mcontext.gregs[REG_CSGSFS] & 0xFFFF) != 0x23)
        _exit(76); /* not by the instruction under test */
    c->uc_mcontext.gregs[REG_RIP] = EXIT;
}

static void put_bridge(void) {
    /* 64-bit: keep rsp in r12, far call by the pointer at BRIDGE+0x40 on a low stack */
    static const uint8_t bridge[] = {
        0x41, 0x54, 0x53, 0x55, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, /* push r12 rbx rbp r13-15 */
        0x49, 0x89, 0xE4,                                           /* mov r12, rsp */
        0xBC, 0x00, 0x18, 0x10, 0x00,                               /* mov esp, STACKS */
        0xFF, 0x1C, 0x25, 0x40, 0x0C, 0x10, 0x00,                   /* lcall [BRIDGE+0x40] */
        0x4C, 0x89, 0xE4,                                           /* mov rsp, r12 */
        0x41, 0x5F, 0x41, 0x5E, 0x41, 0x5D, 0x5D, 0x5B, 0x41, 0x5C, 0xC3};
    static const uint8_t pointer[] = {0x00, 0x00, 0x10, 0x00, 0x23, 0x00};
    put(BRIDGE, bridge, sizeof bridge);
    put(BRIDGE + 0x40, pointer, sizeof pointer);
    /* 64-bit code has null DS and ES; the 32-bit needs the user's data segment. */
    __asm__ volatile("mov %0, %%ds\n mov %0, %%es" : : "r"(0x2B));
}

static void run_bridge(void) { ((void (*)(void))(uintptr_t)BRIDGE)(); }

/* The instruction, and behind it: jmp EXIT. */
static void put_code32(const uint8_t *code, unsigned length) {
    uint8_t jump[5] = {0xE9};
    int32_t distance = EXIT - (CODE + (int32_t)length + 5);
    memcpy(jump + 1, &distance, 4);
    put(CODE, code, length);
    put(CODE + length, jump, 5);
}

#endif
