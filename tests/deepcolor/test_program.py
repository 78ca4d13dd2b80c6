from __future__ import annotations

import os
import subprocess
import sys

import pytest

CODE = """
import resource
import numpy as np
from deepcolor.program import keep_freed_memory
{call}
for _ in range(3):
    [np.ones(20 << 20, np.uint8) for _ in range(4)]
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    [np.ones(20 << 20, np.uint8) for _ in range(4)]
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(call: str) -> int:
    """Of a process that asks for 20 MB and frees them, twenty times."""
    code = CODE.format(call=call)
    return int(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's")
def test_freed_memory_is_used_again() -> None:
    assert page_faults("keep_freed_memory()") < page_faults("") / 10


def test_pytorch_is_not_looked_through_for_garbage() -> None:
    code = """
import gc, sys
from deepcolor.program import import_pytorch
import_pytorch()
print("torch" in sys.modules, gc.isenabled(), gc.get_freeze_count(), len(gc.get_objects()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    imported, enabled, frozen, left = done.stdout.split()
    assert (imported, enabled) == ("True", "True")
    assert int(frozen) > 100 * int(left)


@pytest.mark.parametrize("call", ["enable", "disable"])
@pytest.mark.parametrize("found", [True, False])
def test_the_search_for_garbage_goes_on_as_it_was(call: str, found: bool) -> None:
    code = f"""
import gc, sys
from deepcolor.program import import_pytorch
if not {found}:
    sys.modules["numpy"] = sys.modules["torch._C"] = None
gc.{call}()
try:
    import_pytorch()
except ImportError:
    print("missing", gc.isenabled())
else:
    print("imported", gc.isenabled())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.split() == ["imported" if found else "missing", str(call == "enable")]


@pytest.mark.skipif(sys.platform != "linux", reason="GNU's OpenMP")
@pytest.mark.parametrize(
    ("told", "spins"),
    [({}, "10000"), ({"GOMP_SPINCOUNT": "77"}, "77"), ({"OMP_WAIT_POLICY": "PASSIVE"}, "0")],
)
def test_threads_wait_briefly_unless_told_otherwise(told: dict[str, str], spins: str) -> None:
    code = """
from deepcolor.program import import_pytorch
import_pytorch()
import os
print({name: os.environ[name] for name in os.environ if "SPIN" in name or "WAIT" in name})
"""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("OMP", "GOMP"))
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | told | {"OMP_DISPLAY_ENV": "VERBOSE"},  # OpenMP's own account of itself
        capture_output=True,
        check=True,
        text=True,
    )
    assert f"GOMP_SPINCOUNT = '{spins}'" in done.stderr
    assert done.stdout.strip() == str(told)
