# stepi over the far jump into protected mode; on a breakpoint, and on none.
# guest: pmode
# status: 0
display/i $pc
tbreak enter_protected
continue
stepi
stepi
info registers eip eflags
stepi
undisplay 1
continue
