# A triple fault is a stop, not a reset: the machine stays as it was, and the
# chain of faults that led there is told.
# guest: broken_gdt
# engines: soft
continue
monitor explain
p $cr0
p $cpumode
x/i $pc
continue
p $cr0
