"""The embedded AWS on this machine: started, built for, deployed to, stopped."""
