# The symbols of the ROM are there while 16-bit code runs: in real mode, and when it is back.
# guest: pmode
# engines: soft
info symbol 0xf0098
tbreak protected_entry
continue
info symbol 0xf0098
info sharedlibrary
reverse-stepi
info symbol 0xf0098
kill
