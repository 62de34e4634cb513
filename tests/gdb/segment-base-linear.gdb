# 32-bit code in segments of base 0x800, linked by linear addresses: symbols and
# breakpoints work so; `monitor addresses offset` makes the stack readable.
# guest: @BUILD@/tests/guests/based.elf
# status: 1
break inner
continue
p $pc == inner
p/x $eip - $raw_ip
p/x $esp - $raw_sp
monitor addresses offset
maintenance flush register-cache
p $eip == $raw_ip
p $esp == $raw_sp
p (int)$eip + 0x800 == (int)inner
p *(int *)$esp + 0x800 == (int)outer + 8
tbreak *((int)protected + 20 - 0x800)
continue
p (int)$eip + 0x800 == (int)protected + 20
p *(int *)((int)&variable - 0x800)
set var *(int *)((int)&variable - 0x800) = 7
monitor addresses linear
maintenance flush register-cache
p (int)$pc == (int)protected + 20
p *(int *)&variable
monitor addresses auto
monitor addresses nonsense
continue
