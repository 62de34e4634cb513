# Source-level work in the kernel and in the user program: a breakpoint in ring 3 that
# was set before boot, step, next, finish, structs, arrays, and a backtrace.
# guest: os-1k
# engines: soft
# input: 5\n0\n
# status: 0
break shell_main
break timer_init
continue
bt
next
finish
continue
p/x $cs
next
step
bt
break trap
continue
print t->vector
print/x t->cs
print *current
print processes[1].name
finish
delete 3
break sieve
continue
finish
next
print count
print composite[0]@12
delete
continue
