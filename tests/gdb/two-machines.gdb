# Each machine is an inferior with symbols of its own.
# guest: hello counter
info threads
info inferiors
break done
continue
inferior 2
info symbol $pc
stepi
info threads
