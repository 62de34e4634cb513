// The ways into the kernel, and out of it.
//
// SYSCALL (volume 2B) leaves RSP as it was in ring 3: the kernel has nothing but registers then.
// So the first thing is SWAPGS, whose other GS base leads to two words of the kernel's own:
//
//      GS:0    the stack of the task that runs, for the kernel's use
//      GS:8    where RSP of ring 3 is kept meanwhile
//
// An interrupt or exception from ring 3 has a stack by itself: RSP0 of the TSS, or, where its gate
// asks for one, a stack of the interrupt stack table (IST, §6.14.5).

        .text
        .macro  ENTRY name
        .globl  \name
        .type   \name, @function
\name:
        .endm
        .macro  END name
        .size   \name, . - \name
        .endm

// RAX is the number, RDI its argument. RCX is where to go back to, R11 the flags.
ENTRY syscall_entry
        swapgs
        movq    %rsp, %gs:8
        movq    %gs:0, %rsp
        pushq   %gs:8
        pushq   %r11
        pushq   %rcx
        movq    %rdi, %rsi
        movq    %rax, %rdi
        call    system_call             // (number, argument)
        popq    %rcx
        popq    %r11
        popq    %rsp
        swapgs
        sysretq
END syscall_entry

// To ring 3 for the first time: as in ring3.S, by the way back from an interrupt. The frame is
// on the stack already.
ENTRY enter_user
        swapgs
        iretq
END enter_user

// switch_stack(uint64_t *old, uint64_t new): to another task's stack. What a C function may
// expect to find again is on it.
ENTRY switch_stack
        pushq   %rbx
        pushq   %rbp
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rsp, (%rdi)
        movq    %rsi, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        ret
END switch_stack

// #NM: the first use of the FPU since TS was set. Then the instruction is done again.
ENTRY device_not_available
        .irp    register, rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11
        pushq   %\register
        .endr
        call    give_fpu
        .irp    register, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax
        popq    %\register
        .endr
        iretq
END device_not_available

// #PF: the error code lies on the stack, under it the frame. It does not go back.
ENTRY page_fault
        swapgs                          // it comes from ring 3 only: the kernel makes none
        popq    %rdi
        movq    %cr2, %rsi
        call    end_by_page_fault       // (error code, address)
END page_fault
