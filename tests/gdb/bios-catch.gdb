# A call of the BIOS that is caught has not been done: what it is asked can be changed; a step does it.
# needs: exec-bp
# guest: @BUILD@/tests/boot/calls.img
# input: x
# output: Z
# status: 120
monitor catch bios
continue
x/i $pc
monitor explain
p/c $al
set $al = 'Z'
monitor explain
stepi
monitor explain
monitor catch
monitor catch bios 16/01
monitor catch bios 16/00
continue
x/i $pc
nexti
monitor explain
monitor catch bios 1x
monitor catch off
continue
