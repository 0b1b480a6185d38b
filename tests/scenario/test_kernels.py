"""Kernels by name: each version has the design and the lock policy of its era."""

import pytest

from rfcsim import RfcsimError, kernel, kernels, preset
from rfcsim.model.layout import design, policy

# Kernel-facts 2 and 5.
SHIPPED = {
    "2.6.28": ("downgrade", "fifo"),
    "2.6.29": ("exclusive", "fifo"),
    "2.6.36": ("exclusive", "fifo"),
    "RFC": ("batched", "fifo"),
    "RFC v2": ("contended", "fifo"),
    "2.6.38": ("fault-retry", "fifo"),
    "2.6.39.4": ("fault-retry", "fifo"),
    "3.8": ("fault-retry", "fifo"),
    "3.9": ("mm-populate", "writer-stealing"),
    "4.20": ("mm-populate", "writer-stealing"),
    "5.3": ("mm-populate", "hand-off"),
    "5.10.7": ("mm-populate", "hand-off"),
    "5.11": ("mm-populate", "reader-stealing"),
    "6.4": ("vma-lock", "reader-stealing"),
    "6.19": ("vma-lock", "reader-stealing"),
}

DESIGNS_OF_NO_KERNEL: set[str] = set()
POLICIES_OF_NO_KERNEL = {"reader-preference", "writer-preference", "phase-fair"}


@pytest.mark.parametrize("version", SHIPPED)
def test_a_version_has_the_rules_of_its_era(version: str) -> None:
    design, policy = SHIPPED[version]
    assert kernel(version) == {"design": design, "lock_policy": policy}
    scenario = preset("anon-1gb").replace(**kernel(version))
    assert (scenario.design, scenario.lock_policy) == (design, policy)


@pytest.mark.parametrize("version", ["2.6.27", "2.6.37", "5.18", "6.3", "6.20", "7.0", "10.1"])
def test_a_version_that_the_model_lacks_is_one_line(version: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        kernel(version)
    assert str(caught.value).startswith(f'kernel "{version}": must be one of 2.6.28, 2.6.29 to')


def test_a_name_that_is_none_is_one_line() -> None:
    with pytest.raises(RfcsimError, match=r'^kernel "RFC v3": there is none; did you mean RFC v2'):
        kernel("RFC v3")


def test_the_table_names_every_design_and_every_policy_of_a_kernel() -> None:
    table = kernels()
    for named, known, of_no_kernel in (
        ("design", design.BY_NAME, DESIGNS_OF_NO_KERNEL),
        ("lock_policy", policy.BY_NAME, POLICIES_OF_NO_KERNEL),
    ):
        assert {*table[named]} | of_no_kernel == {*known}, (
            "give it its kernels in _ERAS of rfcsim/scenario/kernels.py, or name it here as one "
            "that no kernel has"
        )
        assert not {*table[named]} & of_no_kernel
    for row in table.iter_rows(named=True):
        asked = {"design": row["design"], "lock_policy": row["lock_policy"]}
        assert kernel(row["kernel"]) == kernel(row["to"]) == asked
