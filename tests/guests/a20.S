// a20: closes A20 by port 0x92 and opens it by the keyboard controller, and looks at
// what lies behind the first MiB meanwhile: by reading, writing and running code there.
// Exit status 0, or the number of the check that failed. Wants 2 MiB.
        .code16
        .text
        .globl _start
        .type _start, @function
_start: cli
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %ss
        movw    $0x7000, %sp
        decw    %ax
        movw    %ax, %es                // ES:0610 is 0x100600
        movb    $1, %bl
        movb    $0xa5, %es:0x610
        cmpb    $0, 0x600               // open: another byte
        jne     done
        .globl  close_a20
close_a20:
        inb     $0x92, %al
        andb    $0xfd, %al
        outb    %al, $0x92
        .globl  closed
closed: movb    $2, %bl
        cmpb    $0, %es:0x610           // closed: the same
        jne     done
        movb    $0x5a, %es:0x610
        movb    $3, %bl
        cmpb    $0x5a, 0x600
        jne     done
        movb    $4, %bl                 // code: 0x100680 is 0x680, and stays so when it changes
        movw    $0x07b7, 0x680          // mov $7, %bh
        movb    $0xcb, 0x682            // lret
        lcall   $0xffff, $0x690
        cmpb    $7, %bh
        jne     done
        movb    $8, 0x681
        lcall   $0xffff, $0x690
        cmpb    $8, %bh
        jne     done
        movb    $5, %bl                 // the other gate has seen it
        movb    $0xd0, %al
        outb    %al, $0x64
        inb     $0x60, %al
        testb   $2, %al
        jnz     done
        movb    $0xd1, %al
        outb    %al, $0x64
        movb    $0xdf, %al
        outb    %al, $0x60
        .globl  opened
opened: movb    $6, %bl
        cmpb    $0xa5, %es:0x610        // what was there before
        jne     done
        movb    $7, %bl
        inb     $0x92, %al
        testb   $2, %al
        jz      done
        movb    $0, %bl
        .globl  done
done:   movb    $0, %al
        movw    $0x500, %dx
        outb    %al, %dx
        .size _start, . - _start
