/* The BIOS data area, by linear address, and our part of the extended one. */
#ifndef MINIKVM_BDA_H
#define MINIKVM_BDA_H

enum bda {
    BDA = 0x400,
    BDA_COM = 0x400,       /* ports of the serial lines, a word each */
    BDA_LPT = 0x408,       /* of the parallel ones; the fourth: */
    BDA_EBDA = 0x40e,      /* segment of the extended BIOS data area */
    BDA_EQUIPMENT = 0x410,
    BDA_MEMORY = 0x413,    /* KiB */
    BDA_SHIFTS = 0x417,    /* of the keyboard */
    BDA_SHIFTS2 = 0x418,
    BDA_ALT_DIGITS = 0x419,
    BDA_KEY_HEAD = 0x41a,
    BDA_KEY_TAIL = 0x41c,
    BDA_KEYS = 0x41e,
    BDA_FLOPPY_SEEK = 0x43e, /* bit 7: the controller has interrupted */
    BDA_FLOPPY_STATUS = 0x441,
    BDA_MODE = 0x449,
    BDA_COLUMNS = 0x44a,
    BDA_PAGE_SIZE = 0x44c,
    BDA_PAGE_START = 0x44e,
    BDA_CURSORS = 0x450,   /* column, row of each of eight pages */
    BDA_CURSOR_SHAPE = 0x460,
    BDA_PAGE = 0x462,
    BDA_CRTC = 0x463,      /* its port */
    BDA_MODE_REGISTER = 0x465,
    BDA_PALETTE = 0x466,
    BDA_RESUME = 0x467,    /* where a reset goes on, if CMOS 0Fh says so */
    BDA_TICKS = 0x46c,
    BDA_MIDNIGHT = 0x470,
    BDA_BREAK = 0x471,
    BDA_WARM = 0x472,      /* 1234h: a warm start */
    BDA_DISK_STATUS = 0x474,
    BDA_DISKS = 0x475,
    BDA_LPT_TIMEOUTS = 0x478,
    BDA_COM_TIMEOUTS = 0x47c,
    BDA_KEYS_START = 0x480,
    BDA_KEYS_END = 0x482,
    BDA_ROWS = 0x484,      /* less one */
    BDA_FONT_HEIGHT = 0x485,
    BDA_VIDEO_CONTROL = 0x487,
    BDA_VIDEO_SWITCHES = 0x488,
    BDA_VIDEO_FLAGS = 0x489,
    BDA_DISPLAY = 0x48a,
    BDA_FLOPPY_TYPES = 0x48f,
    BDA_FLOPPY_STATES = 0x490,
    BDA_KEYBOARD = 0x496,  /* E0 and E1 prefixes, right keys, type */
    BDA_LEDS = 0x497,
    BDA_WAIT_FLAG = 0x498, /* far pointer to the byte whose bit 7 int 15h/83h sets */
    BDA_WAIT_COUNT = 0x49c,
    BDA_WAIT_ACTIVE = 0x4a0,
    BDA_PRINT_STATUS = 0x500,
};

/* In the EBDA; what begins at OURS no other BIOS has there. */
enum ebda {
    EBDA_SIZE = 0x00,      /* KiB */
    EBDA_MOUSE_HANDLER = 0x22, /* far pointer */
    EBDA_MOUSE_COUNT = 0x26,   /* bytes of a packet that have come */
    EBDA_MOUSE_FLAGS = 0x27,   /* bit 7: there is a handler; a packet's bytes less one */
    EBDA_MOUSE_PACKET = 0x28,
    EBDA_DISK0 = 0x3d,     /* parameters of the first two hard disks: int 41h and 46h */
    EBDA_DISK1 = 0x4d,
    EBDA_OURS = 0x100,
    EBDA_DEADLINE = EBDA_OURS,           /* of int 15h/86h, guest time in ns; 8 bytes */
    EBDA_KEY_AX = EBDA_OURS + 8,         /* AX of what the keyboard has interrupted */
    EBDA_KEY_ASKED = EBDA_OURS + 10,     /* a program has looked for a key, and there was none */
    EBDA_KEY_VECTOR = EBDA_OURS + 12,    /* INT 09h's vector when it came last; 4 bytes */
    EBDA_FLAG_DEADLINE = EBDA_OURS + 16, /* of int 15h/83h; 0: none; 8 bytes */
    EBDA_BOOT_DRIVE = EBDA_OURS + 24,
    EBDA_INPUT_OVER = EBDA_OURS + 25,    /* told once */
    EBDA_VBE_MODE = EBDA_OURS + 28,      /* as 4F02 has set it; 0: none of them; 2 bytes */
    EBDA_APM = EBDA_OURS + 26,           /* power management is connected */
    EBDA_CD = EBDA_OURS + 64,            /* what was booted from a CD: El Torito's specification packet, 13h bytes */
    EBDA_WAIT_PLACE = EBDA_OURS + 32,    /* the INT whose wait a person has interrupted; 0: none; 4 bytes */
    EBDA_WAIT_TIME = EBDA_OURS + 36,     /* and when, guest time in ns; 8 bytes */
    EBDA_CD_CATALOG = EBDA_OURS + 84,    /* and its boot catalog's block; 4 bytes */
};

#endif
