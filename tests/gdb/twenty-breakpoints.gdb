# Many more breakpoints than there are debug registers, and each is hit.
# guest: @BUILD@/tests/guests/steps.elf
# needs: exec-bp
break at_int
break after_int
break after_int3
break at_into
break after_into
break at_ud
break after_ud
break at_rep
break after_rep
break after_pushf
break at_popf
break after_popf
break at_movss
break after_popss
break at_sti
break after_sti
break at_out
break after_in
break after_call
break at_hlt
continue
continue
continue
continue
continue
continue
continue
continue
continue
continue
continue
continue
continue
continue
continue
continue
continue
continue
continue
continue
continue
info breakpoints
