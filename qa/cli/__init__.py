"""The `sourcier` command."""
