# scripts/minikvm.py: frames in 32-bit code whose CS has a base, by linear addresses.
# needs: int3
# guest: @BUILD@/tests/guests/based.elf
# status: 1
source scripts/minikvm.py
break inner
continue
bt
finish
info symbol $pc
p *(int *)&variable
tbreak protected
monitor reset
maintenance flush register-cache
continue
nexti
nexti
nexti
nexti
nexti
delete
nexti
p (int)$pc == (int)protected + 20
continue
