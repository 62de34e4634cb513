# A real-mode guest with CS base 0x10000, by symbol: eip is CS base + IP.
# guest: segmented
# status: 0
info symbol $pc
break print
continue
p $pc == print
p/x $cs
p/x $raw_ip
p/x $eip
p/x $esp - $raw_sp
x/i $pc
stepi
p/x $raw_ip
delete
continue
