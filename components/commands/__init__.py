"""Programs that pulumi-command runs on the user's machine: standard library only, since they run under any python3."""
