# title: A mouse, byte by byte
# A mouse sends three bytes for each movement, and each is an interrupt: this boot sector puts them together. (The terminal
# tells of its pointer: at column 40 and row 13, then three columns to the right and two rows up; Esc is typed.)
# needs: exec-bp
# guest: mouse.img
# input: \033[<35;40;13M\033[<35;43;11M\033
# The mouse is behind the keyboard controller, at its second port. D4 says that the next byte is for the mouse; F4 is its
# command to report, which it acknowledges with FA. The status says that a byte waits (bit 0), and that it is the mouse's
# (bit 5).
break not_yet
continue
next 3
p/x $al
# Vector 74h is IRQ 12's: the second PIC's fifth, which comes through IRQ 2 of the first.
break mouse_handler
continue
x/2xh 0x74 * 4
pipe monitor info devices | grep 'service'
# The first byte has the signs and buttons; bit 3 is always 1.
next 2
p/x $al
continue
next 2
p $al
continue
next 2
p $al
# Three bytes: 24 to the right, 32 up. A column of the terminal is 8, a row 16.
tbreak packet_goes_on
continue
p *(short *)&x
p *(short *)&y
delete
continue
