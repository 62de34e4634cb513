// The second stage: it asks the BIOS what only the BIOS knows, the memory map, and leaves real mode
// for good. From then on it is C (stage2.c), and the screen is memory.
//
// Steps 1 to 4 of the switch are those of guests/pmode.S.

#include "disk.inc"

#define SMAP            0x534d4150      // "SMAP"
#define RANGE           24              // bytes
#define RANGES          8
#define CODE            0x08            // selectors
#define DATA            0x10

        .code16
        .section .entry, "ax"
FUNCTION stage2
        movw    $arrived, %si
        call    print
        call    ask_memory_map
        movw    $A20_ON, %ax            // else odd megabytes are the even ones below them
        int     $SYSTEM
        cli                             // the BIOS's handlers are 16-bit code
        lgdtl   gdt_pointer
        movl    %cr0, %eax
        orb     $1, %al
END stage2

FUNCTION enter_protected
        movl    %eax, %cr0
        ljmpl   $CODE, $protected_entry
END enter_protected

// Range after range to memory_map, their number to memory_ranges. EBX is 0 at first and after
// the last one, and the BIOS's own affair in between.
FUNCTION ask_memory_map
        xorl    %ebx, %ebx
        movw    $memory_map, %di
next_range:
        movl    $MEMORY_MAP, %eax
        movl    $SMAP, %edx
        movl    $RANGE, %ecx
        int     $SYSTEM
        jc      no_more
        addw    $RANGE, %di
        incl    memory_ranges
        testl   %ebx, %ebx
        jz      no_more
        cmpl    $RANGES, memory_ranges
        jb      next_range
no_more:
        ret
END ask_memory_map

// The text at SI, with a zero behind it.
FUNCTION print
        movb    $TELETYPE, %ah
        movw    $0x0007, %bx
next_character:
        lodsb
        testb   %al, %al
        jz      printed
        int     $VIDEO
        jmp     next_character
printed:
        ret
END print

        .code32
FUNCTION protected_entry
        movw    $DATA, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $0x7c00, %esp
        call    stage2_main
stop:   hlt
        jmp     stop
END protected_entry

arrived: .asciz "stage 2: in real mode\r\n"

        .balign 8
gdt:    .quad   0
        .quad   0x00cf9b000000ffff      // code, 32 bits, 4 GiB
        .quad   0x00cf93000000ffff      // data, 4 GiB
gdt_pointer:
        .short  . - gdt - 1
        .long   gdt

        .globl  memory_map, memory_ranges
        .balign 4
memory_ranges:
        .long   0
memory_map:
        .skip   RANGES * RANGE
