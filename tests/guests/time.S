// time: does, in an order that looks random, all that a CPU could remember wrongly when a
// debugger goes to and fro: translations that the tables no longer say, accessed and dirty
// bits cleared without a flush, code that changes itself, also by another address, string
// instructions over pages, interrupts of timer, keyboard and serial line, the clock. All of
// it goes into `sum`, a digit of which is printed now and then. It never ends.
//
//   0x000000  itself, by 4 KiB pages          0x400000  data: a thousand views of 64 pages
//   0x800000  code: a thousand views of one page
#define CODE   0x08
#define DATA   0x10
#define VIEWS  0x400000
#define CALLS  0x800000
#define PAGES  0x100000                 // the 64 pages, by physical address
#define A_D    0x60

        .code16
        .text
        .globl _start
        .type _start, @function
_start: cli
        lgdtl   gdt_pointer
        lidtl   idt_pointer
        movl    %cr0, %eax
        orl     $1, %eax
        movl    %eax, %cr0
        ljmpl   $CODE, $ring0
        .size _start, . - _start

        .code32
        .type ring0, @function
ring0:  movw    $DATA, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $stack_top, %esp
        call    make_tables
        call    make_idt
        call    make_chips
        sti
again:  call    random
        movl    %eax, %ebx              // EBX: which page, or what value
        shrl    $4, %ebx
        andl    $15, %eax
        call    *actions(,%eax,4)
        jmp     again

random: movl    seed, %eax
        imull   $1103515245, %eax
        addl    $12345, %eax
        movl    %eax, seed
        shrl    $12, %eax
        ret

// --- what it does: EBX is random -----------------------------------------------------

view:   andl    $1023, %ebx             // ESI: the address of view EBX
        movl    %ebx, %esi
        shll    $12, %esi
        addl    $VIEWS, %esi
        ret

other_page:                             // the view shows another page; no INVLPG
        call    view
        call    random
        andl    $63 << 12, %eax
        addl    $PAGES + 3, %eax
        movl    %eax, views(,%ebx,4)
        ret
read_it:
        call    view
        movl    (%esi), %eax
        addl    %eax, sum
        ret
write_it:
        call    view
        movl    sum, %eax
        xorl    %eax, 4(%esi)
        ret
forget: andl    $1023, %ebx             // accessed and dirty; no INVLPG
        andl    $~A_D, views(,%ebx,4)
        andl    $~A_D, calls(,%ebx,4)
        ret
look:   andl    $1023, %ebx
        movl    views(,%ebx,4), %eax
        andl    $A_D, %eax
        addl    %eax, sum
        movl    calls(,%ebx,4), %eax
        andl    $A_D, %eax
        roll    $3, sum
        addl    %eax, sum
        ret
call_it:
        andl    $1023, %ebx
        shll    $12, %ebx
        addl    $CALLS, %ebx
        call    *%ebx
        addl    %eax, sum
        ret
change_ahead:
        movl    %ebx, ahead + 1
ahead:  movl    $0, %eax
        addl    %eax, sum
        ret
change_called:                          // by its data address
        movl    %ebx, called + 1
        jmp     call_it
copy:   call    view
        addl    $0xf03, %esi
        movl    $PAGES + 0x1ff5, %edi
        movl    $700, %ecx
        cmpl    $VIEWS + 0x3fd000, %esi
        ja      1f
        rep movsl
1:      ret
flush:  testl   $7, %ebx
        jz      1f
        call    view
        invlpg  (%esi)
        ret
1:      movl    %cr3, %eax
        movl    %eax, %cr3
        ret
sleep:  testl   $31, %ebx
        jnz     1f
        hlt
1:      ret
clock:  movb    $0, %al                 // seconds
        outb    %al, $0x70
        inb     $0x71, %al
        addb    %al, sum
        rdtsc
        addl    %eax, sum
        ret
globals:
        andl    $1023, %ebx
        xorl    $0x100, views(,%ebx,4)
        testl   $63, %ebx
        jnz     1f
        movl    %cr4, %eax
        xorl    $0x80, %eax
        movl    %eax, %cr4
