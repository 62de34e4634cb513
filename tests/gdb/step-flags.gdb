# pushf never shows the TF of a single step; popf, mov ss, pop ss and sti are one
# instruction each.
# needs: exec-bp
# guest: @BUILD@/tests/guests/steps.elf
break after_rep
continue
stepi
p/x *(short*)$sp
stepi
stepi
stepi
info symbol $pc
stepi
stepi
info symbol $pc
stepi
stepi
info symbol $pc
stepi
p/x *(short*)$sp
stepi
stepi
info symbol $pc
p $eflags
