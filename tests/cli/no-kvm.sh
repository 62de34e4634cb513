# Without /dev/kvm, or without the right to open it: --cpu=kvm says how to get it,
# and --cpu=auto goes on with the built-in CPU. The real device is not touched: the
# program sees a /dev of its own, in a mount namespace.
. "$TOP/tests/cli/lib.sh"
[[ $CPU != soft ]] || skip "about KVM; --cpu=soft is asked for"

# in_private WORD...: as root of a namespace with an empty /dev. The user's own
# namespaces do for someone who is not root, where the system allows it.
spaces=(unshare --mount)
[[ $(id -u) == 0 ]] || spaces=(unshare --user --map-root-user --mount)
private=(mount -t tmpfs tmpfs /dev)
"${spaces[@]}" "${private[@]}" 2>/dev/null || skip "no mount namespaces for this user"

cat >"$WORK/private" <<'END'
before=$1
shift
exec 3</dev/null
mount -t tmpfs tmpfs /dev || exit 99
eval "$before"
exec "$@" <&3
END
run_private() { # run_private BEFORE WORD...
    local before=$1
    shift
    ran="minikvm $* (after $before)"
    "${spaces[@]}" bash "$WORK/private" "$before" "$MINIKVM" "$@" >"$WORK/out" 2>"$WORK/err"
    status=$?
}

run_private : --cpu=kvm hello
expect_status 125
expect_out ''
expect_messages
expect_err 'cannot open /dev/kvm: No such file or directory; load the module \(modprobe kvm-intel or kvm-amd'

run_private : --cpu=kvm --stats --screenshot="$WORK/shot" hello # of a machine that is not there
expect_status 125
expect_messages

# there, but closed: nobody may pass, not even root, a file that is a directory's;
# as an ordinary user mode 000 does
if [[ $(id -u) == 0 ]] && command -v setpriv >/dev/null; then
    closed=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    cp "$MINIKVM" "$WORK/minikvm"
    cp "$BUILD/guests/hello.elf" "$WORK/hello.elf"
    chmod 755 "$WORK" "$WORK/minikvm"
    chmod 644 "$WORK/hello.elf"
    # refused BEFORE ADVICE: as nobody, after BEFORE has made the device
    refused() {
        ran="minikvm --cpu=kvm hello (as nobody, after $1)"
        "${spaces[@]}" bash "$WORK/private" "$1" "${closed[@]}" \
            "$WORK/minikvm" --cpu=kvm "$WORK/hello.elf" >"$WORK/out" 2>"$WORK/err"
        status=$?
        expect_status 125
        expect_messages
        expect_err "^minikvm: .*cannot open /dev/kvm: Permission denied; $2"
    }
    refused ': >/dev/kvm; chmod 660 /dev/kvm; chgrp 12 /dev/kvm' 'join the group that owns it \(sudo usermod -aG '
    refused ': >/dev/kvm; chmod 600 /dev/kvm; chgrp 12 /dev/kvm' "it is root's alone here: .*sudo chgrp GROUP /dev/kvm"
    refused ': >/dev/kvm; chmod 660 /dev/kvm' "it is root's alone here: .*sudo chgrp GROUP /dev/kvm"
fi

# something else of that name
run_private ': >/dev/kvm' --cpu=kvm hello
expect_status 125
expect_messages

run_private : hello
if has soft; then
    expect_status 0
    expect_out_file "$EXPECTED/hello.out"
else
    expect_status 125
    expect_err '/dev/kvm'
fi
finish
