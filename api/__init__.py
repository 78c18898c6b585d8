"""Every surface: HTTP, console, command line. It holds no rules and no SQL."""
