# A watchpoint on a variable in real mode, whatever this KVM can do for it.
# guest: @BUILD@/tests/guests/steps.elf
watch *(short*)&counter
continue
continue
continue
info symbol $pc

