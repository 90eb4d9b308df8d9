"""What is inside of archives, documents and messages, member by member, within limits that no bomb passes.

`walk` goes down through all levels; `readers` opens one level, for those that go down by themselves. Every member is
either given to be read or named as not opened, with the reason: nothing is passed over in silence.
"""
