# A breakpoint where execution resumes is hit: after jump, after a write of $pc, in a
# function that gdb calls, in a range, where gdb steps off the guest's own int3. Only
# one whose stop was told is passed over.
# needs: exec-bp
# guest: @BUILD@/tests/guests/resume.elf
stepi
tbreak there
jump there
p $bl
stepi
break there
set $pc = there
continue
p $bl
tbreak last
continue
p $bl
delete
hbreak there
set $pc = there
next
p $bl
next
delete
break there if $ebx == 99
tbreak last
set $pc = there
continue
set $ebx = 99
set $pc = there
continue
delete
stepi
set dprintf-style agent
dprintf there, "there, bl is %d\n", $ebx & 0xff
tbreak last
set $pc = there
continue
delete
break there thread 1
set $pc = there
continue
delete
break self
set $pc = last
continue
continue 3
info breakpoints
delete
break trap
break after
set $pc = trap
continue
p $bl
delete
break there
p ((int (*)(void)) there)()
