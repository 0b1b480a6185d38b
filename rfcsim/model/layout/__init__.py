"""The vocabulary of the model: what each column, bit and number in its arrays means.

Each module is a name space: `state.tasks[task, reg.NEXT]`, `effect.UP`, `rule.BATCHES`. The arrays
of the model are described here and nowhere else. Their shapes are in
:class:`rfcsim.model.state.State`.

- What the arrays of a state hold: `mm`, `vma`, `sem` and `reg` name columns, `bit` the bits of a
  page.
- Values of those columns: `call`, `lock`, `backing`, `vm`, `flag` and `errno`.
- What a step asks for: `effect`, and `work` for the CPU.
- What kernels differ in: `rule` and `design`, `policy` for the lock, `mutant` for mistakes.
- What tasks do: `operation` and `thread`, for the clock and the checker.

Memory is counted in pages of 4 KiB, by page number, never in bytes.
"""
