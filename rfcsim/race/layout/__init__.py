"""The vocabulary of the checker, besides that of the model: columns and values of its arrays.

Each module is a name space: `search.control[control.HEAD]`, `grant.ANY`. The arrays and their
shapes are in :class:`rfcsim.race.arrays.Search`.
"""
