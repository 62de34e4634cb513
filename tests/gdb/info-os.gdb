# Tables without a script: info os.
# guest: pmode
# needs: exec-bp
# status: 0
info os
info os segments
tbreak protected_entry
continue
info os gdt
continue
