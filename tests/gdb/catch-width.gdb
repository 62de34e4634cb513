# monitor catch mode 64: the first instruction of 64-bit code, where gdb takes an address of its upper half.
# guest: long64
# engines: soft auto
monitor catch mode 24
monitor catch mode 64
continue
p $cpumode
info symbol $pc
break *0xffffffff81000000
info breakpoints
kill
