# find and load: commands that move much memory.
# guest: hello
# status: 0
find /b 0x1000, 0x2000, 'H', 'e', 'l', 'l', 'o'
find 0x0, 0x3ffff, (int)0x12345678
load @BUILD@/guests/hello.elf
p $pc == _start
continue
