# The mode follows from other registers: to set it is refused with a sentence.
# guest: pmode
p $cpumode
set $cpumode = 0
p $cpumode = 2
