# 16, 32 and 64 bits in one session.
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
