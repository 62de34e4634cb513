# A description given by the user (QEMU's, for real mode): the general registers are those of the
# CPU, of the others it is not said which is which, and nothing floods.
# guest: pmode
# engines: soft
# before: set tdesc filename tests/gdb/user-tdesc.xml
# before: set architecture i8086
x/2i $pc
p $cr0
python
try:
    gdb.execute("set $cr0 = 0x10")
except gdb.error as e:
    print("refused")
end
tbreak enter_protected
continue
stepi
stepi
p $eip
p $eflags & 0x200
unset tdesc filename
p $cr0
stepi
x/i $pc
