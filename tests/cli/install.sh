# Installed, the program finds its guests and gdb their sources without the source
# tree; uninstalled, nothing is left.
. "$TOP/tests/cli/lib.sh"
need_engine
is_sanitized && skip "the same under a sanitizer: it builds the guests anew, and looks where they are"
for tool in make gcc ld objcopy; do command -v "$tool" >/dev/null || skip "this machine lacks: $tool"; done

prefix=$WORK/usr
make_install() {
    make -s -C "$TOP" BUILD="$BUILD" PROGRAM="$MINIKVM" INSTALLED="$WORK/installed" PREFIX="$prefix" "$1" >"$WORK/make" 2>&1 ||
        fail "make $1: $(cat "$WORK/make")"
}
make_install install
cd /
MINIKVM=$prefix/bin/minikvm
run hello
expect_status 0
expect_out_file "$EXPECTED/hello.out"

if has gdb; then
    gdb_session "target remote | '$MINIKVM' ${CPU:+--cpu=$CPU} --gdb=- pmode" 'list enter_protected' \
        'info source' kill
    expect_gdb 'enter_protected'
    expect_gdb "^Located in $prefix/share/minikvm/guests/pmode.S"
    gdb_session "target remote | '$MINIKVM' ${CPU:+--cpu=$CPU} --gdb=- bootsector.img" 'info symbol 0xf0080' kill
    expect_gdb "^bios_int_10 in section .text of target:$prefix/share/minikvm/bios.elf"
    gdb_session "target remote | '$MINIKVM' ${CPU:+--cpu=$CPU} --gdb=- os-1k" 'list kernel_main' 'info source' kill
    expect_gdb "^Located in $prefix/share/minikvm/os-1k/main.c"
    gdb_session "source $prefix/share/minikvm/minikvm.py" 'help mk'
    expect_gdb 'mk'
fi
[[ -s $prefix/share/man/man1/minikvm.1 ]] || fail "no manual page"

make_install uninstall
[[ ! -e $prefix ]] || left=$(find "$prefix" -mindepth 1)
[[ ! ${left-} ]] || fail "uninstall has left: $left"
finish
