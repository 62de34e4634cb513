# Four machines at once: paging and three real-mode guests, each an inferior.
# guest: paging hello counter fibonacci
# needs: paging32
info inferiors
info threads
break _start
stepi
thread 2.1
x/2i $pc
thread 3.1
x/2i $pc
thread 1.1
break enable_paging
continue
x/i $pc
thread 4.1
x/2i $pc
stepi
info threads
detach inferior 3
thread 2.1
delete
tbreak done
continue
info symbol $pc
info inferiors
kill inferiors 2 4
info inferiors
