# title: Who wrote it?
# A guest dies on a page that was mapped a moment ago. Watch the page's entry and go
# back: the last write to it is the culprit, a thousand instructions earlier. (`make test-guests`
# builds the guest.)
# guest: @BUILD@/tests/guests/corrupt.elf
# engines: soft
continue
# The directory's second entry is zero, and nobody meant to write there.
monitor page 0x400000
watch *(int *) ((char *) &page_directory + 4)
# Back to the write.
reverse-continue
# A loop that clears a buffer. It is one entry too far.
info symbol $pc
x/i $pc
p $edi == (int) &page_directory + 4
p $ecx
# Before that write the page was there.
monitor page 0x400000
# The same watchpoint going forward.
continue
delete
reverse-continue
