# Who wrote it? The guest dies on a page that was mapped. Watch the page's entry and
# go back: the last write to it is the culprit, a thousand instructions earlier.
# guest: @BUILD@/tests/guests/corrupt.elf
# engines: soft
continue
monitor page 0x400000
watch *(int *) ((char *) &page_directory + 4)
reverse-continue
info symbol $pc
x/i $pc
p $edi == (int) &page_directory + 4
p $ecx
monitor page 0x400000
continue
delete
reverse-continue
