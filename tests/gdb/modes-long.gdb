# 16, 32 and 64 bits in one session. The watchpoint is taken out before paging is on:
# from then on the CPU's own page walk sets the accessed bit of what it watches, which
# is a change where values are compared, and none where a debug register watches.
# needs: exec-bp
# guest: long64
# engines: kvm
# status: 0
x/2i $pc
watch -l *(int *)&pml4
continue
break enable_long
break long_entry
display/i $pc
continue
delete 1
stepi
p $rip
p $efer
stepi
p $rip
p $efer
info breakpoints
x/3i $pc
stepi
delete
undisplay 1
continue
