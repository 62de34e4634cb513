# With a file given by the user: an exec comes at the first resume, and the breakpoint in the user
# program, whose list of libraries the exec empties, is hit all the same.
# guest: os-1k
# engines: soft
# before: file @BUILD@/os-1k/kernel.elf
info registers eip esp
p $cr0
python gdb.execute("tbreak shell_main", to_string=True)
continue
p $cr0
p $eip == shell_main
