"""Pictures of strangers become renditions and facts here, in a process that can do nothing else.

`sandbox.Sandbox` is the door for the rest of the archive; `child` is the process behind it; the other
modules are what the child does with a file. Nothing in this package knows Django.
"""
