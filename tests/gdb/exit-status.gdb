# EXIT ends the process with the guest's status.
# guest: @BUILD@/tests/guests/steps.elf
# status: 7
break after_hlt
jump after_hlt
continue
p $_exitcode
