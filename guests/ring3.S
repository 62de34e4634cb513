// ring3: down to user mode by IRET, and back up by `int 0x80`.
//
// There is no instruction "go to ring 3". There is only the way back from an
// interrupt, and so the kernel pushes what an interrupt from ring 3 would have
// pushed, and returns to a place where nobody came from:
//
//      ESP + 16  SS          user data selector, RPL 3
//      ESP + 12  ESP         user stack
//      ESP +  8  EFLAGS
//      ESP +  4  CS          user code selector, RPL 3: this becomes the CPL
//      ESP       EIP
//
// The way up needs two things. A gate in the IDT whose DPL is 3, else `int 0x80`
// from ring 3 is a #GP (§6.12.1.1). And a stack for ring 0, which the CPU takes
// from the TSS, because it must not trust the user's (§6.12.1).
//
// Protected mode itself is explained in pmode.S.

#include "abi.inc"

#define KERNEL_CODE     0x08
#define KERNEL_DATA     0x10
#define USER_CODE       0x1b            // 0x18 with RPL 3
#define USER_DATA       0x23            // 0x20 with RPL 3
#define TASK            0x28
#define USER_EFLAGS     0x00000002      // bit 1 is always 1; IF stays off, IOPL 0

// System calls: number in EAX.
#define SYS_EXIT        0
#define SYS_REPORT      1               // EBX = the CPL that the user program saw

        .code16
        .text
FUNCTION _start
        cli
        lgdtl   gdt_pointer
        movl    %cr0, %eax
        orl     $CR0_PE, %eax
END _start

FUNCTION enter_protected
        movl    %eax, %cr0
        ljmpl   $KERNEL_CODE, $protected_entry
END enter_protected

        .code32
        .cfi_sections .debug_frame
FUNCTION protected_entry
        .cfi_startproc
        .cfi_undefined %eip
        movw    $KERNEL_DATA, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $kernel_stack_top, %esp
        SAY     in_protected_mode
        movw    %cs, %bx
        andw    $3, %bx                 // the two lowest bits of CS are the CPL (§5.5)
        HYPERCALL HC_PUTNUM
        HYPERCALL HC_NEWLINE

        lidt    idt_pointer
        movw    $TASK, %ax
        ltr     %ax                     // marks the descriptor busy: look at the GDT again
        SAY     task_loaded
        SAY     going_down
        .cfi_endproc
END protected_entry

FUNCTION enter_user
        .cfi_startproc
        .cfi_undefined %eip
        movw    $USER_DATA, %ax         // IRET loads CS and SS only; with kernel selectors
        movw    %ax, %ds                // left in DS and ES it would make them null
        movw    %ax, %es
        pushl   $USER_DATA
        pushl   $user_stack_top
        pushl   $USER_EFLAGS
        pushl   $USER_CODE
        pushl   $user_entry
        iret
        .cfi_endproc
END enter_user

// The user program. It may not touch ports (IOPL is 0 and the TSS has no I/O
// map), so all it can do is compute and ask the kernel.
FUNCTION user_entry
        .cfi_startproc
        .cfi_undefined %eip
        xorl    %ebx, %ebx
        movw    %cs, %bx
        andl    $3, %ebx
        movl    $SYS_REPORT, %eax
        int     $0x80
        movl    $SYS_EXIT, %eax
        int     $0x80
        .cfi_endproc
END user_entry

