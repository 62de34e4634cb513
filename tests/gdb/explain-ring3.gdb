# monitor explain and info at the way to ring 3 and back.
# guest: ring3
# engines: soft
break enter_user
continue
stepi 8
monitor explain
monitor info tss
monitor info segments
monitor info cpus
monitor info devices
monitor info nonsense
