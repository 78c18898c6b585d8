"""The processes one by one: `loanbook api`, `project`, `broker`, `relay`, `intake`.

Each runs until SIGINT or SIGTERM and then ends what it has begun. Each has a module of its own, so
that one that is started anew loads what it needs and no more.
"""
