# Back through the mode switch: from behind the far jump into real mode, one
# instruction at a time; disassembly and registers follow.
# guest: pmode
# engines: soft
break protected_entry
continue
p $cs
x/i $pc
reverse-stepi
x/i $pc
p $cr0
reverse-stepi
x/i $pc
p $cr0
p $cs
reverse-stepi
x/i $pc
monitor icount
continue
monitor when-mode
monitor goto start
reverse-stepi
