# title: Back through the mode switch
# On the built-in CPU time runs backwards, too: from behind the far jump into real
# mode, an instruction at a time. Disassembly and registers follow.
# guest: pmode
# engines: soft
break protected_entry
continue
p $cs
x/i $pc
# Back over the far jump: protected mode, 16-bit code.
reverse-stepi
x/i $pc
p $cr0
# Back over the instruction that set CR0.PE: real mode.
reverse-stepi
x/i $pc
p $cr0
p $cs
reverse-stepi
x/i $pc
# Time is the number of instructions done.
monitor icount
# Forward it is the same run again.
continue
# Each change of mode is known with its time, and one can go to any time. The state
# behind `monitor goto` is there at once, but gdb keeps the registers that it has read
# until it is told to forget them, or until the next step.
monitor when-mode
monitor goto start
# Before the first instruction there is nothing.
reverse-stepi
