# Going back to where a condition was true; who wrote a byte, and when; a change in
# the past begins a new present, and says so once.
# guest: counter
# engines: soft
# status: 0
set breakpoint condition-evaluation target
break send if $ebx == 0x38
continue
p $ebx
monitor icount
condition 1 $ebx == 0x33
reverse-continue
p $ebx
monitor icount
reverse-continue
monitor icount
delete
break send if $ebx == 0x36
continue
p $ebx
p/x *(unsigned short *)0xffe
monitor when-written 0xffe 2
monitor when-written 0x10000
monitor goto -3
maintenance flush register-cache
x/i $pc
monitor history
set $ebx = 0x41
monitor history
set $ebx = 0x42
delete
continue
