# The same out of an interrupt handler that has pushed something.
# guest: @BUILD@/tests/guests/steps.elf
# needs: exec-bp
source scripts/minikvm.py
break handler6
continue
bt
stepi 2
bt
