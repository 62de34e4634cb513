// ide: reads and writes the first disk as drivers of the first chapter do. Each sector of
// tests/guests/disk.img begins with its number; what is printed is that number, as it was read
// by each way. Sector 6 is written, and read again.
#include "../../guests/abi.inc"

#define DATA    0x1f0
#define COUNT   0x1f2
#define DEVICE  0x1f6
#define COMMAND 0x1f7
#define CONTROL 0x3f6
#define BSY     0x80
#define DRQ     0x08
#define ERR     0x01
#define buffer  0x4000

        .code16
        .text
FUNCTION _start
        cli
        cld
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7000, %sp
        call    set_interrupts
        call    reset
        call    identify
polled: movw    $by_lba28, %si          // by LBA28, two sectors
        call    read_polled
        movw    $by_chs, %si            // by cylinder, head and sector
        call    read_polled
        movw    $before_lba48, %si      // by LBA48: the high bytes come first
        call    give_address
        movw    $by_lba48, %si
        call    read_polled
waited: movw    $by_lba28, %si          // the same by interrupts
        call    read_by_interrupt
before_write:
        movw    $0x1234, buffer
        call    write_sector
written:
        call    read_back
done:   SAY     good
        movb    $0, %bl
        HYPERCALL HC_EXIT
END _start

// Reads sector 6 and prints what it begins with.
FUNCTION read_back
        movw    $by_lba28, %si
        movb    $1, by_lba28
        call    read_polled
end_of_read_back:
        ret
END read_back

// --- the drive ------------------------------------------------------------------------

// SRST up and down; then the drive is ready, and its registers say that it is a disk.
FUNCTION reset
        movw    $CONTROL, %dx
        movb    $4, %al
        outb    %al, %dx
        call    delay
        movb    $0, %al
        outb    %al, %dx
        call    wait_not_busy
        movw    $COUNT, %dx
        inb     %dx, %al                // 1
        movzbw  %al, %bx
        jmp     print
END reset

FUNCTION identify
        movw    $DEVICE, %dx
        movb    $0xa0, %al
        outb    %al, %dx
        call    delay
        movw    $COMMAND, %dx
        movb    $0xec, %al
        outb    %al, %dx
        call    wait_data
        call    take_sector
        movw    buffer + 2*60, %bx      // sectors by LBA28
        jmp     print
END identify

// SI: what goes to 1F2h to 1F7h. Reads as many sectors as it says, and prints each.
FUNCTION read_polled
        movb    (%si), %bl
        movb    %bl, left
        call    give
1:      call    wait_data
        call    take_sector
        movw    buffer, %bx
        call    print
        decb    left
        jnz     1b
        ret
END read_polled

FUNCTION read_by_interrupt
        movb    (%si), %bl
        movb    %bl, left
        movb    $0, arrived
        sti
        call    give
1:      call    wait_interrupt
        call    take_sector
        movw    buffer, %bx
        call    print
        decb    left
        jnz     1b
        cli
        ret
END read_by_interrupt

FUNCTION write_sector
        movb    $0, arrived
        movw    $written_by, %si
        call    give
        call    wait_data
        movw    $buffer, %si
        movw    $256, %cx
        movw    $DATA, %dx
        sti
        rep outsw
        call    wait_interrupt          // it is written
        cli
        movw    $COMMAND, %dx
        movb    $0xe7, %al              // FLUSH CACHE
        outb    %al, %dx
        jmp     wait_not_busy
END write_sector

// --- registers --------------------------------------------------------------------------

FUNCTION give
        movw    $6, %cx                 // count, three of the address, device, command
        jmp     give_some
END give

FUNCTION give_address
        movw    $4, %cx
END give_address

FUNCTION give_some
        movw    $COUNT, %dx
1:      lodsb
        outb    %al, %dx
        incw    %dx
        loop    1b
        ret
END give_some

// 400 ns: four looks at the alternate status.
FUNCTION delay
        movw    $CONTROL, %dx
        inb     %dx, %al
        inb     %dx, %al
        inb     %dx, %al
        inb     %dx, %al
        ret
END delay

FUNCTION wait_not_busy
        movw    $COMMAND, %dx
1:      inb     %dx, %al
        testb   $BSY, %al
        jnz     1b
        ret
END wait_not_busy

FUNCTION wait_data
        movw    $COMMAND, %dx
1:      inb     %dx, %al
        testb   $ERR, %al
        jnz     error
        andb    $BSY | DRQ, %al
        cmpb    $DRQ, %al
        jne     1b
        ret
END wait_data

FUNCTION error
        SAY     bad
        movb    $1, %bl
        HYPERCALL HC_EXIT
END error

FUNCTION take_sector
        movw    $buffer, %di
        movw    $256, %cx
        movw    $DATA, %dx
        rep insw
        ret
END take_sector

FUNCTION print
        HYPERCALL HC_PUTNUM
        movb    $' ', %bl
        HYPERCALL HC_PUTCHAR
        ret
END print

// --- interrupts ---------------------------------------------------------------------------

// IRQ 14 is vector 0x2e; all others are masked, but IRQ 2, behind which the second chip is.
FUNCTION set_interrupts
        movw    $interrupt, 0x2e*4
        movw    $0, 0x2e*4+2
        movw    $words, %si
        movw    $10, %cx
1:      lodsw                           // AL: the value, AH: the port
        movzbw  %ah, %dx
        outb    %al, %dx
        loop    1b
        ret
END set_interrupts

FUNCTION interrupt
        pushw   %ax
        pushw   %dx
        movw    $COMMAND, %dx           // a look at Status takes the drive's request
        inb     %dx, %al
        movb    %al, status
        movb    $1, arrived
        movb    $0x20, %al
        outb    %al, $0xa0
        outb    %al, $0x20
        popw    %dx
        popw    %ax
        iret
END interrupt

FUNCTION wait_interrupt
        cli                             // or it could come between the look and the hlt
        cmpb    $1, arrived
        je      1f
        sti
        hlt
        jmp     wait_interrupt
1:      movb    $0, arrived
        testb   $ERR, status
        jnz     error
        sti
        ret
END wait_interrupt

        MESSAGE good, "good\n"
        MESSAGE bad, "the disk has an error\n"
words:  .byte 0x11, 0x20, 0x20, 0x21, 0x04, 0x21, 0x01, 0x21, 0xfb, 0x21
        .byte 0x11, 0xa0, 0x28, 0xa1, 0x02, 0xa1, 0x01, 0xa1, 0xbf, 0xa1

//            count, address by three bytes, device, command
by_lba28:     .byte 2, 6, 0, 0, 0xe0, 0x20
by_chs:       .byte 1, 2, 1, 0, 0xa3, 0x20      // (1*16 + 3)*63 + 1 = 1198
before_lba48: .byte 0, 0, 0, 0
by_lba48:     .byte 1, 0xff, 0x0f, 0, 0x40, 0x24 // 4095
written_by:   .byte 1, 6, 0, 0, 0xe0, 0x30
left:         .byte 0
arrived:      .byte 0
status:       .byte 0
