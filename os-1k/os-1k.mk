# The 1K OS. `make os-1k` makes $(BUILD)/os-1k/kernel.elf, the image to boot, and
# shell.elf, the user program inside it, with the symbols for a debugger.

OS_DIR    := $(BUILD)/os-1k
OS_KERNEL := $(addprefix $(OS_DIR)/,boot.o trap-entry.o main.o console.o memory.o paging.o trap.o \
               pic.o timer.o keyboard.o process.o syscall.o print.o)
OS_SHELL  := $(addprefix $(OS_DIR)/,shell/start.o shell/menu.o shell/lib.o shell/programs.o \
               shell/interactive.o print.o)

# Code for the smallest machine that there is, and no register that the kernel
# would have to save for it. -Og: fast enough, and a debugger can follow.
OS_CFLAGS := -std=gnu11 -m32 -march=i386 -mgeneral-regs-only -ffreestanding -fno-pic \
             -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -Og -g \
             -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wno-unused-parameter \
             $(if $(CI),-Werror) -Ios-1k -Iguests $(GUEST_CFLAGS)
OS_LDFLAGS := -m elf_i386 -nostdlib --build-id=none --no-warn-rwx-segments -z noexecstack

.PHONY: os-1k
os-1k: $(OS_DIR)/kernel.elf $(OS_DIR)/shell.elf ## the 1K OS

.SECONDARY: $(OS_KERNEL) $(OS_SHELL)

$(OS_DIR)/%.o: os-1k/%.c
	@mkdir -p $(@D)
	$(GUEST_CC) $(OS_CFLAGS) -MMD -MP -c -o $@ $<

$(OS_DIR)/%.o: os-1k/%.S
	@mkdir -p $(@D)
	$(GUEST_CC) $(OS_CFLAGS) -Wa,-I$(OS_DIR) -MMD -MP -c -o $@ $<

# -n leaves no holes between the segments in the file.
$(OS_DIR)/shell.elf: $(OS_SHELL) os-1k/shell/shell.ld
	$(LD) $(OS_LDFLAGS) -n -T os-1k/shell/shell.ld -o $@ $(OS_SHELL)

# What the kernel holds in its own image (trap-entry.S).
$(OS_DIR)/shell.stripped: $(OS_DIR)/shell.elf
	$(OBJCOPY) --strip-all $< $@

$(OS_DIR)/trap-entry.o: $(OS_DIR)/shell.stripped

$(OS_DIR)/kernel.elf: $(OS_KERNEL) os-1k/kernel.ld
	$(LD) $(OS_LDFLAGS) -T os-1k/kernel.ld -o $@ $(OS_KERNEL)

# The OS as a floppy: the first stage, the loader, and the kernel without what is for debuggers.
LOADER_CFLAGS = $(subst -m32,-m16,$(OS_CFLAGS)) -mregparm=1
$(OS_DIR)/disk/%.o: os-1k/disk/%.c
	@mkdir -p $(@D)
	$(GUEST_CC) $(LOADER_CFLAGS) -MMD -MP -c -o $@ $<

$(OS_DIR)/loader.elf: $(OS_DIR)/disk/entry.o $(OS_DIR)/disk/loader.o os-1k/disk/loader.ld
	$(LD) $(OS_LDFLAGS) -T os-1k/disk/loader.ld -o $@ $(filter %.o,$^)

$(OS_DIR)/disk/loader: $(OS_DIR)/loader.elf
	$(OBJCOPY) -O binary --pad-to=0xa000 $< $@

$(OS_DIR)/disk/kernel: $(OS_DIR)/kernel.elf
	$(OBJCOPY) --strip-all $< $@

$(OS_DIR)/os-1k.img: $(GUESTS_DIR)/stages.sector $(OS_DIR)/disk/loader $(OS_DIR)/disk/kernel
	$(call floppy,$^)

# Beside it, for a debugger: the symbols of the kernel.
$(OS_DIR)/os-1k.elf: $(OS_DIR)/kernel.elf
	cp $< $@

.SECONDARY: $(OS_DIR)/disk/entry.o $(OS_DIR)/disk/loader.o
os-1k: $(OS_DIR)/os-1k.img $(OS_DIR)/os-1k.elf

-include $(wildcard $(OS_DIR)/disk/*.d $(OS_DIR)/*.d $(OS_DIR)/shell/*.d)
