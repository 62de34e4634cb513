/* The BIOS in ROM: what a guest finds at F0000. The work is done in C (bios.c); a vector's
 * stub asks for it by one OUT to a private port, and which service is meant is told by where
 * that OUT is.
 *
 * A stub has eight bytes: F000:(8 * n) is that of service n. Up to 255 n is the vector, from
 * 256 on it is one of rom.h. A service that must wait goes on at the stub's STI: an interrupt
 * ends the HLT, and the second OUT asks again.
 *
 * A debugger finds its way back by .debug_frame: all of this stands on the frame of an interrupt.
 */
#include "vmm/board/bios/rom.h"
#include "vmm/board/bios/font.S"

        .code16
        .text
        .globl  rom_start
rom_start:

/* A function that was entered by an interrupt in real mode: IP, CS and FLAGS are on top of the
 * stack, two bytes each. DW_CFA_val_expression of EIP (8), EFLAGS (9) and CS (41); the CFA, which is
 * above them, is on the stack of the expression. A debugger's EIP and ESP are linear addresses. */
        .cfi_sections .debug_frame
        .macro  handler name
        .globl  \name
        .type   \name, @function
\name:
        .cfi_startproc simple
        .cfi_def_cfa esp, 6
        /* dup lit6 minus deref_size 2 swap lit4 minus deref_size 2 lit4 shl plus */
        .cfi_escape 0x16, 8, 13, 0x12, 0x36, 0x1c, 0x94, 2, 0x16, 0x34, 0x1c, 0x94, 2, 0x34, 0x24, 0x22
        .cfi_escape 0x16, 9, 4, 0x32, 0x1c, 0x94, 2  /* lit2 minus deref_size 2 */
        .cfi_escape 0x16, 41, 4, 0x34, 0x1c, 0x94, 2 /* lit4 minus deref_size 2 */
        .endm
        .macro  handler_end name
        .cfi_endproc
        .size   \name, . - \name
        .endm

        .macro  stub name, number
        .org    8 * \number
        handler \name
        outb    %al, $ROM_PORT
        iret
        sti
        hlt
        outb    %al, $ROM_PORT
        iret
        handler_end \name
        .endm

        .macro  vector n
        stub    bios_int_\n, 0x\n
        .endm
        .irp    high, 0,1,2,3,4,5,6,7,8,9,a,b,c,d,e,f
        .irp    low, 0,1,2,3,4,5,6,7,8,9,a,b,c,d,e,f
        vector  \high\low
        .endr
        .endr
        stub    bios_reset, ROM_RESET
        stub    bios_boot, ROM_BOOT

/* Nothing can end this one: a machine whose input is over stands here. */
        .org    ROM_END
        .globl  bios_end
bios_end:
        cli
        hlt
        jmp     bios_end

/* Ends of interrupts, by the guest's CPU: the controllers may be the kernel's. */
        .org    ROM_EOI
        handler bios_end_of_interrupt
        pushw   %ax
        .cfi_adjust_cfa_offset 2
        movb    $0x20, %al
        outb    %al, $0x20
        popw    %ax
        .cfi_adjust_cfa_offset -2
        iret
        handler_end bios_end_of_interrupt
        .org    ROM_EOI2
        handler bios_end_of_interrupt_2
        pushw   %ax
        .cfi_adjust_cfa_offset 2
        movb    $0x20, %al
        outb    %al, $0xa0
        outb    %al, $0x20
        popw    %ax
        .cfi_adjust_cfa_offset -2
        iret
        handler_end bios_end_of_interrupt_2

/* Calls of a handler of the guest's: the user's tick, the alarm, Ctrl-Break, Print Screen. The
 * registers that it changes are put back, and the service goes on behind the OUT. */
        .macro  hook name, address, vector
        .org    \address
        handler \name
        pushaw
        .cfi_adjust_cfa_offset 16
        pushw   %ds
        .cfi_adjust_cfa_offset 2
        pushw   %es
        .cfi_adjust_cfa_offset 2
        int     $\vector
        popw    %es
        .cfi_adjust_cfa_offset -2
        popw    %ds
        .cfi_adjust_cfa_offset -2
        popaw
        .cfi_adjust_cfa_offset -16
        outb    %al, $ROM_PORT
        handler_end \name
        .endm
        hook    bios_tick_hook,  ROM_TICK_HOOK,  0x1c
        hook    bios_alarm_hook, ROM_ALARM_HOOK, 0x4a
        hook    bios_break_hook, ROM_BREAK_HOOK, 0x1b
        hook    bios_print_hook, ROM_PRINT_HOOK, 0x05

/* INT 15h, AX=4F00h + scancode, carry set: AX and carry are the answer. */
        .org    ROM_KEY_HOOK
        handler bios_key_hook
        int     $0x15
        outb    %al, $ROM_PORT
        handler_end bios_key_hook

/* A wait that is shorter than a tick of the timer. */
        .org    ROM_SPIN
        handler bios_wait
        sti
        pushw   %cx
        .cfi_adjust_cfa_offset 2
        movw    $1000, %cx
1:      loop    1b
        popw    %cx
        .cfi_adjust_cfa_offset -2
        jmp     bios_int_15 + ROM_STUB_AGAIN - 2
        handler_end bios_wait

