# To ring 3 by iret, a system call into ring 0 and back.
# guest: os-1k
# engines: soft
# input: 0\n
break enter_user
continue
info symbol $pc
x/2i $pc
stepi 17
x/i $pc
monitor explain
stepi
p/x $cs
p/x $ss
p $cs_cache.attr
info symbol $pc
monitor info tss
break syscall_handler
continue
p/x $cs
bt
finish
p/x $cs
