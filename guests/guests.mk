# The teaching guests. `make guests` puts them in $(BUILD)/guests/.
#
# NAME.elf is what one runs and debugs; NAME.bin, for the real-mode guests, is
# the same image without headers, as a boot loader would find it on a disk (to
# be loaded at 0x1000).

OBJCOPY ?= objcopy

REAL_GUESTS := minimal hello counter multiplication fibonacci matrix hctest segmented bootsector
MODE_GUESTS := keyboard pmode paging ring3 long64 broken_gdt

GUESTS_DIR := $(BUILD)/guests
GUEST_ELFS := $(patsubst %,$(GUESTS_DIR)/%.elf,$(REAL_GUESTS) $(MODE_GUESTS))
GUEST_BINS := $(patsubst %,$(GUESTS_DIR)/%.bin,$(REAL_GUESTS))

.PHONY: guests
guests: $(GUEST_ELFS) $(GUEST_BINS) ## the guests

# A boot sector is a disk image as it is; its symbols are in the .elf beside it.
GUEST_IMAGES := $(GUESTS_DIR)/bootsector.img
$(GUESTS_DIR)/bootsector.img: $(GUESTS_DIR)/bootsector.bin
	cp $< $@

# Kept, though make sees the objects as a step on the way.
.SECONDARY: $(GUEST_ELFS:.elf=.o)

# Most guests are linked by guest.ld; these have addresses of their own.
guest_script = $(if $(filter segmented paging bootsector,$*),guests/$*.ld,guests/guest.ld)
GUEST_LDFLAGS := -nostdlib --build-id=none --no-warn-rwx-segments

$(GUESTS_DIR)/%.o: guests/%.S
	@mkdir -p $(@D)
	$(GUEST_CC) -m32 -g $(GUEST_CFLAGS) -MMD -MP -c -o $@ $<

$(GUESTS_DIR)/%.elf: $(GUESTS_DIR)/%.o guests/guest.ld guests/segmented.ld guests/paging.ld guests/bootsector.ld
	$(LD) -m elf_i386 $(GUEST_LDFLAGS) -T $(guest_script) -o $@ $<

# long64 has 64-bit code, which the assembler refuses to put in an i386 object.
# So it is assembled for x32 (64-bit instructions, 32-bit addresses), and when
# it is linked, and no relocation is left, it is relabelled as i386: what it is
# at its first instruction, and the only label with which gdb also accepts a
# CPU that is still in real mode.
$(GUESTS_DIR)/long64.o: guests/long64.S
	@mkdir -p $(@D)
	$(GUEST_CC) -mx32 -g $(GUEST_CFLAGS) -MMD -MP -c -o $@ $<

$(GUESTS_DIR)/long64.elf: $(GUESTS_DIR)/long64.o guests/guest.ld
	$(LD) -m elf32_x86_64 $(GUEST_LDFLAGS) -T guests/guest.ld -o $@.x32 $<
	$(OBJCOPY) -I elf32-x86-64 -O elf32-i386 $@.x32 $@
	@rm -f $@.x32

$(GUESTS_DIR)/%.bin: $(GUESTS_DIR)/%.elf
	$(OBJCOPY) -O binary $< $@

# Kernels in C, for a loader that knows Multiboot 1 or 2.
KERNEL_GUESTS := multiboot1 multiboot2
GUEST_ELFS    += $(patsubst %,$(GUESTS_DIR)/%.elf,$(KERNEL_GUESTS))
guests: $(patsubst %,$(GUESTS_DIR)/%.elf,$(KERNEL_GUESTS))

KERNEL_CFLAGS := -std=gnu11 -m32 -march=i386 -mgeneral-regs-only -ffreestanding -fno-pic \
                 -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -Og -g \
                 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes $(if $(CI),-Werror) \
                 -Ios-1k $(GUEST_CFLAGS)
$(GUESTS_DIR)/multiboot/%.o: guests/multiboot/%.c
	@mkdir -p $(@D)
	$(GUEST_CC) $(KERNEL_CFLAGS) -MMD -MP -c -o $@ $<

$(GUESTS_DIR)/multiboot/%.o: guests/multiboot/%.S
	@mkdir -p $(@D)
	$(GUEST_CC) -m32 -g $(GUEST_CFLAGS) -MMD -MP -c -o $@ $<

$(GUESTS_DIR)/multiboot/print.o: os-1k/print.c
	@mkdir -p $(@D)
	$(GUEST_CC) $(KERNEL_CFLAGS) -MMD -MP -c -o $@ $<

.SECONDARY: $(patsubst %,$(GUESTS_DIR)/multiboot/%.o,start1 start2 multiboot1 multiboot2 screen print)
$(GUESTS_DIR)/multiboot%.elf: $(GUESTS_DIR)/multiboot/start%.o $(GUESTS_DIR)/multiboot/multiboot%.o \
    $(GUESTS_DIR)/multiboot/screen.o $(GUESTS_DIR)/multiboot/print.o guests/multiboot/kernel.ld
	$(LD) -m elf_i386 $(GUEST_LDFLAGS) -n -z noexecstack -T guests/multiboot/kernel.ld -o $@ $(filter %.o,$^)

