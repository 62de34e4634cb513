# Display memory in the past: the linear framebuffer, and planes that the guest itself checks.
# guest: @BUILD@/tests/boot/graphics.img
# engines: soft
break planes_written
continue
x/4xb 0xa0000 + 238
x/1xb 0xb8000
break linear_written
continue
x/1xb 0xe0000000 + 300*640 + 100
reverse-stepi
x/1xb 0xe0000000 + 300*640 + 100
delete
reverse-continue
break vbe
continue
p *(short *)&failures
break linear_written
continue
x/1xb 0xe0000000 + 300*640 + 100
p *(short *)&failures
