# Linked at 0xC0100000, run with segments of base 0x40000000 before there is paging:
# symbols, breakpoints, memory, stack and watchpoints are by offsets, by themselves.
# guest: @BUILD@/tests/guests/gdt-trick.elf
monitor addresses
break inner
tbreak high
continue
p $pc == high
p/x $cs_base
p/x $eip - $raw_ip
x/i $pc
monitor addresses
continue
bt
p {int}&variable
finish
p {int}&variable
stepi
p $pc == inner
p *(int *)($esp) == ((int)outer + 13)
watch {int}&variable
continue
delete 4
nexti
info symbol $pc
monitor page 0xc0100000
delete 1
kill
