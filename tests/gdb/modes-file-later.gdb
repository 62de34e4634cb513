# `file` when connected: the file's architecture counts, until the CPU goes on.
# guest: pmode
# engines: soft
# status: 0
stepi
file @BUILD@/guests/pmode.elf
x/2i $pc
stepi
x/i $pc
tbreak protected_entry
continue
x/i $pc
symbol-file @BUILD@/guests/pmode.elf
stepi
x/i $pc
continue
