# break and hbreak at symbols in 16-bit code.
# guest: hello
# output: Hello, KVM!\n
# status: 0
break next_character
hbreak done
continue
p (char*)$esi - (char*)&greeting
continue
p $al
delete 1
continue
info symbol $pc
x/s &greeting
continue
