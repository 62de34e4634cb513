# The timer: a breakpoint in the tick handler, with a condition on the count.
# guest: os-1k
# engines: soft
# input: open
break timer_tick if ticks == 5
continue
p ticks
bt
monitor info devices
next
next
p ticks
