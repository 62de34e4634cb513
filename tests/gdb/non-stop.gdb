# Non-stop: one machine runs while the other is stopped and looked at.
# guest: counter fibonacci
# before: set non-stop on
# status: 0
info threads
