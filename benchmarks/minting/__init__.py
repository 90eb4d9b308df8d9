"""What minting takes: calls, time, capacity units and dollars."""
