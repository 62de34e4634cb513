// ways: instructions that lead elsewhere, or may not be done, to be asked about one by
// one (`set $pc`, `monitor explain`), in real mode, in ring 0 and in ring 3.
#define CODE0   0x08
#define DATA0   0x10
#define CODE3   0x1b
#define DATA3   0x23
#define TASK    0x28
#define GATE    0x33
#define ABSENT  0x3b
#define OTHER   0x40
#define EMPTY   0x50

        .code16
        .text
        .globl _start
_start: int     $0x10                   // no vector has been set
        .globl real
real:   cli
        lgdtl   gdt_pointer
        lidtl   idt_pointer
        movl    %cr0, %eax
        orl     $1, %eax
        movl    %eax, %cr0
        ljmpl   $CODE0, $ring0

        .code32
        .globl ring0, k_task, k_sys, k_vm86, k_data, k_pg, k_dead
ring0:  movw    $DATA0, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $stack0, %esp
        movw    $TASK, %ax
        ltr     %ax
        nop
k_task: ljmp    $OTHER, $0
k_sys:  ljmp    $GATE, $0
k_data: movw    %ax, %ss                // AX holds what gdb puts there
k_pg:   movl    %eax, %cr0
k_dead: ud2                             // after gdb has taken the IDT away
        .globl to_vm86, to_ring3, ring3
to_vm86: iret                           // to a frame that gdb points ESP at
to_ring3:
        pushl   $DATA3
        pushl   $stack3
        pushl   $2
        pushl   $CODE3
        pushl   $ring3
        iret

        .globl u_hlt, u_in, u_lgdt, u_int80, u_int13, u_int99, u_gate, u_absent, u_copy, u_load, u_far
ring3:  cli
u_hlt:  hlt
u_in:   inb     $0x60, %al
u_lgdt: lgdt    gdt_pointer
u_int80: int    $0x80
u_int13: int    $13
u_int99: int    $99
u_gate: lcall   $GATE, $0
u_absent: movw  %bx, %ds                // BX = ABSENT
u_copy: movsb
u_load: movb    0x00001000, %al
u_far:  movl    %ss:(%ebp), %eax        // EBP is beyond the limit of SS

        .globl system_call, protection, missing, invalid, task2
        .macro  ends                    // with interrupts off: that is for good
        hlt
        nop
        .endm
system_call: jmp system_call         // also in ring 3, where no limits are checked (QEMU)
protection: ends
missing: ends
invalid: ends
gated:  ends
task2:  ends

        .data
        .balign 8
gdt:    .quad   0
        .quad   0x00cf9a000000ffff      // 08 code, ring 0
        .quad   0x00cf92000000ffff      // 10 data, ring 0
        .quad   0x00cffa000000ffff      // 18 code, ring 3
        .quad   0x0040f2000000ffff      // 20 data, ring 3, 64 KiB
        .word   103, tss1, 0x8900, 0    // 28 TSS
        .word   gated, CODE0, 0xec00, 0 // 30 call gate to ring 0, DPL 3
        .quad   0x00cf72000000ffff      // 38 data, ring 3, not present
        .word   103, tss2, 0x8900, 0    // 40 TSS
gdt_end:
gdt_pointer:
        .word   gdt_end - gdt - 1
        .long   gdt

        .balign 8
idt:    .fill   6, 8, 0
        .word   invalid, CODE0, 0x8e00, 0    // 6
        .quad   0
        .word   gated, CODE0, 0x8e00, 0      // 8
        .fill   2, 8, 0
        .word   missing, CODE0, 0x8e00, 0    // 11
        .word   missing, CODE0, 0x8e00, 0    // 12
        .word   protection, CODE0, 0x8e00, 0 // 13
        .fill   114, 8, 0
        .word   system_call, CODE0, 0xef00, 0 // 80
idt_end:
idt_pointer:
        .word   idt_end - idt - 1
        .long   idt

        .globl  frame_vm86
frame_vm86: .long 0x100, 0x2000, 0x20202, 0x800, 0x3000, 0, 0, 0, 0

        .balign 16
tss1:   .long   0, stack0, DATA0
        .fill   22, 4, 0
        .word   0, 104                  // no I/O map
tss2:   .long   0, stack0, DATA0, 0, 0, 0, 0
        .long   0, task2, 2, 0, 0, 0, 0, stack0, 0, 0, 0
        .long   DATA0, CODE0, DATA0, DATA0, 0, 0, 0, 0
        .fill   2, 4, 0

        .bss
        .skip   1024
stack0:
        .skip   1024
stack3:
