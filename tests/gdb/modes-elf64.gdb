# With a file given by the user that is elf64-x86-64, for a CPU that starts in real mode.
# needs: exec-bp objcopy
# guest: long64
# engines: kvm
# before: shell objcopy -O elf64-x86-64 @BUILD@/guests/long64.elf @FOLDER@/elf64
# before: file @FOLDER@/elf64
# status: 0
x/2i $pc
break long_entry
break protected_entry
continue
x/2i $pc
continue
x/2i $pc
p $rip == long_entry
continue
