"""The `loanbook` command line, the one place of the surfaces that starts processes."""
