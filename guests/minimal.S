// minimal: the smallest guest there is, one byte.
//
// The CPU starts in real mode, as at power-on: 16-bit code, no paging, and an
// address is segment * 16 + offset. All segments are 0, so IP, which starts at
// 0x1000, is the address. `hlt` waits for an interrupt; none can come, for IF is
// clear and there is no interrupt chip. The machine sees that and ends, status 0.

#include "abi.inc"

        .code16
        .text
FUNCTION _start
        hlt
END _start
