# Two breakpoints at one address, one soft and one hard, each with its own condition.
# guest: counter
# status: 0
set breakpoint condition-evaluation target
break send if $ebx == 0x35
hbreak send if $ebx == 0x33
continue
p $ebx
continue
p $ebx
continue
