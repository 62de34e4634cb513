# run under extended-remote starts the guest anew, as often as one likes.
# guest: hello
# connect: extended-remote
break done
continue
p/x $esi
run
p/x $esi
x/s &greeting
kill
info inferiors
run
info symbol $pc
