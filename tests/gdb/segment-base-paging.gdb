# From segments of base 0x40000000 to paging and base 0: the addresses stay the same, and
# breakpoints that were set before the first of both are met in each.
# guest: @BUILD@/tests/guests/gdt-trick.elf
# needs: paging32
# status: 1
break inner if {int}&variable == 3
tbreak flat
tbreak outer
continue
monitor addresses
continue
monitor addresses
continue
info symbol $pc
bt
p {int}&variable
delete
continue
