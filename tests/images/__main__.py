"""``python -m tests.images``: builds and inspects every image, and runs the system from all of them."""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.images import standins, system
from tests.images.contents import added_megabytes, problems
from tests.images.engine import Engine, EngineError, cache_folder, missing_requirement
from tests.images.plan import IMAGES


def main() -> int:
    """0 if all checks pass, 1 if not, 2 if this machine lacks a requirement."""
    arguments = _arguments()
    if (reason := missing_requirement()) is not None:
        print(reason, file=sys.stderr)
        return 2
    os.nice(10)
    engine = Engine(cache_folder())
    try:
        with engine.locked_store(fresh=arguments.fresh):
            standins.prepare(engine, _say)
            wrong = _built(engine, fresh=arguments.fresh)
            wrong += _run(engine)
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    for complaint in wrong:
        print(f"wrong: {complaint}")
    passed = len(IMAGES) + 1 - len({complaint.split(":")[0] for complaint in wrong})
    print(f"{passed} passed, {len(IMAGES) + 1 - passed} failed")
    return 1 if wrong else 0


def _built(engine: Engine, *, fresh: bool) -> list[str]:
    """Build every image; returns their problems."""
    wrong, table = [], []
    for image in IMAGES:
        _say(f"building {image.name}")
        began = time.monotonic()
        engine.build(image, fresh=fresh)
        seconds = time.monotonic() - began
        wrong += problems(engine, image)
        size = added_megabytes(engine, image)
        table.append(f"{image.name:<12}{size:>8.0f}{image.budget:>10}{seconds:>10.0f}")
        if size > image.budget:
            wrong.append(f"{image.name}: adds {size:.0f} MB to its base; its budget is {image.budget} MB")
    print(f"\n{'image':<12}{'adds MB':>8}{'budget':>10}{'built s':>10}", *table, "", sep="\n")
    return wrong


def _run(engine: Engine) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="pastelka-images-") as folder:
        Path(folder).chmod(0o755)
        try:
            for seen in asyncio.run(system.run(engine, Path(folder), _say)):
                print(seen)
        except AssertionError as error:
            return [f"system: {error}"]
    return []


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.images", description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="rebuild every step")
    return parser.parse_args()


def _say(text: str) -> None:
    print(f"==> {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
