# monitor screen in the past: what the screen showed there.
# guest: @BUILD@/tests/guests/screen.elf
# engines: soft
break bare
continue
monitor screen
break put
reverse-continue
monitor screen
