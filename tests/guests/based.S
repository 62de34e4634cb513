// From real mode into 32-bit code whose segments have base 0x800: linked by its linear
// addresses, and what it pushes are offsets.
        .cfi_sections .debug_frame
        .set    BASE, 0x800
        .code16
        .globl  _start
_start: cli
        lgdtl   gdtr
        mov     %cr0, %eax
        or      $1, %al
        mov     %eax, %cr0
        ljmpl   $8, $protected - BASE

        .code32
        .globl  protected
protected:
        mov     $16, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $0x4000, %esp
        xor     %ebp, %ebp
        call    outer           // to protected + 20
        xor     %al, %al
        out     %al, $0xf4
done:   hlt
        jmp     done

        .globl  outer
        .type   outer, @function
outer:  .cfi_startproc
        push    %ebp
        .cfi_def_cfa_offset 8
        .cfi_offset %ebp, -8
        mov     %esp, %ebp
        .cfi_def_cfa_register %ebp
        call    inner           // to outer + 8
        pop     %ebp
        .cfi_def_cfa %esp, 4
        ret
        .cfi_endproc

        .globl  inner
        .type   inner, @function
inner:  .cfi_startproc
        incl    variable - BASE
        ret
        .cfi_endproc

        .globl  variable
variable: .long 0
        .balign 8
gdt:    .quad   0, 0x00cf9a000800ffff, 0x00cf92000800ffff
gdtr:   .word   gdtr - gdt - 1
        .long   gdt
