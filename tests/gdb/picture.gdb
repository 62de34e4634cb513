# title: A gdb session: into protected mode, and back in time
# The session that README.md shows as a picture (scripts/picture).
# guest: pmode
# engines: soft
break enter_protected
continue
p $cpumode
x/2i $pc
monitor explain
stepi 2
p $cs_cache
x/2i $pc
reverse-stepi
monitor explain
p $cr0
