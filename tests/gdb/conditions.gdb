# Conditions and dprintf run in the stub: gdb hears only of the stop that it wants.
# guest: counter
# status: 0
set breakpoint condition-evaluation target
break send if $ebx == 0x33
break wait_for_room if $ebx == 0x35 && *(unsigned char *)0x1000 == 0xb3
continue
p $ebx
p/x *(unsigned char *)0x1000
continue
p $ebx
info breakpoints
delete
break send if 1 / ($ebx - 0x37)
continue
p $ebx
delete
set dprintf-style agent
dprintf send,"sends %d, '%c', %5x|%-5o|%p %%\n", $ebx, $ebx, $ebx, $ebx, $ebx
continue
