# Conditions on flags, enums and segment bases are evaluated in the stub by their plain
# integers, those on parts of a register by a cast: in every mode, and rightly.
# guest: pmode
# status: 0
set breakpoint condition-evaluation target
break enter_protected if $cr0_value == 0 || $cpumode_value != 0 || $cs_base == 1
break enter_protected if $cr0_value == 0x10 && ($eflags_value & 2) && $efer_value == 0
break protected_entry if ($cr0_value & 1) && $cpumode_value == 3 && (short)$eax == 0x11 && (unsigned char)$eax == 0x11
break *((long)protected_entry+4) if $dr7_value == 0x400 && $cr3_value == 0 && $cr4_value == 0 && $mxcsr_value == 0x1f80
continue
p $cr0_value
p/x $eflags_value & 2
continue
p $cpumode
continue
p/x $dr7_value
info breakpoints
set $cr0_value = $cr0_value | 4
p $cr0
set $cr0_value = $cr0_value & ~4
p $cr0
p $fs_base
set $fs_base = 0x1234
p $fs_cache.base
continue
