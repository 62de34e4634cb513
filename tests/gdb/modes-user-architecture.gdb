# `set architecture` of another word size before connecting: gdb rejects the description, and says so.
# It is not sent registers in a layout that it does not have, and goes on.
# guest: pmode
# engines: soft
# before: set architecture i386:x86-64
# status: 0
stepi
stepi
python gdb.execute("set architecture auto", to_string=True)
p $cs
tbreak protected_entry
continue
x/i $pc
continue
