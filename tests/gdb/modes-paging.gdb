# Mode following, 16 to 32 bits and into paging: displays, breakpoints and watchpoints live on.
# guest: paging
# needs: paging32
# status: 0
x/3i $pc
break protected_entry
break enable_paging
tbreak higher_half
display/i $pc
continue
x/2i protected_entry
delete 1
continue
stepi
info breakpoints
continue
delete
undisplay 1
continue
