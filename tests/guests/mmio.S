// mmio: reads and writes the registers of a device at 0xD0000000 in every way that an
// instruction can. Started in flat 32-bit mode by tests/unit/test_mmio.c.
        .code32
        .text
        .globl  _start
        .type _start, @function
_start: movl    $0xd0000000, %ebx
        movl    $0x8000, %esp
        cld
        movb    $0x11, (%ebx)           // widths
        movw    $0x2222, 2(%ebx)
        movl    $0x44444444, 4(%ebx)
        movb    (%ebx), %al
        movw    2(%ebx), %cx
        movl    4(%ebx), %edx
        movzbl  5(%ebx), %ebp
        incl    8(%ebx)                 // read-modify-write
        lock orl $0x10, 8(%ebx)
        movl    $0x77, %eax
        xchgl   %eax, 8(%ebx)
        lock xaddb %al, 8(%ebx)
        pushl   8(%ebx)
        popl    12(%ebx)
        movl    $0x88776655, 0xffe(%ebx) // across the edge of a page
        movl    0xffe(%ebx), %esi
        addl    $1, 0xffe(%ebx)
        movl    $0x5a5a5a5a, %eax       // repeated
        leal    0x20(%ebx), %edi
        movl    $3, %ecx
        rep stosl
        leal    0x20(%ebx), %esi
        movl    $0x9000, %edi
        movl    $4, %ecx
        rep movsb
        movl    $0x9000, %esi
        leal    0x30(%ebx), %edi
        movl    $2, %ecx
        rep movsw
        leal    0x20(%ebx), %esi
        leal    0x40(%ebx), %edi
        movl    $2, %ecx
        rep movsl
        movl    0x100(%ebx), %eax       // counts its reads
        addl    0x100(%ebx), %eax
        cmpb    $3, 0x100(%ebx)
        .globl  stops
stops:  movl    $1, 0x200(%ebx)         // stops the machine when it is written
        .globl  after
after:  addl    $1, 0x204(%ebx)         // when it is read
        .globl  end
end:    movl    0x10000(%ebx), %eax     // nobody's
        movb    $7, %bl
        movb    $0, %al
        movw    $0x500, %dx
        outb    %al, %dx
        .size _start, . - _start
