# title: The timer
# A breakpoint in the tick handler, with a condition on the count. The condition is
# evaluated beside the guest: it is not stopped for the ticks before.
# guest: os-1k
# engines: soft
# input: open
break timer_tick if ticks == 5
continue
p ticks
# The interrupt came while the kernel waited in a `hlt`.
bt
# The interrupt controllers and the timer that the kernel has programmed: vectors from
# 0x20, the timer and the keyboard not masked, 100 ticks a second.
monitor info devices
next
next
p ticks
