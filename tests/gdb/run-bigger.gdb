# `run` with an image that wants more memory: the machine gets it, and monitor commands work.
# guest: hello
# connect: extended-remote
# engines: soft
set remote exec-file os-1k
starti
monitor icount
x/i $pc
monitor reset
x/i $pc
set remote exec-file nonesuch
python
try: gdb.execute("run")
except gdb.error as e: print(e)
end
set remote exec-file hello
starti
x/i $pc
kill