/* A call of the mouse's handler: far, with status, X, Y and a fourth word (a wheel's) pushed. */
        .org    ROM_MOUSE_HOOK
        handler bios_mouse_hook
        pushaw
        .cfi_adjust_cfa_offset 16
        pushw   %ds
        .cfi_adjust_cfa_offset 2
        pushw   %es
        .cfi_adjust_cfa_offset 2
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    0x40e, %ds              // the EBDA
        .irp    n, 0, 1, 2, 3
        movb    0x28 + \n, %al
        pushw   %ax
        .cfi_adjust_cfa_offset 2
        .endr
        lcall   *0x22
        addw    $8, %sp
        .cfi_adjust_cfa_offset -8
        popw    %es
        .cfi_adjust_cfa_offset -2
        popw    %ds
        .cfi_adjust_cfa_offset -2
        popaw
        .cfi_adjust_cfa_offset -16
        .org    ROM_MOUSE_HOOK + ROM_MOUSE_OUT - 2, 0x90
        outb    %al, $ROM_PORT
        handler_end bios_mouse_hook

/* What INT 10h/1Bh points to: the modes 0 to 7 and 0D to 13; scan lines of text modes, 200, 350
 * and 400; one font; what can be saved and set. */
        .org    ROM_FUNCTIONALITY
        .byte   0xff, 0xe0, 0x0f, 0, 0, 0, 0, 7, 2, 8, 0xff, 0x0e, 0, 0, 0x3f, 0

/* Characters that are other in nine columns: none. */
        .org    ROM_FONT14_WIDE
        .byte   0
        .org    ROM_FONT16_WIDE
        .byte   0

/* A call through a pointer that is zero executes the first vector: CC, INT3, tells of it. */
        .org    ROM_AT_ZERO
        jmp     bios_int_00

/* --- fonts: 256 characters of 16, 14 and 8 lines --- */

        .org    ROM_FONT16
        font16
        .org    ROM_FONT14
        font14
        .org    ROM_FONT8
        font8_low
        font8_high

#include "vmm/board/bios/bios32.S"

/* --- where the first PCs had their entries, and programs jump to --- */

        .macro  classic address, target
        .org    \address
        jmp     \target
        .endm

        classic 0xe05b, bios_reset
        classic 0xe2c3, bios_int_02
        classic 0xe3fe, bios_int_13

/* INT 41h's table when there is no disk. */
        .org    ROM_NO_DISK
        .fill   16, 1, 0

        classic 0xe6f2, bios_int_19

/* INT 15h, AH=C0h: the size, model FC (AT), submodel, revision; second PIC, clock, INT 15h/4F
 * called; an extended BIOS data area. */
        .org    ROM_CONFIGURATION
        .word   8
        .byte   0xfc, 0, 1, 0x74, 0x40, 0, 0, 0

        classic 0xe739, bios_int_14
        classic 0xe82e, bios_int_16
        classic 0xe987, bios_int_09
        classic 0xec59, bios_int_13
        classic 0xef57, bios_int_0e

/* INT 1Eh: the diskette parameters of 1.44M. */
        .org    ROM_DISKETTE
        .byte   0xaf, 0x02, 0x25, 0x02, 18, 0x1b, 0xff, 0x6c, 0xf6, 0x0f, 0x08

        classic 0xefd2, bios_int_17
        classic 0xf065, bios_int_10

/* INT 1Dh: CRTC registers of the text modes of 40 and 80 columns, of the graphics modes and
 * of the monochrome adapter; then the pages' lengths, the columns, the mode registers. */
        .org    ROM_VIDEO
        .byte   0x38, 0x28, 0x2d, 0x0a, 0x1f, 6, 0x19, 0x1c, 2, 7, 6, 7, 0, 0, 0, 0
        .byte   0x71, 0x50, 0x5a, 0x0a, 0x1f, 6, 0x19, 0x1c, 2, 7, 6, 7, 0, 0, 0, 0
        .byte   0x38, 0x28, 0x2d, 0x0a, 0x7f, 6, 0x64, 0x70, 2, 1, 6, 7, 0, 0, 0, 0
        .byte   0x61, 0x50, 0x52, 0x0f, 0x19, 6, 0x19, 0x19, 2, 13, 11, 12, 0, 0, 0, 0
        .word   2048, 4096, 16384, 16384
        .byte   40, 40, 80, 80, 40, 40, 80, 80
        .byte   0x2c, 0x28, 0x2d, 0x29, 0x2a, 0x2e, 0x1e, 0x29

        classic 0xf841, bios_int_12
        classic 0xf84d, bios_int_11
        classic 0xf859, bios_int_15

/* The first half of the 8x8 font, where programs in the graphics modes look for it. */
        .org    ROM_FONT8_CLASSIC
        font8_low
        classic 0xfe6e, bios_int_1a
        classic 0xfea5, bios_int_08

        .org    0xff53
        .globl  bios_iret
bios_iret:
        iret
        classic 0xff54, bios_int_05

/* The reset vector, the date, the model. */
        .org    0xfff0
        .globl  bios_reset_vector
bios_reset_vector:
        ljmp    $ROM_SEGMENT, $0xe05b
        .org    0xfff5
        .ascii  "11/26/26"
        .org    0xfffe
        .byte   0xfc, 0
