# Connect before the first instruction: symbols are there by themselves, and the
# CPU is what it is after power-on.
# guest: hello
info symbol $pc
p $cpumode
p $cr0
p $cs_cache.base
p $idtr
p/x $raw_ip
