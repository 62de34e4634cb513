# Across CR0.PG: breakpoints set before the page is mapped, the fault handler.
# guest: paging
# needs: paging32 exec-bp
# status: 0
break higher_half
break page_fault_handler
break enable_paging
continue
p $cr0
stepi
p $cr0
p $cr3
continue
p $pc > 0x80000000
continue
p/x $cr2
x/i $pc
delete
continue
