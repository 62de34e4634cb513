# The command line: what is asked for is printed on stdout, what is wrong is said
# on stderr in one line with what would be right, and the status is 2.
. "$TOP/tests/cli/lib.sh"

run_bare --help
expect_status 0
expect_quiet
grep -q '^usage: minikvm ' "$WORK/out" || fail "--help has no usage"
for option in --cpu --cpuid --gdb --gdb-nowait --mem --load --entry --mode --rom --irqchip --color \
              --verbose --log --list-packets --stats --version --help --man; do
    grep -Eq -- "^  $option([=[ ]|$)" "$WORK/out" || fail "--help does not know $option"
done
[[ $(awk '{ if (length > n) n = length } END { print n }' "$WORK/out") -le 120 ]] || fail "--help is too wide"

run_bare --version
expect_status 0
grep -Eqx 'minikvm [0-9][0-9.]*' "$WORK/out" || fail "--version: $(cat "$WORK/out")"

run_bare --man
expect_status 0
grep -q '^\.TH MINIKVM 1 ' "$WORK/out" || fail "--man is no manual page"
for section in NAME SYNOPSIS DESCRIPTION OPTIONS KEYS DEBUGGING 'BACK IN TIME' 'EXIT STATUS' FILES EXAMPLES; do
    grep -qx "\.SH $section" "$WORK/out" || fail "--man has no section $section"
done
for option in $("$MINIKVM" --help | grep -oE '^  --[a-z-]+'); do
    grep -qF ".B ${option//-/\\-}" "$WORK/out" || fail "--man does not know $option"
done
if command -v man >/dev/null && man -l /dev/null >/dev/null 2>&1; then
    man --warnings -l "$WORK/out" >/dev/null 2>"$WORK/warnings"
    [[ -s $WORK/warnings ]] && fail "--man: $(cat "$WORK/warnings")"
fi

# wrong WORD... -- MESSAGE
wrong() {
    local words=()
    while [[ $1 != -- ]]; do words+=("$1"); shift; done
    run_bare "${words[@]}"
    expect_status 2
    expect_out ''
    expect_messages
    expect_err "$2"
}
wrong -- 'no image'
wrong --nonsense hello -- '--nonsense: no such option; see minikvm --help'
wrong -x hello -- '-x: no such option'
wrong --mem -- '--mem needs a value: SIZE'
wrong hello --cpu -- '--cpu needs a value: auto\|kvm\|soft'
wrong --stats=yes hello -- '--stats takes no value'
wrong --log=packets,birds hello -- '--log=packets,birds: .*packets,exits'
wrong --log=packets hello -- '--log=packets: .*--gdb'
wrong --log hello -- '--log=hello: '
wrong --verbose=1 hello -- '--verbose takes no value'
wrong --gdb-nowait=1 hello -- '--gdb-nowait takes no value'
wrong --cpu=qemu hello -- '--cpu=qemu.*auto\|kvm\|soft'
wrong --cpuid=smep hello -- '--cpuid=smep.*\+NAME,-NAME'
wrong --cpuid=+nx,+nothing hello -- '--cpuid.*\+NAME,-NAME'
wrong --irqchip=maybe hello -- '--irqchip=maybe.*auto\|none\|on'
wrong --color=red hello -- '--color=red.*auto\|always\|never'
wrong --mode=virtual hello -- '--mode=virtual.*real\|protected\|long'
wrong --gdb= hello -- '--gdb=.*\[HOST:\]PORT'
wrong --rom= -- '--rom=.*FILE'
for value in '' 0 -1 1 63K 65537 1.5M 12Q 4G 1T 0x M ' 1M' 99999999999999999999; do
    wrong "--mem=$value" hello -- "--mem=.*64K to 3G"
done
for value in '' x 0x -1 1K 0xc0000000; do
    wrong "--load=$value" hello -- '--load=.*ADDR'
done
for value in '' x 0x -1 main; do
    wrong "--entry=$value" hello -- '--entry=.*ADDR'
done
finish
