# scripts/minikvm.py: backtrace and finish in 16-bit code; tables with completion.
# guest: segmented
source scripts/minikvm.py
tbreak print
continue
bt
up
down
finish
info symbol $pc
mk tss
complete mk se
