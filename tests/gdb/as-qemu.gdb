# What users of QEMU type: its monitor's commands, and the packets of its stub.
# guest: pmode
# status: 0
monitor info mem
monitor info tlb
monitor info pic
monitor x/4xb 0x1000
monitor xp/2xw 0x1000
monitor x /3dh 0x1000
monitor x/8c 0x1000
monitor x $eip
monitor x/2i 0x1000
monitor xp/4xw 0xfff00000
monitor stop
monitor cont
maintenance packet qqemu.PhyMemMode
maintenance packet Qqemu.PhyMemMode:1
monitor phys
maintenance packet Qqemu.PhyMemMode:2
maintenance packet Qqemu.PhyMemMode:0
maintenance packet qqemu.PhyMemMode
maintenance packet qqemu.sstepbits
maintenance packet qqemu.sstep
maintenance packet Qqemu.sstep=0x5
monitor step irqs
maintenance packet qqemu.sstep
maintenance packet Qqemu.sstep=0x7
maintenance packet qGDBServerVersion
maintenance packet qXfer:threads:read::0,1000
info threads
monitor system_reset
stepi
monitor nonsense
tbreak protected_entry
continue