// int 0x80. The CPU has switched to the ring-0 stack of the TSS and pushed the
// five words drawn above.
FUNCTION syscall_handler
        .cfi_startproc
        .cfi_def_cfa %esp, 20
        .cfi_offset %eip, -20
        .cfi_offset %esp, -8
        pushal
        .cfi_adjust_cfa_offset 32
        movw    $KERNEL_DATA, %cx       // CS and SS are the kernel's already, the rest is not
        movw    %cx, %ds
        movw    %cx, %es
        cmpl    $SYS_REPORT, %eax
        jne     exit_called

        movl    %ebx, %esi
        SAY     user_saw
        movw    %si, %bx
        HYPERCALL HC_PUTNUM
        SAY     saved_cs
        movl    36(%esp), %eax          // 8 registers and EIP below it
        call    print_hex
        SAY     handler_runs
        movw    %cs, %bx
        andw    $3, %bx
        HYPERCALL HC_PUTNUM
        HYPERCALL HC_NEWLINE

        movw    $USER_DATA, %cx
        movw    %cx, %ds
        movw    %cx, %es
        popal
        .cfi_adjust_cfa_offset -32
        iret                            // to ring 3 again, after the int
        .cfi_adjust_cfa_offset 32

exit_called:
        SAY     user_done
        EXIT    0
        .cfi_endproc
END syscall_handler

#include "print32.inc"

        .data
// Access bytes: the DPL is in bits 6:5 (pmode.S has the whole descriptor).
        .balign 8
        .type   gdt, @object
gdt:    .quad   0
        .word   0xffff, 0               // 0x08: kernel code
        .byte   0, 0x9a, 0xcf, 0
        .word   0xffff, 0               // 0x10: kernel data
        .byte   0, 0x92, 0xcf, 0
        .word   0xffff, 0               // 0x18: user code, DPL 3
        .byte   0, 0xfa, 0xcf, 0
        .word   0xffff, 0               // 0x20: user data, DPL 3
        .byte   0, 0xf2, 0xcf, 0
        .word   tss_end - tss - 1, tss  // 0x28: TSS, S = 0 and type 9: 32-bit, available (§7.2.2)
        .byte   0, 0x89, 0, 0           //       base 31:16 is 0: this guest lies below 64 KiB
gdt_end:
        .size   gdt, . - gdt

        .type   gdt_pointer, @object
gdt_pointer:
        .word   gdt_end - gdt - 1
        .long   gdt
        .size   gdt_pointer, . - gdt_pointer

// Gates 0 to 0x7f are empty. Access 0xee: present, DPL 3, 32-bit interrupt gate.
        .balign 8
        .type   idt, @object
idt:    .fill   0x80, 8, 0
        .word   syscall_handler, KERNEL_CODE    // offset 15:0, selector
        .byte   0, 0xee
        .word   0                               // offset 31:16
idt_end:
        .size   idt, . - idt

        .type   idt_pointer, @object
idt_pointer:
        .word   idt_end - idt - 1
        .long   idt
        .size   idt_pointer, . - idt_pointer

// The task-state segment (§7.2.1). Of its 104 bytes, a kernel that switches
// tasks by itself needs two fields: the ring-0 stack.
        .balign 4
        .type   tss, @object
tss:    .long   0                       // link to the previous task
        .long   kernel_stack_top        // ESP0
        .long   KERNEL_DATA             // SS0
        .fill   22, 4, 0                // ESP1 to LDT: only a hardware task switch uses them
        .word   0                       // debug trap
        .word   tss_end - tss           // I/O map: beyond the limit, so there is none
tss_end:
        .size   tss, . - tss

MESSAGE in_protected_mode, "ring3: protected mode, CPL "
MESSAGE task_loaded, "ring3: TSS loaded (ring-0 stack), IDT gate 0x80 has DPL 3\n"
MESSAGE going_down, "ring3: IRET to user mode\n"
MESSAGE user_saw, "ring3: int 0x80: the user program saw CPL "
MESSAGE saved_cs, ", its saved CS is "
MESSAGE handler_runs, ", the handler has CPL "
MESSAGE user_done, "ring3: int 0x80: the user program was resumed and has asked to exit\n"

        .bss
        .balign 16
        .type   kernel_stack, @object
kernel_stack:
        .skip   2048
kernel_stack_top:
        .size   kernel_stack, . - kernel_stack

        .type   user_stack, @object
user_stack:
        .skip   2048
user_stack_top:
        .size   user_stack, . - user_stack
