# Registers and memory can be written; eip is linear, raw_ip is what the CPU has.
# guest: hello
# output: Hallo, KVM!\n
# status: 0
set var *((char*)&greeting + 1) = 'a'
x/s &greeting
set $ebx = 0x12345678
p/x $ebx
p/x $bl
set $xmm0.v4_int32[1] = 7
p $xmm0.v4_int32
p/x $mxcsr
set $dr0 = 0x1234
p $dr0
continue