# A 64-bit kernel. Its tasks use SSE, and the kernel itself does not.
TASKS64_CFLAGS := $(filter-out -m32 -march=i386 -mgeneral-regs-only,$(KERNEL_CFLAGS)) -m64 -mno-red-zone
$(GUESTS_DIR)/tasks64/%.o: guests/tasks64/%.c
	@mkdir -p $(@D)
	$(GUEST_CC) $(TASKS64_CFLAGS) $(if $(filter tasks,$*),-mfpmath=sse,-mgeneral-regs-only) -MMD -MP -c -o $@ $<

$(GUESTS_DIR)/tasks64/%.o: guests/tasks64/%.S
	@mkdir -p $(@D)
	$(GUEST_CC) -m64 -g $(GUEST_CFLAGS) -MMD -MP -c -o $@ $<

$(GUESTS_DIR)/tasks64/print.o: os-1k/print.c
	@mkdir -p $(@D)
	$(GUEST_CC) $(TASKS64_CFLAGS) -mgeneral-regs-only -MMD -MP -c -o $@ $<

TASKS64 := $(patsubst %,$(GUESTS_DIR)/tasks64/%.o,start entry kernel tasks print)
$(GUESTS_DIR)/tasks64.elf: $(TASKS64) guests/tasks64/kernel.ld
	$(LD) -m elf_x86_64 $(GUEST_LDFLAGS) -n -z noexecstack -T guests/tasks64/kernel.ld -o $@ $(TASKS64)
.SECONDARY: $(TASKS64)
GUEST_ELFS += $(GUESTS_DIR)/tasks64.elf
guests: $(GUESTS_DIR)/tasks64.elf

# Disk images: a first stage in the first sector, the second one behind it, on a floppy of 1440 KiB.
# The first stage's symbols stand beside an image, for the second stage there is --symbols.
STAGE_CFLAGS = $(KERNEL_CFLAGS) -Iguests/multiboot
$(GUESTS_DIR)/disk/%.o: guests/disk/%.S guests/disk/disk.inc guests/disk/mouse.inc
	@mkdir -p $(@D)
	$(GUEST_CC) -m32 -g $(GUEST_CFLAGS) -c -o $@ $<

$(GUESTS_DIR)/disk/%.o: guests/disk/%.c
	@mkdir -p $(@D)
	$(GUEST_CC) $(STAGE_CFLAGS) -MMD -MP -c -o $@ $<

$(GUESTS_DIR)/stages.elf: $(GUESTS_DIR)/disk/stage1.o guests/bootsector.ld
	$(LD) -m elf_i386 $(GUEST_LDFLAGS) -T guests/bootsector.ld -o $@ $<

STAGE2 := $(addprefix $(GUESTS_DIR)/,disk/stage2_entry.o disk/stage2.o multiboot/screen.o multiboot/print.o)
$(GUESTS_DIR)/stage2.elf: $(STAGE2) guests/disk/stage2.ld
	$(LD) -m elf_i386 $(GUEST_LDFLAGS) -z noexecstack -T guests/disk/stage2.ld -o $@ $(STAGE2)

$(GUESTS_DIR)/mouse.elf $(GUESTS_DIR)/picture.elf: $(GUESTS_DIR)/%.elf: $(GUESTS_DIR)/disk/%.o guests/bootsector.ld
	$(LD) -m elf_i386 $(GUEST_LDFLAGS) -T guests/bootsector.ld -o $@ $<

# $(call floppy,SECTOR...): files one behind the other, on a floppy
floppy = cat $(1) > $@ && truncate -s 1440K $@
%.sector: %.elf
	$(OBJCOPY) -O binary $< $@
$(GUESTS_DIR)/stages.img: $(GUESTS_DIR)/stages.sector $(GUESTS_DIR)/stage2.sector
	$(call floppy,$^)

.SECONDARY: $(STAGE2) $(GUESTS_DIR)/disk/stage1.o $(GUESTS_DIR)/stages.sector $(GUESTS_DIR)/stage2.sector
GUEST_IMAGES += $(GUESTS_DIR)/stages.img $(GUESTS_DIR)/mouse.img $(GUESTS_DIR)/picture.img
$(GUESTS_DIR)/mouse.img $(GUESTS_DIR)/picture.img: %.img: %.sector
	$(call floppy,$^)

# A CD: 23 blocks of 2048 bytes, the program, a file.
$(GUESTS_DIR)/cd.elf: $(GUESTS_DIR)/disk/cd.o guests/disk/cd.ld
	$(LD) -m elf_i386 $(GUEST_LDFLAGS) -T guests/disk/cd.ld -o $@ $<
$(GUESTS_DIR)/cd.iso: $(GUESTS_DIR)/cd.elf
	$(OBJCOPY) -O binary --change-section-lma .disc=0 --change-section-lma .text=0xb800 \
	    --change-section-lma .files=0xc000 $< $@
GUEST_IMAGES += $(GUESTS_DIR)/cd.iso

.SECONDARY: $(GUESTS_DIR)/disk/mouse.o $(GUESTS_DIR)/mouse.sector $(GUESTS_DIR)/disk/cd.o
GUEST_ELFS   += $(GUESTS_DIR)/cd.elf $(GUESTS_DIR)/mouse.elf $(GUESTS_DIR)/stages.elf $(GUESTS_DIR)/stage2.elf
guests: $(GUEST_IMAGES) $(GUESTS_DIR)/cd.elf $(GUESTS_DIR)/mouse.elf $(GUESTS_DIR)/stages.elf $(GUESTS_DIR)/stage2.elf

-include $(wildcard $(GUESTS_DIR)/*.d $(GUESTS_DIR)/*/*.d)
