"""The ``vectorizer`` provider: one HTTP request per page."""

import asyncio

import aiohttp
import anyio.to_thread
import httpx
from httpx_aiohttp import AiohttpTransport, HttpxAiohttpClient
from pydantic import SecretStr

from pastelka_common.contracts.options import ShapeStacking
from pastelka_common.contracts.statuses import SvgProcessingStatus
from pastelka_common.errors import PermanentError, SubmitUnknownError, TransientError
from pastelka_common.http_client import instrumented_request
from pastelka_common.response_body import (
    MAX_HEADER_BYTES,
    ResponseBodyError,
    ResponseTimeoutError,
    ResponseTooLargeError,
    ResponseTruncatedError,
    read_body,
)
from pastelka_vectorize.providers import SvgProgress, SvgRequest
from pastelka_vectorize.providers.page import PageUnusableError
from pastelka_vectorize.providers.vectorizer.responses import error_of, svg_of
from pastelka_vectorize.providers.vectorizer.upload import prepare_upload

CONNECT_TIMEOUT = 10.0
MAX_RESPONSE = 64 << 20
"""Maximum bytes of a response; an SVG of a page has well below one megabyte."""


class VectorizerProvider:
    """Vectorizes pages with Vectorizer.ai.

    ``base_url`` ends in ``/api/v1``. ``timeout`` (seconds) is for a whole request; the API requires at least
    180. A passed ``client`` is not closed. The request is synchronous and has no id: an interrupted one
    cannot be resumed, and may have been charged.
    """

    name = "vectorizer"

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        api_secret: SecretStr,
        timeout: float = 180,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/vectorize"
        self._auth = httpx.BasicAuth(api_key, api_secret.get_secret_value())
        self._timeout = timeout
        self._owns_client = client is None
        self._client = client or HttpxAiohttpClient(transport=AiohttpTransport(client=_session))

    async def vectorize(self, request: SvgRequest, progress: SvgProgress) -> bytes:
        """Send the page and return the SVG; see ``SvgProvider``."""
        try:
            async with request.page() as file:
                page = await anyio.to_thread.run_sync(prepare_upload, file)
        except PageUnusableError as exc:
            raise exc.as_permanent() from exc
        await progress.submitting(SvgProcessingStatus.VECTORIZER_PROCESSING)
        return await self._send(page, _fields(request))

    async def aclose(self) -> None:
        """Close the pooled connections."""
        if self._owns_client:
            await self._client.aclose()

    async def _send(self, page: bytes, fields: dict[str, str]) -> bytes:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._post(page, fields)
        except ResponseTooLargeError as exc:
            raise PermanentError(
                "provider_output_invalid", f"Vectorizer.ai's response cannot be read: {exc}."
            ) from exc
        except ResponseTruncatedError as exc:
            raise SubmitUnknownError(
                "answer_truncated",
                f"Vectorizer.ai's response was truncated: {exc}; the request may have been charged.",
            ) from exc
        except (TimeoutError, ResponseTimeoutError) as exc:
            raise SubmitUnknownError(
                "timeout",
                f"Vectorizer.ai did not respond within {self._timeout:g} s; "
                "the request may have been charged.",
            ) from exc
        except (httpx.HTTPError, aiohttp.ClientError, OSError) as exc:
            raise _connection_error(exc) from exc
        except httpx.InvalidURL as exc:
            raise PermanentError("provider_refused", "VECTORIZER_BASE_URL is not a valid URL.") from exc

    async def _post(self, page: bytes, fields: dict[str, str]) -> bytes:
        with instrumented_request("POST", self._url, "vectorize") as call:
            async with self._client.stream(
                "POST",
                self._url,
                auth=self._auth,
                data=fields,
                files={"image": ("image.png", page, "image/png")},
                timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT),
            ) as response:
                call.status = response.status_code
                body = await self._read(response)
        if response.status_code == httpx.codes.OK:
            return svg_of(body)
        raise error_of(response.status_code, response.headers, body)

    async def _read(self, response: httpx.Response) -> bytes:
        try:
            return await read_body(response.aiter_bytes(), max_bytes=MAX_RESPONSE, timeout=self._timeout)
        except ResponseBodyError:
            if response.status_code == httpx.codes.OK:
                raise
            return b""  # the status alone identifies the error


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=httpx.create_ssl_context()),
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
        trust_env=True,  # HTTPS_PROXY
    )


def _fields(request: SvgRequest) -> dict[str, str]:
    stacked = request.shape_stacking is ShapeStacking.STACKED
    return {
        "output.file_format": "svg",
        "output.shape_stacking": "stacked" if stacked else "cutouts",
        "output.group_by": request.group_by.value,
        "output.parameterized_shapes.flatten": "true",
    }


def _connection_error(exc: Exception) -> TransientError:
    # httpx-aiohttp reports every aiohttp connection error, including dropped connections, as ConnectTimeout:
    # the cause distinguishes them.
    cause = exc.__cause__ or exc
    if isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return TransientError(
            "provider_unreachable", "Vectorizer.ai cannot be reached; the request will be retried."
        )
    return SubmitUnknownError(
        "connection_lost",
        "The connection to Vectorizer.ai was lost before a response; the request may have been charged.",
    )
