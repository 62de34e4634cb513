# Paging: the directory as it is built, the walk before and after CR0.PG, and a
# breakpoint in the higher half that was set before there was one.
# guest: os-1k
# engines: soft
break higher_half
break build_page_directory
continue
finish
x/4xw &page_directory
monitor page 0x80000000
break enable_paging
continue
p $cr3
p $cr4
monitor page 0x80000000
stepi
p $cr0
monitor page 0x80000000
continue
p $pc > 0x80000000
info symbol $pc
tbreak kernel_main
continue
monitor info pages
