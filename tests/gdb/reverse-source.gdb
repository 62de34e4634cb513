# reverse-next, reverse-step and reverse-finish over C in ring 3; then forward again.
# guest: os-1k
# engines: soft
# input: 5\n0\n
# status: 0
break sieve
continue
finish
reverse-finish
reverse-next
bt 1
next
next
print count
reverse-next
reverse-step
bt 2
delete
continue
