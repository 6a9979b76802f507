"""Settings of the storage: ``STORAGE_URL``, or the folder ``STORAGE_PATH``."""

import os
import re
import sys
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator

from pastelka_common.settings import EXIT_BAD_SETTINGS, ServiceSettings
from pastelka_common.storage.folder import FolderStorage
from pastelka_common.storage.interface import Storage

_REGION = "us-east-1"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class StorageSettings(ServiceSettings):
    """``STORAGE_*``, and for a bucket the usual ``AWS_*``; the library reads other ``AWS_*`` itself.

    Without a key pair, the credentials are those that AWS provides to the machine or pod.
    """

    storage_path: Path = Path("/data/images")
    storage_url: str = Field(default="", description="s3://bucket/prefix; empty: the folder STORAGE_PATH")
    aws_endpoint_url: str = Field(default="", repr=False, description="Of a store that is not Amazon's")
    aws_region: str = Field(
        default=_REGION, validation_alias=AliasChoices("aws_region", "aws_default_region")
    )
    aws_access_key_id: str = Field(default="", repr=False)
    aws_secret_access_key: SecretStr | None = None
    aws_session_token: SecretStr | None = None

    @field_validator("aws_region", mode="before")
    @classmethod
    def _empty_is_none(cls, region: str) -> str:
        return region or os.environ.get("AWS_DEFAULT_REGION") or _REGION

    @field_validator("storage_url")
    @classmethod
    def _names_a_bucket(cls, url: str) -> str:
        parts = urlsplit(url)
        if not url:
            return url
        if parts.scheme != "s3" or parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError("must be s3://bucket or s3://bucket/prefix; keys go into AWS_ACCESS_KEY_ID")
        if not _BUCKET.fullmatch(parts.netloc):
            raise ValueError("has no valid bucket name: 3 to 63 lower-case letters, digits, dots and hyphens")
        if ".." in parts.path.split("/"):
            raise ValueError("has a prefix with .. in it")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        # With files in a folder, AWS_* may be set for another program.
        if not self.storage_url:
            return self
        if self.aws_endpoint_url and not _is_origin(self.aws_endpoint_url):
            raise ValueError("AWS_ENDPOINT_URL must be http(s)://host or http(s)://host:port")
        secret = self.aws_secret_access_key
        if bool(self.aws_access_key_id) != bool(secret and secret.get_secret_value()):
            raise ValueError("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together: set both or neither")
        return self

    @property
    def bucket(self) -> str | None:
        """The bucket's name; ``None`` for a folder."""
        return urlsplit(self.storage_url).netloc or None

    @property
    def prefix(self) -> str:
        """Prefix of all keys, without leading and trailing slashes."""
        return unquote(urlsplit(self.storage_url).path).strip("/")


def _is_origin(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and _is_host(parts.netloc) and not parts.path.strip("/")


def _is_host(netloc: str) -> bool:
    return bool(netloc) and "@" not in netloc


def open_storage(settings: StorageSettings) -> Storage:
    """Open the storage that ``settings`` name, without a request.

    Prints the error and exits with 2 if the library rejects an ``AWS_*`` that it reads itself.
    """
    if settings.bucket is None:
        return FolderStorage(settings.storage_path)
    # Import the library only for a bucket.
    from pastelka_common.storage.bucket import BucketStorage, InvalidBucketError, parse_bucket_url  # noqa: PLC0415

    try:
        return BucketStorage(parse_bucket_url(settings))
    except InvalidBucketError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(EXIT_BAD_SETTINGS) from error
