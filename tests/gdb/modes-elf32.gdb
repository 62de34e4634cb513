# With a file given by the user that is elf32-i386: its architecture would overrule ours.
# guest: pmode
# before: file @BUILD@/guests/pmode.elf
# status: 0
x/3i $pc
break protected_entry
continue
x/2i $pc
info symbol $pc
continue
