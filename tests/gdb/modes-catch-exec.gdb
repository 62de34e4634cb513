# `catch exec` stops at a change of mode, and what comes next is the user's.
# guest: pmode
# status: 0
catch exec
tbreak protected_entry
continue
x/2i $pc
stepi
x/i $pc
continue
