# title: From real mode to protected mode
# The 1K OS boots as every x86 system does: in 16-bit real mode, which it leaves at once.
# Setting CR0.PE does not change how code is fetched: CS keeps its hidden 16-bit part
# until a far jump loads it again.
# guest: os-1k
# The debugger is connected before the first instruction. Stop where CR0 is written.
break enter_protected
continue
# Real mode, in a word; CR0 has only ET, which every CPU since the 486 has set. CS is
# 0, and its hidden limit is 64 KiB.
p $cpumode
p $cr0
p/x $cs
p $cs_cache.limit
x/2i $pc
# One instruction: PE is set.
stepi
p $cr0
# Protected mode, but still 16-bit code: the hidden part of CS is the one that real
# mode left there, and the disassembly knows it.
p $cpumode
p $cs_cache.limit
x/i $pc
# The far jump loads CS from the GDT. gdb is told of the new mode as it would be of a new
# program, hence the line that it prints.
stepi
p $cpumode
p/x $cs
p/x $cs_cache.limit
x/i $pc
# Where the descriptors are, is in GDTR. `monitor info gdt` prints them as a table.
p $gdtr
