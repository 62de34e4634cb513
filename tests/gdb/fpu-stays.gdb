# The built-in CPU has no FPU: a guest that uses KVM's stays there, and is not changed.
# guest: @BUILD@/tests/guests/fpu.elf
# engines: kvm
break unused
break used
continue
monitor engine soft
continue
monitor engine soft
p/x $xmm1.v2_int64[0]
