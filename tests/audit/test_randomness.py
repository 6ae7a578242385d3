# SPDX-License-Identifier: EUPL-1.2
import os

from hypothesis import given
from hypothesis import strategies as st

from audit.randomness import RandomPool


@given(st.lists(st.integers(0, 5000), max_size=20))
def test_every_draw_has_its_size(sizes):
    pool = RandomPool()
    assert [len(pool.take(size)) for size in sizes] == sizes


def test_no_bytes_are_handed_out_twice():
    pool = RandomPool()
    drawn = [pool.take(16) for _ in range(2000)]
    assert len(set(drawn)) == len(drawn)


def test_a_child_process_draws_anew():
    pool = RandomPool()
    pool.take(16)
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writer, pool.take(16))
        os._exit(0)
    os.waitpid(pid, 0)
    child = os.read(reader, 16)
    os.close(reader)
    os.close(writer)
    assert child != pool.take(16)
