# title: A picture in mode 13h
# Display memory is memory: a dot is a byte, and the registers say what is seen of it. (`minikvm picture` shows it on
# the terminal, and `monitor screenshot FILE` makes a PNG.)
# guest: picture.img
# engines: soft
# One call of the BIOS sets the VGA's registers. `monitor explain` on it says what it asks.
break set_mode
continue
monitor explain
stepi
monitor explain
stepi
# The colours go out by a port, three bytes each: six bits of red, green and blue.
break draw
continue
monitor screen
# Nothing is drawn yet. The first dot, in the upper left corner at A0000, is a byte:
watch *(unsigned char *)0xa0000
continue
p $ax & 0xff
info symbol $pc
delete
# When a row is there, the next one begins 320 bytes further.
break next_row if (short)$bx == -99
continue
p $di
x/8xb 0xa0000
delete
# All of it, as coarse as text is.
break frame_done
continue
monitor screen
