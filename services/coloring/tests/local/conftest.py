"""Free photos (they come with scikit-image) and pages made of them once for all tests."""

from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
import skimage.data
from PIL import Image

from pastelka_coloring.providers import ColoringRequest
from pastelka_coloring.providers.local import LocalColoringProvider
from pastelka_common.testing.sources import local_source


class SilentProgress:
    """Fails the test when the provider reports anything: the handler reports for it."""

    async def status(self, status):
        raise AssertionError(status)

    async def submitted(self, provider_job_id):
        raise AssertionError(provider_job_id)


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """Paths of stored photos by name."""
    folder = tmp_path_factory.mktemp("photos")
    loaded = {
        "astronaut": skimage.data.astronaut(),
        "coffee": skimage.data.coffee(),
        "cat": skimage.data.cat(),
    }
    for name, pixels in loaded.items():
        Image.fromarray(pixels).save(folder / f"{name}.jpg", quality=92)
    return {name: folder / f"{name}.jpg" for name in loaded}


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest_asyncio.fixture(scope="session")
async def provider(cache_dir):
    provider = LocalColoringProvider(cache_dir=cache_dir)
    yield provider
    await provider.aclose()


@pytest.fixture
async def without_model(tmp_path):
    """A provider where the extra with the model is not installed."""
    provider = LocalColoringProvider(cache_dir=tmp_path)
    provider._models = replace(provider._models, packages=("a_package_that_is_not_installed",))
    yield provider
    await provider.aclose()


@pytest.fixture(scope="session")
def progress():
    return SilentProgress()


@pytest.fixture(scope="session")
def page_of(provider, photos, progress):
    """Return a function that makes the page of a photo, each only once."""
    made: dict[object, bytes] = {}

    async def page(photo: str, *, steps: int = 4, megapixels: float = 1.0, **style) -> bytes:
        request = ColoringRequest(local_source(Path(photos[photo])), megapixels, steps, **style)
        key = (photo, replace(request, photo=None))
        if key not in made:
            made[key] = await provider.color(request, progress)
        return made[key]

    return page
