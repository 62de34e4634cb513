# Ports and hypercalls are caught on any engine.
# guest: hctest
monitor catch hypercall
continue
continue
info line
monitor catch off
monitor catch port 0x500
continue
