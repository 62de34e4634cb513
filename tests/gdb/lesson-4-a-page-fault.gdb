# A page fault of a user program: which address, which access, who did it.
# guest: os-1k
# engines: soft
# input: !\n0\n
# status: 0
monitor catch exception 14
continue
info symbol $pc
p/x $cr2
p/x *(unsigned*)$sp
monitor page cr2
bt
up
p pointer
monitor catch off
continue
