# What a run of the 1K OS may print differently: time, and memory, which goes
# with the size of the kernel.
s/^Uptime: .* ticks)$/Uptime: N s (N ticks)/
s/[0-9][0-9]* KiB free$/N KiB free/
s/^Free memory: [0-9]* KiB$/Free memory: N KiB/
