# title: Many machines
# Four machines at once are four inferiors of one gdb, each with its own symbols, its
# own mode and its own disassembly.
# guest: paging hello counter fibonacci
# needs: paging32
info inferiors
info threads
# One breakpoint is in all of them. A step is the current machine's alone; gdb learns the mode of
# the others meanwhile, hence the lines about them.
break _start
stepi
thread 2.1
x/2i $pc
thread 3.1
x/2i $pc
# The first goes on into protected mode, where gdb reads 32-bit code ...
thread 1.1
break enable_paging
continue
x/i $pc
# ... and the fourth is in 16-bit code as before.
thread 4.1
x/2i $pc
stepi
info threads
# A machine that is detached runs on by itself.
detach inferior 3
thread 2.1
delete
tbreak done
continue
info symbol $pc
info inferiors
# One that is killed is gone. minikvm ends with the last.
kill inferiors 2 4
info inferiors
