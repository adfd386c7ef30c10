"""What programs and agents use beside the endpoints of the tabs: MCP tools, and long work that is asked for later."""
