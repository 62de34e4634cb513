# The same on a complete KVM, which tells no chain.
# guest: broken_gdt
# engines: kvm
# needs: paging32 exec-bp
continue
monitor explain
p $cr0
continue
p $cr0
