// The ways into the kernel: faults, interrupts and system calls.
//
// The IDT (trap.c) sends every vector to a handler below. On the way from ring 3
// the CPU has taken the ring-0 stack from the TSS (§6.12.1) and pushed
//
//      SS, ESP                 only when the ring changes
//      EFLAGS, CS, EIP
//      error code              only for some faults (§6.13)
//
// and the code adds what is missing, until the stack holds a `struct trap`.
// Interrupts are off: all gates are interrupt gates.

#include "asm.inc"

        .text

// What the debugger needs to go back over a trap to the code that was running.
// The CFA is the address above EFLAGS. The ESP of before is either the word at
// the CFA, or the CFA itself if the ring did not change and nothing was pushed:
//
//      (CS & 3) == 0 ? CFA : *CFA          as a DWARF expression; CFA on its stack
        .macro  TRAP_FRAME size
        .cfi_def_cfa %esp, \size
        .cfi_offset %eip, -12
        .cfi_offset 9, -4               // EFLAGS, a name that not every assembler knows here
        .cfi_escape 0x16, 4, 12         // DW_CFA_val_expression, ESP, 12 bytes
        .cfi_escape 0x12, 0x38, 0x1c    // dup, lit8, minus
        .cfi_escape 0x06, 0x33, 0x1a    // deref, lit3, and
        .cfi_escape 0x30, 0x29          // lit0, eq
        .cfi_escape 0x28, 1, 0          // bra over
        .cfi_escape 0x06                // deref
        .endm

// HANDLER makes the code for a vector, and a row of the table by which trap.c
// fills the IDT. Faults come first and in order of their vectors.
        .macro  HANDLER name, vector, title, has_error=0
        ROUTINE \name
        TRAP_FRAME 12+4*\has_error
        .if     \has_error == 0
        pushl   $0
        .cfi_adjust_cfa_offset 4
        .endif
        pushl   $\vector
        .cfi_adjust_cfa_offset 4
        jmp     trap_entry
        DONE    \name
        .pushsection .rodata.handlers, "a"
        .long   \vector, \name, title_\@
        .section .rodata
title_\@:
        .asciz  "\title"
        .popsection
        .endm

        .pushsection .rodata.handlers, "a"
        .globl  handlers, handlers_end
handlers:
        .popsection
        HANDLER divide_error_handler, 0, "Divide error"
        HANDLER debug_handler, 1, "Debug trap"
        HANDLER nmi_handler, 2, "NMI"
        HANDLER breakpoint_handler, 3, "Breakpoint"
        HANDLER overflow_handler, 4, "Overflow"
        HANDLER bound_handler, 5, "BOUND range exceeded"
        HANDLER invalid_opcode_handler, 6, "Invalid opcode"
        HANDLER no_fpu_handler, 7, "No FPU"
        HANDLER double_fault_handler, 8, "Double fault", 1
        HANDLER fpu_segment_handler, 9, "FPU segment overrun"
        HANDLER invalid_tss_handler, 10, "Invalid TSS", 1
        HANDLER segment_handler, 11, "Segment not present", 1
        HANDLER stack_handler, 12, "Stack fault", 1
        HANDLER protection_handler, 13, "General protection fault", 1
        HANDLER page_fault_handler, 14, "Page fault", 1
        HANDLER reserved_handler, 15, "Reserved"
        HANDLER fpu_handler, 16, "FPU error"
        HANDLER alignment_handler, 17, "Alignment check", 1
        HANDLER machine_check_handler, 18, "Machine check"
        HANDLER simd_handler, 19, "SIMD error"
        HANDLER timer_handler, IRQ_BASE, "Timer"
        HANDLER keyboard_handler, IRQ_BASE + 1, "Keyboard"
        HANDLER spurious_handler, IRQ_BASE + 7, "Spurious"
        HANDLER syscall_handler, SYSCALL, "System call"
        .section .rodata.handlers, "a"
handlers_end:
        .text

// The same for all: save the registers, go to C with a pointer to them, restore.
        ROUTINE trap_entry
        TRAP_FRAME 20
        pushal
        .cfi_adjust_cfa_offset 32
        .cfi_offset %eax, -24
        .cfi_offset %ecx, -28
        .cfi_offset %edx, -32
        .cfi_offset %ebx, -36
        .cfi_offset %ebp, -44
        .cfi_offset %esi, -48
        .cfi_offset %edi, -52
        pushl   %ds
        pushl   %es
        .cfi_adjust_cfa_offset 8
        movw    $KERNEL_DATA, %ax       // ring 3 may have left anything in these
        movw    %ax, %ds
        movw    %ax, %es
        cld                             // and in the flags
        pushl   %esp
        .cfi_adjust_cfa_offset 4
        call    trap
        addl    $4, %esp
        .cfi_adjust_cfa_offset -4
        popl    %es
        popl    %ds
        .cfi_adjust_cfa_offset -8
        popal
        .cfi_adjust_cfa_offset -32
        addl    $8, %esp                // vector and error code
        .cfi_adjust_cfa_offset -8
        iret
        DONE    trap_entry

// void context_switch(uint32_t *save, uint32_t load, uint32_t directory): leaves
// this process's kernel stack in *save, goes on with the one that `load` was saved
// from, in the address space of that process. Only what C expects a function to
// keep must be pushed; the rest is the caller's.
        ROUTINE context_switch
        movl    4(%esp), %eax
        movl    8(%esp), %edx
        movl    12(%esp), %ecx
        PUSH    %ebp
        PUSH    %ebx
        PUSH    %esi
        PUSH    %edi
        movl    %esp, (%eax)
        movl    %ecx, %cr3              // the kernel, and all its stacks, are the same
        movl    %edx, %esp              // in both: only user memory changes
        POP     %edi
        POP     %esi
        POP     %ebx
        POP     %ebp
        ret
        DONE    context_switch

// The first way down to ring 3. There is no instruction for it, only the return
// from an interrupt; so the stack is made to look as if one had come from there.
// context_switch "returns" to here with the program's entry in EBX and its stack
// in ESI (process.c). The other registers are cleared: they hold what is the
// kernel's.
        STEP    new_process             // never run: a debugger looks for the caller
        nop                             // one byte before the return address
        DONE    new_process

        STEP    enter_user
        movw    $USER_DATA, %ax         // IRET loads CS and SS only. A ring-0 selector
        movw    %ax, %ds                // left in the others would become null (§5.8.6)
        movw    %ax, %es
        movw    %ax, %fs
        movw    %ax, %gs
        pushl   $USER_DATA              // SS
        pushl   %esi                    // ESP
        pushl   $0x202                  // EFLAGS: IF on; IOPL 0, so no port and no cli
        pushl   $USER_CODE              // CS: its low two bits, 3, become the CPL
        pushl   %ebx                    // EIP
        xorl    %eax, %eax
        xorl    %ebx, %ebx
        xorl    %ecx, %ecx
        xorl    %edx, %edx
        xorl    %esi, %esi
        xorl    %edi, %edi
        xorl    %ebp, %ebp
        iret
        DONE    enter_user

// The shell as ld made it (os-1k.mk), but without its symbols.
        .section .rodata
        .globl  shell_image
        .balign 4
        .type   shell_image, @object
shell_image:
        .incbin "shell.stripped"
        .size   shell_image, . - shell_image
