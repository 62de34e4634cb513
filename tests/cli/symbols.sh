# Symbols that gdb loads by itself for an image that has none: of an ELF file of its name beside it,
# and of --symbols, where it was linked or where one says.
. "$TOP/tests/cli/lib.sh"
need_engine
need gdb
cd "$WORK" || exit 1

cat >boot.S <<'END'
 .code16
 .globl start, again
start: xor %ax, %ax
 mov $3, %cx
again: dec %cx
 jnz again
 cli
 hlt
 .org 510
 .word 0xaa55
END
gcc -m32 -g -c -o boot.o boot.S
link() { ld -m elf_i386 -Ttext "$2" -e start -o "$1" boot.o || fail "no $1"; } # NAME ADDRESS
link boot.elf 0x7c00
link zero.elf 0
objcopy -O binary -j .text boot.elf boot.img
cp boot.img other.img

session() { # WORDS for the program
    gdb_session "target remote | exec '$MINIKVM' ${CPU:+--cpu=$CPU} --gdb=- $*" 'break again' continue \
        'p $cx' 'info symbol $pc'
    expect_gdb '^Breakpoint 1 at 0x7c05: file boot.S, line 5'
    expect_gdb '^\$1 = 3'
    expect_gdb '^again in section .text'
}
session boot.img
session --symbols=boot.elf other.img
session --symbols=zero.elf@0x7c00 other.img
session --symbols boot.elf@31744 other.img

# a kernel's for 64-bit code, with debug information that takes hundreds of megabytes, and a loader's
# for other code: gdb hears of each where it can take it
printf '.globl print_wide\nprint_wide: ret\n' >wide.S
gcc -m64 -c -o wide.o wide.S && ld -Ttext 0x10f0 -e print_wide -o wide.elf wide.o || fail 'no wide.elf'
truncate -s 300M wide.elf
gdb_session "target remote | exec '$MINIKVM' ${CPU:+--cpu=$CPU} --gdb=- --symbols=wide.elf --symbols=boot.elf long64" \
    'info symbol 0x7c05' 'tbreak long_entry' continue 'info symbol 0x10f0' 'info symbol 0x7c05'
grep -q 'not compatible' gdb && fail 'gdb was given symbols of another word size'
expect_gdb '^again in section .text'
expect_gdb '^print_wide in section .text'
expect_gdb '^No symbol matches 0x7c05'

# what is no such file
refused() { # WORD MESSAGE
    run "--symbols=$1" other.img
    expect_status 125
    expect_out ''
    expect_err "$2"
}
refused nowhere 'nowhere: No such file or directory; check --symbols'
refused other.img 'other.img: not an ELF file'
refused boot.o 'boot.o: an ELF file that is '
refused boot.elf@0x7c00x 'boot.elf@0x7c00x: No such file'
run_bare --symbols= other.img
expect_status 2
# no other file is a client's
printf secret >secret.elf
gdb_session "target remote | exec '$MINIKVM' ${CPU:+--cpu=$CPU} --gdb=- --symbols=boot.elf other.img" \
    'remote get secret.elf got' "remote get $WORK/secret.elf got" "remote get $WORK/boot.elf got2"
[[ ! -s got ]] || fail 'a client has read a file that is no image'
cmp -s boot.elf got2 || fail 'a client cannot read a file with symbols'
finish
