# title: Paging
# The page directory as it is built, the walk of one address before and after CR0.PG,
# and a breakpoint in the higher half that was set before there was a higher half.
# guest: os-1k
# engines: soft
# The kernel is linked at 0x80100000. Nothing is there yet, and the breakpoint is taken
# all the same: it is kept by address.
break higher_half
break build_page_directory
continue
# When the function has returned, the directory is there: four pages of 4 MiB, one to
# one.
finish
x/4xw &page_directory
# Paging is off, so that a linear address is a physical one.
monitor page 0x80000000
break enable_paging
continue
p $cr3
p $cr4
monitor page 0x80000000
# This sets CR0.PG. The same address is now looked up in the directory, and the walk
# says what each level holds.
stepi
p $cr0
monitor page 0x80000000
# The breakpoint from the beginning.
continue
p $pc > 0x80000000
info symbol $pc
# The kernel drops the one-to-one pages before kernel_main. What is mapped then:
tbreak kernel_main
continue
monitor info pages
