# monitor screen: what the guest writes to the screen's memory, the cursor and the start
# address that it sets by the CRT controller, and the attributes in words.
# guest: @BUILD@/tests/guests/screen.elf
monitor screen
break shown
continue
monitor screen
monitor screen attributes
tbreak turned
continue
monitor screen
tbreak bare
continue
monitor screen
monitor screen colours
x/2hx 0xb8000
