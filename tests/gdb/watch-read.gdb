# rwatch and awatch: exact on the built-in CPU and where debug registers fire; the
# address of the access is told.
# guest: @BUILD@/tests/guests/steps.elf
# needs: data-bp
rwatch *(char*)&source
awatch *(short*)&counter
continue
continue
