# Back from within a repeated instruction: to its beginning, and no further.
# guest: @BUILD@/tests/guests/steps.elf
# engines: soft
watch *((char*)&target + 3)
continue
p $cx
info symbol $pc
reverse-stepi
p $cx
info symbol $pc
continue
p $cx
reverse-continue
p $cx
info symbol $pc
delete
break *$pc
stepi
info symbol $pc
watch *((char*)&target + 3)
reverse-continue
p $cx
reverse-continue
info symbol $pc
monitor goto end
maintenance flush register-cache
p $cx
info symbol $pc
monitor when-mode
