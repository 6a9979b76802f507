"""The three calls of a RunPod endpoint, without retries."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from urllib.parse import quote

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport, HttpxAiohttpClient
from pydantic import SecretStr, ValidationError

from pastelka_coloring.providers.runpod.faults import (
    ConnectionFaultError,
    job_fault,
    malformed_status,
    missing_job_id,
    submit_fault,
)
from pastelka_coloring.providers.runpod.wire import Accepted, JobReply
from pastelka_common.http_client import instrumented_request
from pastelka_common.response_body import MAX_HEADER_BYTES, ResponseBodyError, read_body

_CHUNK = 128 * 1024
_TIMEOUT = httpx.Timeout(30.0, connect=10.0, pool=30.0)
_BODY_TIMEOUT = 120.0
"""Seconds for a whole body; ``_TIMEOUT`` is per chunk."""
# Servers and gateways close idle connections after 60 s or more; closing them first avoids that a request is
# lost on a closing connection.
_KEEPALIVE_SECONDS = 15.0
# The local server of RunPod's SDK runs the job during the status request.
_TIMEOUT_OF_POST_STATUS = httpx.Timeout(30.0, connect=10.0, pool=30.0, read=None)
# Endpoint id of a server with its routes directly below the base URL, like that local server.
_NO_ENDPOINT = "."


def pooled_client(connections: int) -> httpx.AsyncClient:
    """A client for one process, with up to ``connections`` concurrent requests."""

    def session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=connections, keepalive_timeout=_KEEPALIVE_SECONDS, ssl=httpx.create_ssl_context()
            ),
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
            trust_env=True,  # HTTPS_PROXY
        )

    return HttpxAiohttpClient(timeout=_TIMEOUT, transport=AiohttpTransport(client=session))


class RunpodApi:
    """One endpoint of RunPod."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        base_url: str,
        endpoint_id: str,
        api_key: SecretStr,
        response_bytes: int,
    ) -> None:
        self._client = client
        self._root = base_url.rstrip("/")
        if endpoint_id != _NO_ENDPOINT:
            self._root += f"/{quote(endpoint_id, safe='')}"
        self._headers = {"Authorization": f"Bearer {api_key.get_secret_value()}"}
        self._response_bytes = response_bytes
        self._status_method = "GET"

    async def submit(self, body: bytes) -> str:
        """Submit a job and return its id. Raises the error of :func:`faults.submit_fault`."""
        try:
            response = await self._send("POST", "run", body=body)
        except ConnectionFaultError as fault:
            raise submit_fault(fault) from fault
        if not response.is_success:
            raise submit_fault(response)
        try:
            return Accepted.model_validate_json(response.content).id
        except ValidationError as error:
            raise missing_job_id() from error

    async def status(self, job_id: str) -> JobReply:
        """Query the status of a job. Raises the ``TransientError`` of :func:`faults.job_fault`."""
        try:
            response = await self._request_status(job_id)
        except ConnectionFaultError as fault:
            raise job_fault(fault) from fault
        if not response.is_success:
            raise job_fault(response)
        try:
            return JobReply.model_validate_json(response.content)
        except ValidationError as error:
            raise malformed_status() from error

    async def cancel(self, job_id: str) -> None:
        """Cancel a job. Raises the ``TransientError`` of :func:`faults.job_fault`."""
        try:
            response = await self._send("POST", "cancel/{id}", job_id)
        except ConnectionFaultError as fault:
            raise job_fault(fault) from fault
        if not response.is_success:
            raise job_fault(response)

    async def _request_status(self, job_id: str) -> httpx.Response:
        """Query the status with the server's method: GET, or POST after a 405.

        The change is kept for this process only after a response with a state: a gateway may also return 405.
        """
        response = await self._send(self._status_method, "status/{id}", job_id)
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
            return response
        other = "POST" if self._status_method == "GET" else "GET"
        response = await self._send(other, "status/{id}", job_id)
        if response.is_success:
            self._status_method = other
        return response

    async def _send(
        self, method: str, template: str, job_id: str = "", *, body: bytes | None = None
    ) -> httpx.Response:
        """One request with its complete response. Raises :class:`ConnectionFaultError`."""
        url = f"{self._root}/{template.replace('{id}', quote(job_id, safe=''))}"
        headers = dict(self._headers)
        if body is not None:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        is_post_status = method == "POST" and template.startswith("status/")
        timeout = _TIMEOUT_OF_POST_STATUS if is_post_status else httpx.USE_CLIENT_DEFAULT
        try:
            with instrumented_request(method, url, template) as call:
                async with self._client.stream(
                    method,
                    url,
                    headers=headers,
                    content=None if body is None else _chunks(body),
                    timeout=timeout,
                ) as response:
                    call.status = response.status_code
                    content = await self._read(response)
        except (httpx.HTTPError, aiohttp.ClientError, ResponseBodyError) as error:
            raise ConnectionFaultError(error) from error
        return httpx.Response(response.status_code, headers=_plain(response.headers), content=content)

    async def _read(self, response: httpx.Response) -> bytes:
        try:
            return await read_body(
                response.aiter_bytes(), max_bytes=self._response_bytes, timeout=_BODY_TIMEOUT
            )
        except ResponseBodyError:
            if response.is_success:
                raise
            return b""  # the status alone identifies the failure


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    """A body in chunks, so that a large one does not block the event loop."""
    for start in range(0, len(body), _CHUNK):
        yield body[start : start + _CHUNK]


def _plain(headers: httpx.Headers) -> httpx.Headers:
    """Headers for a decoded body: no content encoding, actual length."""
    dropped = ("content-encoding", "content-length", "transfer-encoding")
    return httpx.Headers([(name, value) for name, value in headers.items() if name not in dropped])
