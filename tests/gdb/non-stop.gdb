# Non-stop: each machine for itself. The second waits until it is attached to.
# guest: fibonacci counter
# connect: extended-remote
# before: set non-stop on
info threads
break next_number
continue
add-inferior
inferior 2
attach 2
info threads
continue
x/2i $pc
tbreak send
continue
info threads
thread 1.1
stepi
x/i $pc
info threads
kill inferiors 1 2
