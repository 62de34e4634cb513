# Least privilege: what code that has broken into minikvm could still do, asked by system
# calls that are made in the live process; and what a client can.
. "$TOP/tests/cli/lib.sh"
need_engine
is_sanitized && skip "a sanitizer has calls of its own"
[[ $("$MINIKVM" --help) == *--sandbox* ]] || fail "no --sandbox in --help"
cd "$WORK" || exit 1
INJECT=$BUILD/tests/inject

walls() { grep -h "^$1:" /proc/"$pid"/task/*/status | sort -u | cut -f2; }
mkdir folder .hidden
cp "$BUILD/guests/minimal.elf" folder/image.elf
cp "$BUILD/guests/minimal.elf" image.elf
echo text >victim
chmod 666 victim folder/image.elf image.elf
serve --gdb=0 --sandbox=on folder/image.elf ./image.elf
[[ $(walls Seccomp) == 2 ]] || skip "this kernel has no seccomp filter"
[[ $(walls NoNewPrivs) == 1 ]] || fail "a thread may gain privileges"
"$INJECT" "$pid" 39 >pid || skip "processes cannot be attached to here"
[[ $(<pid) == "$pid" ]] || fail "getpid in the process: $(<pid)"

# a service of this computer, and a server of ours that listens
mkfifo service
python3 -c 'import socket, sys
s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True); s.accept()' >service 2>/dev/null &
service=$!
servers+=("$service")
read -r there <service
there=:$there
for fd in /proc/"$pid"/fd/*; do [[ $(readlink "$fd") == socket:* ]] && { listener=${fd##*/}; break; }; done

# refused WHAT NUMBER ARGUMENT...
refused() {
    local what=$1 got
    shift
    got=$("$INJECT" "$pid" "$@")
    [[ ${got%% *} == -1 || ${got%% *} == -13 ]] || fail "not refused: $what: $got"
}
O_CREAT=0x40 O_EXCL=0x80 O_TRUNC=0x200
refused "reading a file elsewhere" 257 -100 "'/etc/passwd" 0
refused "reading it by open()" 2 "'/etc/passwd" 0
refused "its own memory's file" 2 "'/proc/self/mem" 2
refused "a folder's list" 257 -100 "'$WORK/folder" 0x10000
for file in folder/image.elf image.elf victim "$WORK/image.elf" "$WORK/victim"; do
    for how in 1 2 0x201 0x202 0x401 0x402; do refused "writing $file" 257 -100 "'$file" $how; done
done
for file in new .hidden/new folder/new "$WORK/new" Makefile ../escaped new.replay; do
    for how in 0x41 0x42 0xc1 0x2c1; do
        refused "making $file" 257 -100 "'$file" $how 0644
        refused "making $file with set-uid" 2 "'$file" $how 04755
    done
done
refused "an unnamed file" 257 -100 "'." 0x410002 0600
refused "a handle without a right" 257 -100 "'/etc/shadow" 0x200000
refused "openat2" 437 -100 "'/etc/passwd" @24 24
refused "unlink" 87 "'victim"
refused "unlinkat" 263 -100 "'victim" 0
refused "rename" 82 "'victim" "'gone"
refused "link" 86 "'victim" "'second"
refused "chmod" 90 "'victim" 0777
refused "truncate" 76 "'victim" 0
refused "stat" 4 "'/etc/shadow" @200
refused "lstat" 6 "'/etc/shadow" @200
refused "newfstatat" 262 -100 "'/etc/shadow" @200 0
refused "statx" 332 -100 "'/etc/shadow" 0 0xfff @256
refused "access" 21 "'/etc/shadow" 0
refused "faccessat" 269 -100 "'/etc/shadow" 0
refused "readlink" 89 "'/proc/self/exe" @200 200
refused "getcwd" 79 @200 200
refused "chdir" 80 "'/"
refused "a socket" 41 2 1 0
refused "a pair of sockets" 53 1 1 0 @8
refused "bind" 49 "$listener" "$there" 16
refused "listen" 50 "$listener" 5
refused "shutdown for reading" 48 "$listener" 0
refused "shutdown for both" 48 "$listener" 2
refused "connect" 42 "$listener" "$there" 16
refused "sendto with an address" 44 "$listener" "'hello" 5 0 "$there" 16
refused "sendto that connects" 44 "$listener" "'hello" 5 0x20000000 "$there" 16
refused "MSG_FASTOPEN without an address" 44 "$listener" "'hello" 5 0x20000000 0 0
refused "sendmsg" 46 "$listener" @56 0x20000000
refused "TCP_FASTOPEN_CONNECT" 54 "$listener" 6 30 "'1111" 4
refused "SO_REUSEPORT" 54 "$listener" 1 15 "'1111" 4
refused "a signal to another process" 62 "$$" 0
refused "a signal to another's thread" 234 "$$" "$$" 0
refused "tkill" 200 "$$" 0
refused "a process descriptor" 434 "$$" 0
refused "another process's memory" 310 "$$" @16 1 @16 1 0
refused "ptrace" 101 16 "$$" 0 0
refused "fork" 57
refused "clone" 56 17 0 0 0 0
refused "a program" 59 "'/bin/true" 0 0
refused "memory that is executed" 9 0 4096 7 0x22 -1 0
refused "memory that becomes executable" 10 0x10000 4096 5
refused "memfd" 319 "'x" 0
refused "io_uring" 425 8 @128
refused "bpf" 321 0 @128 128
refused "prctl" 157 4 1
kill -0 "$service" 2>/dev/null || fail "the service was reached"
[[ $(<victim) == text ]] || fail "a file was changed"
for file in new Makefile new.replay .hidden/new folder/new ../escaped gone second; do
    [[ -e $file ]] && fail "a file was made: $file"
