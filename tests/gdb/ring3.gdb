# Into ring 3 by iret, and back by int 0x80.
# guest: ring3
# needs: paging32 exec-bp
# status: 0
break enter_user
continue
p $cs
stepi
info symbol $pc
p $cs
p $cs_cache.attr
p $ss
break syscall_handler
continue
p $cs
p $tr.base == &tss
delete
continue
