# Into protected mode: CR0.PE, the far jump, the hidden part of CS.
# guest: pmode
break enter_protected
continue
p $cr0
p $cpumode
p $cs_cache.limit
stepi
p $cr0
p $cpumode
p $cs_cache.limit
break protected_entry
continue
p $cpumode
p $cs_cache.limit
p $gdtr
x/xg $gdtr.base
delete
continue
