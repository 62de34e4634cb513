# title: A page fault
# The program behind the menu's hidden key `!` reads from an unmapped address. Which
# address, how it was used, and by whom.
# guest: os-1k
# engines: soft
# input: !\n0\n
# status: 0
# Stop at exception 14. Type `!` and Enter in minikvm's terminal when the menu is there.
monitor catch exception 14
continue
info symbol $pc
# The address is in CR2. On the stack is the error code: 4 is a read from ring 3 of a
# page that is not present.
p/x $cr2
p/x *(unsigned*)$sp
monitor page cr2
# Who did it: the backtrace goes from the handler into the program.
bt
up
p pointer
# The kernel ends the program and shows the menu again. There, 0 and Enter shut down.
monitor catch off
continue
