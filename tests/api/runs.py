"""Runs schemathesis against an API with access control as anonymous caller, viewer and operator."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import aiohttp

from pastelka_common.testing.forkserver import run_forked
from tests.api import campaign
from tests.api.campaign import Form, Outcome
from tests.api.running import RunningApi, running_api
from tests.api.seed import seed

_SCOPES = {"viewer": "read", "operator": "write"}


async def run(folder: Path, forms: Mapping[str, Form], number: int) -> list[Outcome]:
    """Run as each caller in ``forms`` on the same data, with the seed ``number``."""
    async with running_api(folder, {"AUTH_MODE": "password"}) as api:
        tokens = {name: await _token(api, name) for name in {*forms, "operator"}}
        headers = {"Authorization": f"Bearer {tokens['operator']}"}
        known = await seed(api, headers)
        document = folder / "openapi.json"
        document.write_bytes(await _document(api, headers))
        outcomes = []
        for caller, form in forms.items():
            reports = folder / caller
            reports.mkdir()
            outcomes.append(
                await campaign.run(
                    api,
                    known,
                    reports,
                    caller=caller,
                    token=tokens[caller],
                    document=document,
                    seed=number,
                    form=form,
                )
            )
        return outcomes


async def _document(api: RunningApi, headers: dict[str, str]) -> bytes:
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.get(f"{api.url}/api/v1/openapi.json") as response,
    ):
        return await response.read()


async def _token(api: RunningApi, caller: str) -> str | None:
    if caller == "anonymous":
        return None
    return await _command(api, "tokens", "create", caller, "--scope", _SCOPES[caller], "--expires", "8h")


async def _command(api: RunningApi, *arguments: str) -> str:
    """Output of a command of the orders service."""
    env = {**os.environ, "DATABASE_URL": api.database_url, "NATS_URL": api.nats_url}
    done = await run_forked("pastelka_orders", *arguments, env=env)
    if done.code:
        raise RuntimeError(f"{' '.join(arguments)} ended with {done.code}: {done.err}")
    return done.out.strip()


def findings(outcomes: Sequence[Outcome]) -> list[str]:
    """The findings, and failures of schemathesis itself."""
    found = [f"{one.caller}: {failure}" for one in outcomes for failure in one.failures]
    gave_up = [one for one in outcomes if one.exit_code and not one.failures]
    return found + [
        f"{one.caller}: schemathesis ended with {one.exit_code}:\n{one.output[-3000:]}" for one in gave_up
    ]
