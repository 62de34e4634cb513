# From real mode to protected mode: CR0.PE does not change CS; the far jump does.
# guest: os-1k
break enter_protected
continue
p $cpumode
p $cr0
p/x $cs
p $cs_cache.limit
x/2i $pc
stepi
p $cr0
p $cpumode
p $cs_cache.limit
x/i $pc
stepi
p $cpumode
p/x $cs
p/x $cs_cache.limit
x/i $pc
p $gdtr
