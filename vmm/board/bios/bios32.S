/* The PCI BIOS for programs in 32-bit protected mode (PCI BIOS 2.1, 3; BIOS32 Service Directory 0.4):
 * the guest's own instructions on the ports of configuration space. Where it is mapped it does not
 * know. Included by rom.S, in whose ROM it is. */

/* Found by its first bytes; the sum of all sixteen is 0. */
        .org    ROM_BIOS32
        .ascii  "_32_"
        .long   ROM_BASE + ROM_BIOS32 + 16
        .byte   0, 1, 0x7d              // revision, length in 16 bytes, what makes the sum
        .byte   0, 0, 0, 0, 0

        .code32
        .macro  entry32 name
        .globl  \name
        .type   \name, @function
\name:
        .endm

/* A far call with the name of a service in EAX: AL 0, and EBX, ECX, EDX are its base, length, and
 * entry; 80: there is none; 81: no such function (BL). */
entry32 bios32_directory
        testb   %bl, %bl
        jnz     2f
        cmpl    $0x49435024, %eax       // "$PCI"
        jne     1f
        movl    $ROM_BASE, %ebx
        movl    $ROM_SIZE, %ecx
        movl    $bios32_pci - rom_start, %edx
        movb    $0x00, %al
        lret
1:      movb    $0x80, %al
        lret
2:      movb    $0x81, %al
        lret

/* As INT 1Ah, with the register's number in EDI. */
entry32 bios32_pci
        cmpw    $0xb101, %ax
        je      pci32_installed
        cmpw    $0xb102, %ax
        je      pci32_device
        cmpw    $0xb103, %ax
        je      pci32_class
        cmpw    $0xb108, %ax
        jb      1f
        cmpw    $0xb10d, %ax
        jbe     pci32_register
1:      movb    $0x81, %ah
        stc
        lret

pci32_installed:
        movl    $0x20494350, %edx       // "PCI "
        movw    $0x0210, %bx
        movb    $0, %cl
        movw    $0x0001, %ax
        clc
        lret

/* EBP is what the double word at EDI is to be, without its lowest EDI bits; the SI-th counts. */
pci32_device:
        pushl   %ebp
        pushl   %edi
        movl    %ecx, %ebp
        shll    $16, %ebp
        movw    %dx, %bp
        xorl    %edi, %edi
        jmp     1f
pci32_class:
        pushl   %ebp
        pushl   %edi
        movl    %ecx, %ebp
        andl    $0xffffff, %ebp
        movl    $8, %edi
1:      pushl   %eax
        pushl   %ecx
        pushl   %edx
        pushl   %esi
        movzwl  %si, %esi
        movw    $0, %bx
2:      pushl   %edi
        call    pci32_address
        inl     %dx, %eax
        popl    %edi
        movl    %edi, %ecx
        shrl    %cl, %eax
        cmpl    %ebp, %eax
        jne     3f
        decl    %esi
        js      4f
3:      incw    %bx
        cmpw    $0x100, %bx
        jb      2b
4:      popl    %esi
        popl    %edx
        popl    %ecx
        popl    %eax
        popl    %edi
        popl    %ebp
        movb    $0x00, %ah
        cmpw    $0x100, %bx             // below it carries
        cmc
        jnc     5f
        movb    $0x86, %ah
5:      lret

/* The register EDI of the function BX: EDX becomes its port, EAX changes. */
pci32_address:
        movzwl  %bx, %eax
        shll    $8, %eax
        orl     $0x80000000, %eax
        movl    %edi, %edx
        andl    $0xfc, %edx
        orl     %edx, %eax
        movl    $0xcf8, %edx
        outl    %eax, %dx
        movl    %edi, %edx
        andl    $3, %edx
        addl    $0xcfc, %edx
        ret

/* 8 to A read a byte, a word, a double word; B to D write. */
pci32_register:
        pushl   %edx
        pushl   %eax
        subb    $0x08, %al
        cmpb    $3, %al
        jb      1f
        subb    $3, %al
1:      movl    $1, %edx                // its size, less one: bits that must be clear
        xchgl   %eax, %ecx
        andb    $3, %cl
        shll    %cl, %edx
        xchgl   %eax, %ecx
        decl    %edx
        orl     $0xffffff00, %edx
        testl   %edx, %edi
        jnz     9f
        call    pci32_address
        movl    (%esp), %eax
        cmpb    $0x09, %al
        jb      1f
        je      2f
        cmpb    $0x0b, %al
        jb      3f
        movl    %ecx, %eax
        je      4f
        cmpb    $0x0c, (%esp)
        je      5f
        outl    %eax, %dx
        jmp     8f
1:      inb     %dx, %al
        movb    %al, %cl
        jmp     8f
2:      inw     %dx, %ax
        movw    %ax, %cx
        jmp     8f
3:      inl     %dx, %eax
        movl    %eax, %ecx
        jmp     8f
4:      outb    %al, %dx
        jmp     8f
5:      outw    %ax, %dx
8:      popl    %eax
        popl    %edx
        movb    $0x00, %ah
        clc
        lret
9:      popl    %eax
        popl    %edx
        movb    $0x87, %ah
        stc
        lret
        .code16
