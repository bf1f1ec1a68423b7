"""Which cgroups a process is in, on machines of every kind."""

from pathlib import Path

import pytest

from tests.kubernetes.cgroups import Hierarchy, parse

HYBRID = """\
4:memory:/user/1
2:cpu,cpuacct:/
1:name=systemd:/session
0::/session
"""
HYBRID_MOUNTS = """\
30 23 0:27 / /proc rw - proc proc rw
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
"""
UNIFIED = "0::/user.slice/session-1.scope\n"
UNIFIED_MOUNTS = "41 31 0:38 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw\n"
CONTAINER = "1:memory:/docker/abc/inner\n"
CONTAINER_MOUNTS = "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro,relatime - cgroup cgroup rw,memory\n"
AT = "/sys/fs/cgroup"

CASES = {
    "both versions": (
        HYBRID,
        HYBRID_MOUNTS,
        [
            ("cpu,cpuacct", f"{AT}/cpu,cpuacct", f"{AT}/cpu,cpuacct"),
            ("memory", f"{AT}/memory", f"{AT}/memory/user/1"),
            ("name=systemd", f"{AT}/systemd", f"{AT}/systemd/session"),
            ("", f"{AT}/unified", f"{AT}/unified/session"),
        ],
    ),
    "version 2": (UNIFIED, UNIFIED_MOUNTS, [("", AT, f"{AT}/user.slice/session-1.scope")]),
    "a container": (CONTAINER, CONTAINER_MOUNTS, [("memory", f"{AT}/memory", f"{AT}/memory/inner")]),
}


@pytest.mark.parametrize("case", CASES)
def test_the_cgroups_of_a_process_are_found(case: str) -> None:
    memberships, mounts, expected = CASES[case]
    wanted = [Hierarchy(key, Path(mount), Path(directory)) for key, mount, directory in expected]
    assert list(parse(memberships, mounts)) == wanted
