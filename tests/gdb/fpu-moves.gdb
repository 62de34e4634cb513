# The FPU's registers go along when the engine changes, both ways; each engine goes on with them.
# guest: @BUILD@/tests/guests/fpu.elf
# engines: kvm
break unused
break used
break loaded
continue
set var $st2 = 0.5
set var $xmm7.v4_float[3] = 1.25
monitor engine soft
p $st2
p $xmm7.v4_float[3]
continue
p/x $xmm1.v2_int64[0]
continue
p $st0
monitor engine kvm
p/x $xmm1.v2_int64[0]
p $xmm7.v4_float[3]
p $st0
p $st3
p $fstat
p $mxcsr
