# detach lets the guest run to its end.
# guest: hello
# output: Hello, KVM!\n
# status: 0
break next_character
continue
detach
