# scripts/minikvm.py: next and nexti pass over a 16-bit call.
# needs: int3
# guest: segmented
# status: 0
source scripts/minikvm.py
tbreak segment_entry
continue
nexti 6
x/i $pc
nexti
info symbol $pc
monitor reset
maintenance flush register-cache
tbreak segment_entry
continue
next 7
info symbol $pc
