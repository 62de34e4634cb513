# A handler of the guest's own before the BIOS's is done once; the call is caught where the BIOS begins.
# needs: exec-bp
# guest: @BUILD@/tests/boot/chain.img
# status: 0
monitor catch bios 13
continue
bt
x/db &count
x/i $pc
stepi
x/i $pc
continue
bt
x/i $pc
x/db &count
continue
