// keyboard: keys by interrupt. The CPU sleeps; each key that goes down or comes up makes the
// keyboard raise IRQ 1, the interrupt controller (PIC) turn that into a vector, and the CPU call
// the handler, which fetches the scancode and puts it on the screen. When Esc comes up again, the
// guest ends.
//
// It programs all of that by itself, without a BIOS. Its vectors are where a BIOS has them: in
// real mode a vector is four bytes at its number * 4, offset and segment (§20.1.4).

#include "abi.inc"

#define PIC             0x20            // its ports: command, and
#define PIC_DATA        0x21
#define PIC_INIT        0x11            // ICW1: initialise; ICW4 will come
#define PIC_VECTORS     8               // ICW2: IRQ 0 is vector 8
#define PIC_SLAVE       0x04            // ICW3: a second PIC at IRQ 2
#define PIC_8086        0x01            // ICW4
#define PIC_EOI         0x20            // end of interrupt: the next one may come
#define KEYBOARD_IRQ    1
#define KEYBOARD_VECTOR (PIC_VECTORS + KEYBOARD_IRQ)

#define KEYBOARD        0x60            // a scancode; bit 7: the key came up
#define ESC_UP          0x81

#define SCREEN          0xb800          // the segment of B8000
#define GREY            0x07

        .code16
        .text
FUNCTION _start
        cli
        movw    $SCREEN, %ax
        movw    %ax, %es
        movw    $keyboard_handler, KEYBOARD_VECTOR * 4
        movw    $0, KEYBOARD_VECTOR * 4 + 2
        call    init_pic
        sti
END _start

FUNCTION wait_for_keys
        hlt                             // until an interrupt, which is over when this goes on
        cmpb    $0, done
        je      wait_for_keys
        EXIT    0
END wait_for_keys

FUNCTION init_pic
        movb    $PIC_INIT, %al
        outb    %al, $PIC
        movb    $PIC_VECTORS, %al
        outb    %al, $PIC_DATA
        movb    $PIC_SLAVE, %al
        outb    %al, $PIC_DATA
        movb    $PIC_8086, %al
        outb    %al, $PIC_DATA
        movb    $~(1 << KEYBOARD_IRQ), %al // a bit for each that is kept out
        outb    %al, $PIC_DATA
        ret
END init_pic

// Between two instructions of whatever is running: it must find all registers as they were.
FUNCTION keyboard_handler
        pushaw
        inb     $KEYBOARD, %al
        cmpb    $ESC_UP, %al
        sete    %bl
        orb     %bl, done
        call    show
        movb    $PIC_EOI, %al
        outb    %al, $PIC
        popaw
        iretw
END keyboard_handler

// AL as two digits and a space, at the next place on the screen (ES).
FUNCTION show
        movw    place, %di
        movw    $digits, %bx
        movb    %al, %cl
        shrb    $4, %al
        call    show_digit
        movb    %cl, %al
        andb    $0xf, %al
        call    show_digit
        addw    $2, %di
        movw    %di, place
        ret
END show

FUNCTION show_digit
        xlatb                           // AL = digits[AL]
        movb    $GREY, %ah
        stosw                           // a character and its color
        ret
END show_digit

        .data
digits:         .ascii  "0123456789abcdef"
done:           .byte   0
        .balign 2
place:          .short  0               // in the screen's memory
