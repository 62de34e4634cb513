// pmode: from real mode into 32-bit protected mode, and nothing more.
//
// The four steps of §9.9.1 (Switching to Protected Mode):
//
//      1. a table of segment descriptors in memory, the GDT
//      2. lgdt: tell the CPU where it is
//      3. set CR0.PE
//      4. a far jump, which loads CS with a selector into the new table
//
// Between 3 and 4 the CPU is in protected mode and still runs 16-bit code: CS
// has a hidden part (base, limit, size of code) that was loaded in real mode and
// stays as it is until CS is loaded again. Step over the far jump in a debugger
// and watch the disassembly change from 16 to 32 bits.

#include "abi.inc"

#define CODE            0x08            // selectors: index in the GDT * 8
#define DATA            0x10

        .code16
        .text
FUNCTION _start
        cli                             // a real-mode interrupt table is useless in protected mode
        SAY     in_real_mode
        lgdtl   gdt_pointer             // without the l, only 24 bits of the base are loaded
        movl    %cr0, %eax
        orl     $CR0_PE, %eax
END _start

FUNCTION enter_protected
        movl    %eax, %cr0
        ljmpl   $CODE, $protected_entry
END enter_protected

        .code32
        .cfi_sections .debug_frame
FUNCTION protected_entry
        .cfi_startproc
        .cfi_undefined %eip             // nobody called this: a backtrace ends here
        movw    $DATA, %ax              // the data segments still have their real-mode
        movw    %ax, %ds                // bases and limits of 64 KiB
        movw    %ax, %es
        movw    %ax, %ss
        movl    $0x1000, %esp
        SAY     in_protected_mode
        call    print_cs
        SAY     done
        EXIT    0
        .cfi_endproc
END protected_entry

FUNCTION print_cs
        .cfi_startproc
        SAY     cs_name
        xorl    %eax, %eax
        movw    %cs, %ax
        call    print_hex
        HYPERCALL HC_NEWLINE
        ret
        .cfi_endproc
END print_cs

#include "print32.inc"

        .data
// A segment descriptor has 8 bytes (§3.4.5). Its base and limit are cut in
// pieces, for the 80286 had fewer of them:
//
//   byte  7      6           5       4       3..2      1..0
//        +------+-----------+-------+-------+---------+----------+
//        | base | flags,    | access| base  | base    | limit    |
//        | 31:24| lim 19:16 |       | 23:16 | 15:0    | 15:0     |
//        +------+-----------+-------+-------+---------+----------+
//
//   access  P DPL S TYPE     P present, DPL privilege, S = 1 code or data
//           1 00  1 1010     0x9a: code, readable
//           1 00  1 0010     0x92: data, writable
//   flags   G D L A          G limit in 4 KiB units, D 32-bit code, L 64-bit code
//           1 1 0 0          0xc
//
// Both segments begin at 0 and end at 4 GiB: "flat". An offset is then the
// linear address, and segmentation is out of the way.
        .balign 8
        .type   gdt, @object
gdt:    .quad   0                       // entry 0 is never used: the null selector
        .word   0xffff, 0               // 0x08: limit 15:0, base 15:0
        .byte   0, 0x9a, 0xcf, 0        //       base 23:16, access, flags and limit 19:16, base 31:24
        .word   0xffff, 0               // 0x10
        .byte   0, 0x92, 0xcf, 0
gdt_end:
        .size   gdt, . - gdt

// What lgdt reads (§3.5.1): a limit, which is the size less one, and a linear
// address.
        .type   gdt_pointer, @object
gdt_pointer:
        .word   gdt_end - gdt - 1
        .long   gdt
        .size   gdt_pointer, . - gdt_pointer

MESSAGE in_real_mode, "pmode: real mode, 16-bit code\n"
MESSAGE in_protected_mode, "pmode: CR0.PE set, far jump done: protected mode, 32-bit code\n"
MESSAGE cs_name, "pmode: CS is now a selector, "
MESSAGE done, "pmode: done\n"
