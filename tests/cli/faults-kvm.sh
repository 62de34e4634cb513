# The same as cli/faults, on KVM.
. "$TOP/tests/cli/lib.sh"
need_engine
is_sanitized && skip "a sanitizer has calls of its own"
[[ $(ldd "$MINIKVM" 2>/dev/null) == *ld-musl* ]] && skip "musl does not let its calls be intercepted"
{ has kvm && [[ ! $CPU || $CPU == kvm ]]; } || skip "KVM is not there, or not asked for"
python3 "$TOP/tests/faults/faults.py" "$MINIKVM" "$BUILD/tests/faults.so" kvm >"$WORK/faults" ||
    fail "$(grep -e FAULT= -e passed "$WORK/faults")"
finish
