// chain: a program that has INT 13h and goes on to the BIOS's handler, by a jump and by a call; for sessions of gdb.
        .code16
        .text
        .globl  _start
_start: xorw    %ax, %ax
        movw    %ax, %ds
        movl    0x13 * 4, %eax
        movl    %eax, old
        movw    $handler, 0x13 * 4
        movw    %ax, %cx
        movw    $0, 0x13 * 4 + 2
        movb    $0, %ah
        movb    $0, %dl
        .globl  jumps
jumps:  int     $0x13
        movb    $0x15, %ah
        pushfw
        .globl  calls
calls:  lcallw  *old
        movb    $0, %al
        movw    $0x500, %dx
        outb    %al, %dx
        .globl  handler
handler: incb   count
        ljmpw   *old
        .globl  old
old:    .long   0
        .globl  count
count:  .byte   0
        .org    510
        .word   0xaa55
