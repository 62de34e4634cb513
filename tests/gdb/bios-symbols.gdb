# The symbols of the BIOS's ROM come by themselves, and the way back out of its handlers; not in protected mode.
# guest: bootsector.img
# needs: exec-bp
info symbol 0xf0080
x/2i bios_int_10
break bios_int_10
continue
bt
up
p $cs
p/x $eip
x/i $pc - 2
delete
kill
