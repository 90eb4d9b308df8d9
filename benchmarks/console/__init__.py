"""The console: how long pages take, what they ask for, what browsers load, what views cost."""
