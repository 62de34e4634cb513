# A stepi that changes the mode and ends at a breakpoint: the breakpoint is told.
# guest: pmode
# status: 0
break enter_protected
break protected_entry
continue
stepi
stepi
info breakpoints
continue
