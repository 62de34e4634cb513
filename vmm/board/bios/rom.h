/* Where things are in the ROM (rom.S, which includes this, too). Offsets are in segment
 * ROM_SEGMENT. */
#ifndef MINIKVM_ROM_H
#define MINIKVM_ROM_H

#define ROM_SEGMENT 0xf000
#define ROM_BASE    0xf0000
#define ROM_SIZE    0x10000
#define ROM_PORT    0xb8 /* private: no device of a PC is there */

/* Services beside the vectors, by the number of their stub. */
#define ROM_RESET 0x100 /* the machine begins anew */
#define ROM_BOOT  0x101 /* a drive is booted */
#define ROM_STUBS 0x102
#define ROM_STUB_SIZE 8
#define ROM_STUB_OUT  2 /* behind its first OUT */
#define ROM_STUB_WAIT 3 /* its STI */
#define ROM_STUB_AGAIN 7 /* behind its second OUT */

/* Further code, and behind a hook's OUT. */
#define ROM_END        0x900
#define ROM_EOI        0x910
#define ROM_EOI2       0x920
#define ROM_TICK_HOOK  0x930
#define ROM_ALARM_HOOK 0x940
#define ROM_BREAK_HOOK 0x950
#define ROM_PRINT_HOOK 0x960
#define ROM_KEY_HOOK   0x970
#define ROM_SPIN       0x980 /* of INT 15h */
#define ROM_MOUSE_HOOK 0x9a0
#define ROM_HOOK_OUT   10
#define ROM_KEY_OUT    4
#define ROM_MOUSE_OUT  39

#define ROM_FONT16        0x1000
#define ROM_FONT14        0x2000
#define ROM_FONT8         0x2e00
#define ROM_BIOS32        0x4000
/* INT 0's: its low byte makes an INT3 of what stands at 0000:0000. */
#define ROM_AT_ZERO       0x0bcc
#define ROM_FUNCTIONALITY 0x0a00
#define ROM_FONT14_WIDE   0x0a20
#define ROM_FONT16_WIDE   0x0a30
#define ROM_NO_DISK       0xe401
#define ROM_CONFIGURATION 0xe6f5
#define ROM_DISKETTE      0xefc7
#define ROM_VIDEO         0xf0a4
#define ROM_FONT8_CLASSIC 0xfa6e
#define ROM_IRET          0xff53

#endif
