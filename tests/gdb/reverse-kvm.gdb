# KVM keeps no history: the reverse commands say where there is one, and it is there.
# guest: fibonacci
# engines: kvm
stepi
reverse-stepi
reverse-continue
monitor engine soft
stepi
stepi
reverse-stepi
reverse-stepi
reverse-stepi
