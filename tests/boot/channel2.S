// channel2: the timer's third counter, whose output is read at port 61h: by it delays are measured.
#include "check.h"

        .macro  load count
        movb    $0xb0, %al              // mode 0, 16 bits
        outb    %al, $0x43
        movb    $(\count & 0xff), %al
        outb    %al, $0x42
        movb    $(\count >> 8), %al
        outb    %al, $0x42
        .endm

        inb     $0x61, %al
        andb    $0xfd, %al
        orb     $1, %al
        outb    %al, $0x61
begin:  load    0xffff                  // 55 ms
        inb     $0x61, %al
        testb   $0x20, %al
        jz      1f
        fails_again begin, "the output is high at once"
1:      testb   $1, %al
        jnz     1f
        fails   "the gate"
1:      call    wait_output
again:  load    0x0800                  // as firmware does that measures the CPU: 1.7 ms
        movl    $0, %ecx
1:      incl    %ecx
        inb     $0x61, %al
        testb   $0x20, %al
        jz      1b
        cmpl    $20, %ecx
        ja      1f
        fails_again again, "1.7 ms are over after a few reads of a port"
gate:
1:      inb     $0x61, %al              // the gate, closed and opened: all of it again
        andb    $0xfe, %al
        outb    %al, $0x61
        load    0xffff
        inb     $0x61, %al
        orb     $1, %al
        outb    %al, $0x61
        inb     $0x61, %al
        testb   $0x20, %al
        jz      1f
        fails_again gate, "the output is high when the gate opens"
1:      movl    $10000000, %ecx         // memory is refreshed
        inb     $0x61, %al
        andb    $0x10, %al
        movb    %al, %bl
2:      inb     $0x61, %al
        andb    $0x10, %al
        cmpb    %al, %bl
        jne     end
        decl    %ecx
        jnz     2b
        fails   "the refresh does not toggle"
        jmp     end

wait_output:
        movl    $100000000, %ecx
1:      inb     $0x61, %al
        testb   $0x20, %al
        jnz     2f
        decl    %ecx
        jnz     1b
        fails   "the output never goes high"
2:      ret
