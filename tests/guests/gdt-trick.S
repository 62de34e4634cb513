// The "GDT trick": linked at 0xC0100000, loaded at 1 MiB, and before there is paging
// segments with base 0x40000000 make the one of the other. Then paging, and base 0.
        .cfi_sections .debug_frame
        .set    BASE, 0xC0000000
        .text
        .balign 4
        .long   0x1BADB002, 0, -0x1BADB002      // Multiboot 1

        .globl  _start
_start: lgdt    gdtr - BASE
        ljmp    $0x08, $high

        .globl  high
high:   mov     $0x10, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $stack, %esp
        xor     %ebp, %ebp
        call    outer
        jmp     page

        .globl  outer
        .type   outer, @function
outer:  .cfi_startproc
        push    %ebp
        .cfi_def_cfa_offset 8
        .cfi_offset %ebp, -8
        mov     %esp, %ebp
        .cfi_def_cfa_register %ebp
        call    inner
        call    inner
        pop     %ebp
        .cfi_def_cfa %esp, 4
        ret
        .cfi_endproc

        .globl  inner
        .type   inner, @function
inner:  .cfi_startproc
        incl    variable
        ret
        .cfi_endproc

page:   movl    $0x83, directory                // 4 MiB, as they are
        movl    $0x83, directory + 4 * (BASE >> 22)
        mov     %cr4, %eax
        or      $0x10, %eax                     // PSE
        mov     %eax, %cr4
        mov     $directory - BASE, %eax
        mov     %eax, %cr3
        mov     %cr0, %eax
        or      $0x80000000, %eax
        mov     %eax, %cr0
        ljmp    $0x18, $flat

        .globl  flat
flat:   mov     $0x20, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        call    outer
        xor     %al, %al
        out     %al, $0xf4
done:   hlt
        jmp     done

        .balign 8
gdt:    .quad   0, 0x40cf9a000000ffff, 0x40cf92000000ffff, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdtr:   .word   gdtr - gdt - 1
        .long   gdt - BASE
        .globl  variable
variable: .long 0
        .balign 16
        .space  256
stack:
        .balign 4096
directory: .space 4096