1:      ret
say:    movw    $0x3fd, %dx             // is there a byte on the line?
        inb     %dx, %al
        testb   $1, %al
        jz      1f
        movw    $0x3f8, %dx
        inb     %dx, %al
        addb    %al, sum
1:      testl   $15, %ebx
        jnz     1f
        movl    sum, %eax
        andb    $15, %al
        addb    $'a', %al
        outb    %al, $0xe9
1:      ret
traps:  pushfl
        orl     $0x100, (%esp)
        popfl
        nop
        incl    sum
        pushfl
        andl    $~0x100, (%esp)
        popfl
        ret
count:  movl    $50, %ecx
1:      addl    %ecx, sum
        loop    1b
        ret

// --- interrupts --------------------------------------------------------------------------

irq0:   incl    sum
        jmp     done
irq1:   pushl   %eax
        inb     $0x60, %al
        addb    %al, sum
        popl    %eax
        jmp     done
irq4:   pushl   %eax
        pushl   %edx
        movw    $0x3f8, %dx
        inb     %dx, %al
        addb    %al, sum
        popl    %edx
        popl    %eax
done:   pushl   %eax
        movb    $0x20, %al
        outb    %al, $0x20
        popl    %eax
        iret
trap:   roll    $1, sum
        iret

// --- at the beginning ----------------------------------------------------------------------

make_tables:
        movl    $identity + 3, dir
        movl    $views + 3, dir + 4
        movl    $calls + 3, dir + 8
        xorl    %ecx, %ecx
1:      movl    %ecx, %eax
        shll    $12, %eax
        orl     $3, %eax
        movl    %eax, identity(,%ecx,4)
        andl    $63 << 12, %eax
        addl    $PAGES + 3, %eax
        movl    %eax, views(,%ecx,4)
        movl    $called + 3, calls(,%ecx,4)
        incl    %ecx
        cmpl    $1024, %ecx
        jb      1b
        movl    $dir, %eax
        movl    %eax, %cr3
        movl    %cr0, %eax
        orl     $0x80000000, %eax
        movl    %eax, %cr0
        ret

gate:   movl    %eax, %edx              // EAX: handler, ECX: vector
        andl    $0xffff, %eax
        orl     $CODE << 16, %eax
        movw    $0x8e00, %dx
        movl    %eax, idt(,%ecx,8)
        movl    %edx, idt+4(,%ecx,8)
        ret
make_idt:
        movl    $irq0, %eax
        movl    $0x20, %ecx
        call    gate
        movl    $irq1, %eax
        movl    $0x21, %ecx
        call    gate
        movl    $irq4, %eax
        movl    $0x24, %ecx
        call    gate
        movl    $trap, %eax
        movl    $1, %ecx
        jmp     gate

make_chips:
        movl    $setup, %esi
1:      movzwl  (%esi), %edx
        movb    2(%esi), %al
        outb    %al, %dx
        addl    $3, %esi
        cmpl    $setup_end, %esi
        jb      1b
        ret

        .data
        .macro OUT port, value
        .word   \port
        .byte   \value
        .endm
setup:  OUT 0x20, 0x11
        OUT 0x21, 0x20
        OUT 0x21, 0x04
        OUT 0x21, 0x01
        OUT 0x21, 0xec                  // timer, keyboard, serial line
        OUT 0x43, 0x34
        OUT 0x40, 0x00
        OUT 0x40, 0x01                  // a tick every 21,456 instructions
        OUT 0x3f9, 1                    // the serial line interrupts for what came
setup_end:
        .balign 8
gdt:    .quad   0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdt_pointer:
        .word   gdt_pointer - gdt - 1
        .long   gdt
idt_pointer:
        .word   0x25 * 8 - 1
        .long   idt
actions: .long  other_page, read_it, write_it, forget, look, call_it, change_ahead, change_called
        .long   copy, flush, sleep, clock, globals, say, traps, count
seed:   .long   1
        .globl  sum
sum:    .long   0
        .balign 4096
called: movl    $1, %eax
        ret
        .balign 4096

        .bss
        .balign 4096
dir:    .skip 4096
identity: .skip 4096
        .globl views
views:  .skip 4096
calls:  .skip 4096
idt:    .skip 512
        .skip 4096
stack_top:
