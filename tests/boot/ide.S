// ide: what a guest writes by IDE the BIOS reads, and the other way round; and both are there
// after the guest has reset its machine.
#include "check.h"

#define buffer  0x5000
#define MARK    0x1234

main:   movb    $0x20, %bl              // sector 5, by IDE: was it written before a reset?
        call    give
        movw    $buffer, %di
        movw    $256, %cx
        movw    $0x1f0, %dx
        cld
        rep insw
        cmpw    $MARK, buffer
        je      again
        cmpw    $0x1111, buffer
        je      1f
        fails   "sector 5 is not the file's"
1:      movw    $MARK, buffer
        movb    $0x30, %bl
        call    give
        movw    $buffer, %si
        movw    $256, %cx
        movw    $0x1f0, %dx
        rep outsw
        movw    $0x0201, %ax            // the BIOS reads it
        call    bios
        cmpw    $MARK, buffer
        je      1f
        fails   "the BIOS does not read what IDE wrote"
1:      movw    $MARK + 1, buffer + 2
        movw    $0x0301, %ax            // and writes it
        call    bios
        movb    $6, %al
        movw    $0xcf9, %dx
        outb    %al, %dx
        fails   "there was no reset"
        jmp     end

again:  cmpw    $MARK + 1, buffer + 2
        je      end
        fails   "IDE does not read what the BIOS wrote"
        jmp     end

// BL: the command, for sector 5 of the master. It takes no time.
give:   movw    $0x1f2, %dx
        movb    $1, %al
        outb    %al, %dx
        incw    %dx
        movb    $5, %al
        outb    %al, %dx
        movb    $0, %al
        incw    %dx
        outb    %al, %dx
        incw    %dx
        outb    %al, %dx
        incw    %dx
        movb    $0xe0, %al
        outb    %al, %dx
        incw    %dx
        movb    %bl, %al
        outb    %al, %dx
        ret

// AX: the function and the count, for the same sector: cylinder 0, head 0, sector 6.
bios:   movw    $0x0006, %cx
        bios    0x13, bx=buffer, dx=0x0080
        expect_no_carry "int 13h"
        ret
