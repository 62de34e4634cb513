# title: Keys by interrupt
# The CPU sleeps until a key comes; then keyboard, interrupt controller and CPU hand it on to the handler. (`ab` and
# Esc are typed.)
# needs: exec-bp
# guest: keyboard
# input: ab\033
# A vector in real mode is four bytes at its number * 4, offset and segment: vector 9 is IRQ 1's here.
break wait_for_keys
continue
info symbol *(unsigned short *)(9 * 4)
x/2xh 9 * 4
# The key was there before interrupts were on, so the first handler runs at once: `sti` lets them in behind the
# instruction that follows it. FLAGS, CS and IP of what was interrupted are on the stack, IF in FLAGS.
break keyboard_handler
continue
x/3xh $sp
info symbol *(unsigned short *)$sp
# 1e is the key `a`, which has gone down; bit 7 is set when it comes up again.
next 2
p/x $al
# Each scancode goes to the screen, until the one of Esc that comes up.
delete
break show if (unsigned char)$al == 0x81
continue
monitor screen
delete
continue
