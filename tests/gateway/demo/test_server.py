# SPDX-License-Identifier: EUPL-1.2
"""Nothing that the demonstration starts outlives it, unless it is to be left running."""

import signal
import socket
import subprocess
import sys

import pytest

from gateway.demo.build import DemoError
from gateway.demo.server import Part, free_ports, running, stop
from tests.gateway.demo.processes import left_running


def test_parts_run_inside_and_are_stopped_at_the_end(demo):
    with running(demo.folder, demo.parts, keep=False):
        assert len(left_running(demo.folder)) == len(demo.parts)
    assert left_running(demo.folder) == []


def test_kept_parts_run_on_until_they_are_stopped(demo):
    with running(demo.folder, demo.parts[:1], keep=True):
        pass
    assert len(left_running(demo.folder)) == 1
    assert stop(demo.folder)
    assert left_running(demo.folder) == []
    assert not stop(demo.folder)


def test_an_error_inside_stops_all_parts(demo):
    with pytest.raises(DemoError, match="wrong"), running(demo.folder, demo.parts, keep=True):
        raise DemoError("wrong")
    assert left_running(demo.folder) == []


def test_being_told_to_end_stops_all_parts(demo):
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit), running(demo.folder, demo.parts[:1], keep=True):
        signal.raise_signal(signal.SIGTERM)
    assert left_running(demo.folder) == []
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_part_that_does_not_start_stops_the_others_and_is_named(demo):
    broken = Part("gateway", ("serve", "--config", str(demo.folder / "none")), "", lambda _d: False)
    with (
        pytest.raises(DemoError, match=r"gateway stopped at once.*gateway\.log"),
        running(demo.folder, [*demo.parts[:1], broken], keep=True),
    ):
        pytest.fail("it runs")
    assert left_running(demo.folder) == []


def test_a_process_that_only_has_the_number_of_ours_is_left_alone(tmp_path):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        (tmp_path / "gateway.pid").write_text(f"{other.pid}\n", encoding="ascii")
        assert not stop(tmp_path)
        assert other.poll() is None
        other.communicate(b"\n")
    assert other.returncode == 0


def test_ports_are_as_wanted_or_others_where_somebody_listens():
    (free,) = free_ports([0])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = free_ports([port, free, port])
    assert found[1] == free
    assert len({*found, port}) == 4
