# From a Multiboot kernel's entry, an instruction and a line at a time, into C and back; registers as the
# specification says (2: 3.3).
# guest: --append=a=b multiboot2
p $cpumode
p/x $eax
p/x $eflags & 0x20200
p $cr0
p $cs_cache
p $ss_cache
p $ebx % 8
stepi
stepi
stepi
x/i $pc
stepi
info symbol $pc
bt
finish
info symbol $pc
