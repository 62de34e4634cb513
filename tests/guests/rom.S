// rom: the last 16 bytes of a ROM, for --rom (as rom.bin).
        .code16
        .text
        .globl  _start
        .type _start, @function
_start: movb    $0x90, %al
        hlt                     // one that spun with IF = 0 would hang a KVM within Bochs
        jmp     _start
        .org    16, 0x90
        .size _start, . - _start
