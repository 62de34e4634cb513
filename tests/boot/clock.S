// clock: the real-time clock's interrupts, by the BIOS (INT 15h/83, 1Ah/06, 4Ah) and by a
// handler of one's own.
#include "check.h"

begin:  xorw    %ax, %ax                // 15h/83: a flag, 20 ms later
        movw    %ax, %es
        movb    $0, flag
        bios    0x15, ax=0x8300, bx=flag, cx=0, dx=20000
        expect_no_carry "15h/83"
        movw    $0x8300, %ax
        int     $0x15
        expect_carry "15h/83, again"
        movb    $0, %ah
        int     $0x1a
        movw    %dx, %si
1:      hlt
        testb   $0x80, flag
        jz      1b
        movb    $0, %ah
        int     $0x1a
        subw    %si, %dx
        cmpw    $40, %dx                // far less, on a host that has time
        jb      1f
        fails_again begin, "15h/83: it took seconds"
1:      expect_byte $0, 0x4a0, "40:a0: nothing is waited for"
        bios    0x15, ax=0x8300, cx=0xffff
        movw    $0x8301, %ax
        int     $0x15
        expect_no_carry "15h/8301"
        movw    $0x8301, %ax            // nothing more to cancel
        int     $0x15
        movb    $0x0b, %al
        outb    %al, $0x70
        inb     $0x71, %al
        testb   $0x40, %al
        jz      1f
        fails   "15h/8301: the clock ticks on"

1:      movw    $0x2000, %cx            // 1Ah/05 and 03: 2000-02-29, noon
        bios    0x1a, ah=5, dx=0x0229
        bios    0x1a, ah=3, cx=0x1200, dx=0
        movb    $4, %ah
        int     $0x1a
        expect  $0x2000, %cx, "1ah/04: the year"
        expect  $0x0229, %dx, "1ah/04: the day"
        cli
        movw    $alarm, 0x4a * 4
        movw    $0, 0x4a * 4 + 2
        sti
        bios    0x1a, ah=6, cx=0x1300, dx=0x0000 // 1Ah/06: an alarm at 13:00:00
        expect_no_carry "1ah/06"
        movb    $6, %ah
        int     $0x1a
        expect_carry "1ah/06, again"
set:    bios    0x1a, ah=3, cx=0x1259, dx=0x5800 // two seconds before it
        movb    $2, %ah
        int     $0x1a
        expect_no_carry "1ah/02"
        cmpw    $0x1259, %cx
        je      1f
        fails_again set, "1ah/02: what was set"
1:      hlt
        cmpw    $0, alarms
        je      1b
        movb    $2, %ah
        int     $0x1a
        expect_byte $0x13, %ch, "the alarm: the hour"
        movb    $7, %ah
        int     $0x1a
        expect_no_carry "1ah/07"
        movb    $0x0b, %al
        outb    %al, $0x70
        inb     $0x71, %al
        testb   $0x20, %al
        jz      1f
        fails   "1ah/07: the alarm is on"

1:      cli                             // a handler of one's own: 64 a second, then each second
        movw    $irq8, 0x70 * 4
        movw    $0, 0x70 * 4 + 2
        movw    $0x2a0a, %ax
        call    put
        movw    $0x420b, %ax
        call    put
        movb    $0x0c, %al
        outb    %al, $0x70
        inb     $0x71, %al
        movw    $8, %cx
        call    wait_for
        cli
        movb    causes, %al             // an update may have ended as well
        andb    $0xc0, %al
        expect_byte $0xc0, %al, "the periodic interrupt: register C"
        movw    $0x120b, %ax
        call    put
        movb    $0x0c, %al
        outb    %al, $0x70
        inb     $0x71, %al
        movw    $1, %cx
        call    wait_for
        movb    causes, %al
        andb    $0x90, %al
        expect_byte $0x90, %al, "the update-ended interrupt: register C"
        movw    $0x020b, %ax
        call    put
        movb    $0x0a, %al              // an update ends
        outb    %al, $0x70
1:      inb     $0x71, %al
        testb   $0x80, %al
        jnz     1b
        cmpw    $0x7c00, %sp
        je      end
        fails   "SP"
        jmp     end

// AH to the register AL.
put:    outb    %al, $0x70
        movb    %ah, %al
        outb    %al, $0x71
        ret

wait_for:
        movw    $0, count
1:      sti
        hlt
        cli
        cmpw    %cx, count
        jb      1b
        sti
        ret

irq8:   pushw   %ax
        movb    $0x0c, %al
        outb    %al, $0x70
        inb     $0x71, %al
        movb    %al, %cs:causes
        incw    %cs:count
        movb    $0x20, %al
        outb    %al, $0xa0
        outb    %al, $0x20
        popw    %ax
        iret

alarm:  incw    %cs:alarms
        iret

        .balign 2
alarms: .word   0
count:  .word   0
causes: .byte   0
flag:   .byte   0
