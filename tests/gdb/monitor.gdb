# The monitor commands; an unknown one is answered, too.
# guest: hello
monitor help
monitor breakpoints
monitor phys
monitor phys on
x/2xb 0x1000
monitor phys maybe
monitor phys off
monitor step irqs
monitor step irqs on
monitor nonsense
monitor reset
