# The engine can be changed by hand between two instructions; nothing is lost.
# guest: fibonacci
# engines: kvm
# output: Fibonacci: 0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377\n
# status: 0

stepi 3
monitor engine soft
p/x $eip
stepi
stepi
monitor engine kvm
stepi
continue
