"""The checks of one file: checksum, malware, format. Knows files and processes, neither AWS nor the environment."""
