"""HTTP requests of this machine to itself."""

from urllib.request import ProxyHandler, build_opener

# Past the proxies of this machine. Made once: each opener reads all certificates that the machine trusts.
DIRECT = build_opener(ProxyHandler({}))
