# Five watchpoints at once, of lengths that no debug register has.
# guest: @BUILD@/tests/guests/steps.elf
watch *(long long*)0x910
watch *(short*)&counter
watch *(char*)0x900
watch *(int*)0x901
watch *(int*)0x8f1
set var *(char*)0x900 = 5
continue
continue
