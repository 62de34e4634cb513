// The same as start1.S for a Multiboot 2 loader (specification 2.0, 3.1): its header is a list of
// tags, so that a kernel can ask for more without a flag's bit for each.

#define MAGIC           0xe85250d6
#define I386            0
#define LENGTH          (header_end - header)

#define TAG_END         0
#define TAG_REQUEST     1
#define WANT_LINE       1               // kinds of information
#define WANT_MODULES    3
#define WANT_MAP        6

        .section .multiboot, "a"        // within the first 32 KiB of the file: see kernel.ld
        .balign 8
header:
        .long   MAGIC, I386, LENGTH, -(MAGIC + I386 + LENGTH)
request:
        .short  TAG_REQUEST, 0          // not optional
        .long   request_end - request
        .long   WANT_LINE, WANT_MODULES, WANT_MAP
request_end:
        .balign 8                       // as each tag is
        .short  TAG_END, 0
        .long   8
header_end:

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