done
# what it needs is there
allowed() {
    local what=$1 got
    shift
    got=$("$INJECT" "$pid" "$@")
    [[ ${got%% *} -ge 0 ]] || fail "refused: $what: $got"
}
allowed "reading the image" 257 -100 "'$WORK/folder/image.elf" 0
allowed "a signal to itself" 234 "$pid" "$pid" 0
allowed "its size" 5 0 @200
kill "$service"

# It still serves; and what a client may ask for is as small.
if has gdb; then
    gdb_session "target extended-remote $address" "monitor save $WORK/run" \
        'set remote exec-file /etc/passwd' run 'set remote exec-file hello' run 'kill inferiors 2'
    expect_gdb 'without /, or start it with --sandbox=off'
    expect_gdb 'Running "/etc/passwd" on the remote target failed|^/etc/passwd is neither an image'
    kill "$pid" 2>/dev/null
    end_of_server
    expect_out 'Hello, KVM!\n'
else
    kill "$pid"
    end_of_server
fi

serve --gdb=0 --sandbox=off minimal
[[ $(walls Seccomp) == 0 ]] || fail "--sandbox=off has a filter"
kill "$pid"
end_of_server

# What it cannot get is told, and is no reason to go on without.
run_open() { (ulimit -n "$1"; "$MINIKVM" --cpu=soft minimal </dev/null >out 2>err); status=$?; ran="minikvm with $1 files"; }
for most in 4 5 6 7 8 9 10; do
    run_open $most
    [[ $status == 0 ]] || expect_err '^minikvm: .*([Tt]oo many open files|No file descriptors available)' # glibc, musl
done

# Runs are saved where minikvm was started: new files, with a suffix, few.
has soft && has gdb || finish
mkdir saves
cd saves || exit 1
CPU=soft serve "--gdb=unix:$WORK/s" minimal
gdb_session "target remote $address" stepi 'monitor save run' 'monitor save run.replay' 'monitor save .profile' \
    'monitor save -x' 'monitor save GNUmakefile' 'monitor save ../up' "monitor save $(printf 'x%.0s' {1..120})" \
    'monitor save a b' detach
expect_gdb '^saved; minikvm --replay=run.replay IMAGE'
expect_gdb 'cannot save: run.replay: File exists'
[[ $(grep -c 'letters and digits' "$WORK/gdb") == 5 ]] || fail "names: $(cat "$WORK/gdb")"
[[ $(ls -A) == GNUmakefile.replay$'\n'run.replay ]] || fail "saved: $(ls -A)"
kill "$pid"
end_of_server
[[ -e $WORK/s ]] && fail "the socket is left behind"
CPU= run_bare --cpu=soft --replay=run minimal # named as it was saved
expect_status 0
CPU=soft serve "--gdb=unix:$WORK/s" minimal
words=()
for n in {1..70}; do words+=("monitor save n$n"); done
gdb_session "target remote $address" stepi "${words[@]}" detach
expect_gdb 'no more may be'
[[ $(ls | wc -l) == 66 ]] || fail "not 64 more: $(ls | wc -l)"
kill "$pid"
end_of_server
finish
