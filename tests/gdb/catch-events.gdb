# monitor catch: exact stops at mode switches, exceptions, CR3, interrupts.
# guest: paging
# engines: soft auto
monitor catch nonsense
monitor catch mode
continue
p $cpumode
continue
p $cpumode
monitor catch off
monitor catch cr3
continue
p $cr3
monitor catch off
monitor catch exception 14
monitor catch exception 999
monitor catch
continue
info symbol $pc
monitor catch off
