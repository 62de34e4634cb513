# Where reads cannot be seen, the watchpoint is refused with the reason.
# guest: hello
# engines: kvm
# needs: no-data-bp
rwatch *(char*)&greeting
continue
