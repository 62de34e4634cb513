# title: Booting from a CD
# A CD has no boot sector: its boot catalog says what is loaded, and where (El Torito). minikvm says it in a line when it
# starts. The image's symbols come from cd.elf beside it.
# guest: cd.iso
# engines: soft
# output: volume: A CD BYTE BY BYTE\nHello from a file on a CD!\n
# The first instruction of the program on the CD. DL tells it which drive it comes from: E0, a CD.
x/i $pc
p/x $edx
# It reads block 16, which says what the CD is called, and where its root directory is.
break read_block
continue
p $eax
break *read_block+13
continue
x/i $pc
# The call that comes next, in words:
monitor explain
x/2xw 0x8000
stepi
# The BIOS has read: CD001. 28 bytes further on begins the name; further down is the root directory's entry.
x/s 0x8001
x/17c 0x8028
p *(int *)(0x8000 + 156 + 2)
# Back over the read: memory is as it was.
reverse-stepi
x/2xw 0x8000
# On to the directory, and to the entry that was looked for.
delete
break found
continue
x/11c $esi+33
p *(int *)($esi+2)
# Two blocks of it were read so far, of four sectors each.
monitor disks
delete
continue
