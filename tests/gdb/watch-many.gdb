# Five watchpoints at once, of lengths that no debug register has.
# guest: @BUILD@/tests/guests/steps.elf
watch *(long long*)&target
watch *(short*)&counter
watch *(char*)0x900
watch *(int*)0x901
watch *(int*)0x8f1
continue
continue
continue
