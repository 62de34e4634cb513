// The loader's first instruction, and its last: what C does not say. The first stage
// (guests/disk/stage1.S) jumps here in real mode, with all segments 0 and the drive in DL.

        .code16
        .section .entry, "ax"
        .globl  loader_start
        .type   loader_start, @function
loader_start:
        cld
        movzbl  %dl, %eax               // the first argument, in a register (-mregparm=1)
        calll   loader_main             // its answer is the kernel's first instruction
        cli
        movw    $0x1000, %sp            // the kernel's stack lies below it
        jmpw    *%ax
        .size   loader_start, . - loader_start
