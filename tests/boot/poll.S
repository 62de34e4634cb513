// poll: waits for two seconds of the clock, then for 18 ticks of the timer, as loaders do: by asking the BIOS for the
// time, again and again.
#include "check.h"

main:   movb    $2, %cl                 // so many seconds
        movb    $0x20, %bl
1:      pushw   %cx
2:      movb    $0x02, %ah
        int     $0x1a
        cmpb    %dh, %bl
        je      2b
        movb    %dh, %bl
        popw    %cx
        decb    %cl
        jnz     1b
        movb    $0, %ah
        int     $0x1a
        movw    %dx, %bx
        addw    $18, %bx
3:      movb    $0, %ah
        int     $0x1a
        cmpw    %bx, %dx
        jb      3b
        jmp     end
        .org    512 * 17
