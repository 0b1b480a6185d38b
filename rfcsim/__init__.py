"""Who waits for mmap_sem while mlock() runs: a simulator of a 2010 kernel RFC."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
