# Floating point backwards: the x87's stack and SSE's registers are those of then.
# guest: @BUILD@/tests/guests/fpu.elf
# engines: soft
break loaded
continue
p $st0
p $xmm1.v2_int64[0]
reverse-stepi
p $ftag
reverse-stepi
reverse-stepi
p $xmm1.v2_int64[0]
p $ftag
continue
p $st0
p $xmm1.v2_int64[0]
set var $st0 = 0.25
set var $mxcsr = 0x1f00
p $st0
p $mxcsr
monitor icount
