"""The long-running processes: relay, projector, intake, daily close. They hold no rules."""
