# With A20 closed the debugger sees memory as the CPU does: the odd megabytes are the
# even ones below them.
# guest: --mem=2M @BUILD@/tests/guests/a20.elf
# status: 0
break close_a20
break closed
break *0x100680
break opened
continue
x/xb 0x600
x/xb 0x100600
continue
x/xb 0x100600
delete 1 2
continue
x/i $pc
x/xb 0x600
continue
continue
x/xb 0x600
x/xb 0x100600
set var *(char *)0x100601 = 0x77
x/2xb 0x100600
x/2xb 0x600
continue
