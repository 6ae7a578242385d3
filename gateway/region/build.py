# SPDX-License-Identifier: EUPL-1.2
"""Builds the region: nine register files, their mappings, the truth table and the manifest.

Everything is written into a folder beside the wanted one and renamed at the end. Large regions are
written by two processes; each makes the same world for itself from the seed, which is quicker than
sending it over, and countries draw from streams of their own, so the files do not depend on who
wrote them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache, partial
from importlib.resources import files
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from gateway.region.datafiles import COUNTRIES
from gateway.region.errors import RegionError
from gateway.region.filling import fill_register
from gateway.region.journeys import Journeys, make_journeys
from gateway.region.native import read_register
from gateway.region.papers import Documents, issue_documents
from gateway.region.rates import AS_OF, REGION_VERSION, Rates
from gateway.region.truth import write_truth
from gateway.region.world import Plan, World, make_world
from gateway.region.writer import write_register

__all__ = ["Manifest", "Progress", "create_region", "read_manifest"]

Progress = Callable[[str, int], None]
"""Told which file (a country id or "truth") got how many more rows."""

_TRUTH: Final = "truth"
_BY_SIZE: Final = ("AT", "RS", "HR", "GR", "SI", "BA", _TRUTH, "MK", "ME", "AL")
_ALONE: Final = 20_000
"""Regions smaller than this are written by the asking process."""
_MOST: Final = 20_000_000
_MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was built: `tables` holds rows by file and table, `sha256` digests by file."""

    version: str
    seed: int
    persons: int
    as_of: str
    rates: dict[str, Any]
    tables: dict[str, dict[str, int]]
    sha256: dict[str, str]

    def to_json(self) -> str:
        """The text of manifest.json."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def read_manifest(directory: Path) -> Manifest:
    """The manifest of a region; raises RegionError when there is none or it can't be read."""
    try:
        return Manifest(**json.loads((directory / _MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise RegionError(
            f"{directory} holds no region; create one with `cuvar region create {directory}`"
        ) from error


@lru_cache(maxsize=1)
def _made(plan: Plan) -> tuple[World, Journeys, Documents]:
    world = make_world(plan)
    return world, make_journeys(plan, world), issue_documents(plan, world)


def _write(plan: Plan, name: str, folder: Path, on_rows: Callable[[int], None]) -> dict[str, int]:
    world, journeys, documents = _made(plan)
    if name == _TRUTH:
        return write_truth(folder / "truth.sqlite", world, journeys, on_rows)
    frames = fill_register(plan, world, journeys, documents, name)
    path = folder / "registers" / f"{name}.sqlite"
    return write_register(path, read_register(name), frames, on_rows)


_reports: Any = None
"""The worker's end of the progress queue; set once by `_enter` in a worker process."""


def _enter(reports: Any) -> None:
    global _reports  # noqa: PLW0603  a pool hands a queue to its workers only this way
    _reports = reports


def _work(plan: Plan, name: str, folder: Path) -> dict[str, int]:
    return _write(plan, name, folder, lambda rows: _reports.put((name, rows)))


def _in_two_processes(plan: Plan, folder: Path, on_progress: Progress) -> dict[str, dict[str, int]]:
    context = get_context("spawn")
    reports = context.SimpleQueue()
    with ProcessPoolExecutor(2, context, initializer=_enter, initargs=(reports,)) as pool:
        jobs = {name: pool.submit(_work, plan, name, folder) for name in _BY_SIZE}
        waiting = set(jobs.values())
        while waiting:
            waiting = wait(waiting, timeout=0.2).not_done
            while not reports.empty():
                name, rows = reports.get()
                on_progress(name, rows)
        return {name: job.result() for name, job in jobs.items()}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy_mappings(folder: Path) -> None:
    (folder / "mappings").mkdir()
    for country in COUNTRIES:
        source = files("gateway.region") / "mappings" / f"{country}.yaml"
        (folder / "mappings" / f"{country}.yaml").write_bytes(source.read_bytes())


def _build(plan: Plan, folder: Path, on_progress: Progress) -> Manifest:
    (folder / "registers").mkdir()
    if plan.persons < _ALONE:
        tables = {}
        for name in _BY_SIZE:
            tables[name] = _write(plan, name, folder, partial(on_progress, name))
    else:
        tables = _in_two_processes(plan, folder, on_progress)
    _copy_mappings(folder)
    written = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest = Manifest(
        version=REGION_VERSION,
        seed=plan.seed,
        persons=plan.persons,
        as_of=plan.as_of.isoformat(),
        rates=asdict(plan.rates),
        tables={name: tables[name] for name in sorted(tables)},
        sha256={path.relative_to(folder).as_posix(): _digest(path) for path in written},
    )
    (folder / _MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
    return manifest


def _place_for(directory: Path, *, force: bool) -> None:
    """Refuse what must not be overwritten: anything but a region, and a region without force."""
    if directory.is_symlink() or (directory.exists() and not directory.is_dir()):
        raise RegionError(f"{directory} is not a folder; name a new or an empty one")
    if not directory.exists() or not any(directory.iterdir()):
        return
    if not force:
        raise RegionError(
            f"{directory} is not empty; name another folder, or add --force to replace a region"
        )
    read_manifest(directory)


def create_region(
    directory: Path,
    *,
    persons: int,
    seed: int,
    on_progress: Progress | None = None,
    force: bool = False,
    as_of: date = AS_OF,
    rates: Rates | None = None,
) -> Manifest:
    """Build a region of people who do not exist.

    Args:
        directory: where it comes to lie; absent or empty, or with `force` an older region.
        persons: how many people.
        seed: any whole number from 0; the same seed and version give the same contents.
        on_progress: told about every stretch of rows.
        force: replace a region that is there. Anything else is never replaced.
        as_of: the day on which the region stands still.
        rates: how often things happen.

    Raises:
        RegionError: the folder or a number is not fit, or a file cannot be written.
    """
    if not 1 <= persons <= _MOST or seed < 0:
        raise RegionError(f"persons must be 1 to {_MOST:,} and seed not negative")
    _place_for(directory, force=force)
    plan = Plan(persons, seed, as_of, rates or Rates())
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    except OSError as error:
        raise RegionError(f"cannot write beside {directory}: {error.strerror}") from error
    try:
        manifest = _build(plan, building, on_progress or (lambda _name, _rows: None))
        building.chmod(0o755)
        _moved(building, directory)
    except OSError as error:
        raise RegionError(f"cannot write the region: {error.strerror}") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
        _made.cache_clear()
    return manifest


def _moved(building: Path, directory: Path) -> None:
    """Put the new region in place; an older one steps aside first and is removed last."""
    old = building.with_name(building.name + ".old")
    if directory.exists() and any(directory.iterdir()):
        directory.rename(old)
    building.replace(directory)
    shutil.rmtree(old, ignore_errors=True)
