// The first instruction of a kernel that a Multiboot 1 loader starts, and the header that asks it
// to (Multiboot specification 0.6.96, 3.1).
//
// The CPU is in 32-bit protected mode then, without paging, with flat segments; EAX says that it
// was such a loader, EBX where the information is. All else is up to the kernel: first a stack.

#define MAGIC           0x1badb002
#define ALIGN_MODULES   (1 << 0)
#define WANT_MEMORY     (1 << 1)
#define FLAGS           (ALIGN_MODULES | WANT_MEMORY)

        .section .multiboot, "a"        // within the first 8 KiB of the file: see kernel.ld
        .balign 4
        .long   MAGIC, FLAGS, -(MAGIC + FLAGS)

        .text
        .globl  _start
        .type   _start, @function
_start:
        movl    $stack_end, %esp
        pushl   %ebx                    // kernel_main(EAX, EBX)
        pushl   %eax
        call    kernel_main
        cli
stop:   hlt
        jmp     stop
        .size   _start, . - _start

        .bss
        .balign 16
stack:  .skip   4096
stack_end:
