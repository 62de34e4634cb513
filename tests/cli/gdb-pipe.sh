# gdb behind a pipe: what would be on stderr comes by the protocol, and stderr is closed,
# since gdb looks there before each character of an answer while it is open.
. "$TOP/tests/cli/lib.sh"
need_engine
need gdb

stderr_of_child='python import os; me = os.getpid(); print("stderr is", *(os.readlink(f"/proc/{pid}/fd/2") for pid in open(f"/proc/{me}/task/{me}/children").read().split()))'
pipe="target remote | exec '$MINIKVM' ${CPU:+--cpu=$CPU} --gdb=-"

gdb_session "$pipe hello" "$stderr_of_child" continue
expect_gdb 'stderr is pipe'
expect_gdb '^Hello, KVM!'
expect_gdb 'exited normally'

# a great deal, more than any buffer on the way holds; nothing is lost
cat >"$WORK/prints.S" <<'END'
 .code16
 .globl _start
_start: mov $40000, %cx
l: mov $0xe9, %dx
 mov $'a', %al
 out %al, %dx
 mov $'\n', %al
 out %al, %dx
 loop l
 hlt
END
gcc -m32 -c -o "$WORK/prints.o" "$WORK/prints.S" &&
    ld -m elf_i386 -Ttext=0x1000 -o "$WORK/prints" "$WORK/prints.o" || fail "no guest"
gdb_session "$pipe '$WORK/prints'" continue
[[ $(grep -c '^a$' "$WORK/gdb") == 40000 ]] || fail "$(grep -c '^a$' "$WORK/gdb") lines of 40000"
grep -q 'were lost' "$WORK/gdb" && fail "text was lost"

# the last line of each of several, without an end
printf '\xb0A\xe6\xe9\xb0\x03\xe6\xf4' >"$WORK/one" # out 0xe9, 'A'; exit with 7
printf '\xb0B\xe6\xe9\xb0\x03\xe6\xf4' >"$WORK/two"
gdb_session "$pipe '$WORK/one' '$WORK/two'" continue 'inferior 2' continue
expect_gdb '^A'
expect_gdb '^B'

# what is told of each exit is too much for that: it stays on stderr
printf '\xb0\x42\xe6\x80\xf4' >"$WORK/post" # out 0x80, 0x42; hlt
gdb_session "$pipe --verbose '$WORK/post'" continue
expect_gdb '^minikvm: .*42'

# non-stop has no text in the protocol: stderr stays, and so with what comes after gdb
gdb_session 'set non-stop on' "$pipe hello" "$stderr_of_child" continue
expect_gdb 'stderr is socket'
expect_gdb 'Hello, KVM!'
gdb_session "$pipe --stats hello" "$stderr_of_child" continue
expect_gdb 'stderr is socket'
finish
