# `run` with another image's name: another guest in the same machine.
# guest: hello
# connect: extended-remote
# status: 0
set remote exec-file nonesuch
python
try: gdb.execute("run")
except gdb.error as e: print(e)
end
set remote exec-file pmode
starti
x/2i $pc
tbreak *0x102b
continue
x/2i $pc
detach
