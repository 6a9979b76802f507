"""Links to services that people share photos by: such a link leads to a page, not to the photo."""

from collections.abc import Iterable

from yarl import URL

_DRIVE_DOWNLOAD = "drive.usercontent.google.com"
_SERVICES = {
    "photos.app.goo.gl": "Google Photos",
    "photos.google.com": "Google Photos",
    "drive.google.com": "Google Drive",
    "docs.google.com": "Google Drive",
    _DRIVE_DOWNLOAD: "Google Drive",
    "dropbox.com": "Dropbox",
    "dropboxusercontent.com": "Dropbox",
    "icloud.com": "iCloud",
    "1drv.ms": "OneDrive",
    "onedrive.live.com": "OneDrive",
    "sharepoint.com": "OneDrive",
    "we.tl": "WeTransfer",
    "wetransfer.com": "WeTransfer",
    "facebook.com": "Facebook",
    "fb.me": "Facebook",
    "instagram.com": "Instagram",
    "rajce.idnes.cz": "Rajče",
    "zonerama.com": "Zonerama",
    "uschovna.cz": "Úschovna",
}
"""Names by domain; a subdomain belongs to its domain's service."""


def direct_link(url: URL) -> URL:
    """The address of the file behind a share link of Google Drive or Dropbox; any other ``url`` as it is.

    Forms: ``drive.google.com/file/d/ID/view``, ``/open?id=ID`` and ``/uc?id=ID``; ``dropbox.com/s/...`` and
    ``/scl/fi/...``. Drive shows a page about its virus scan before a large file unless ``confirm`` is sent.
    """
    match service_of([url]), url.host:
        case "Google Drive", str() as host if host != _DRIVE_DOWNLOAD:
            return _drive_download(url)
        case "Dropbox", str() as host if host.removeprefix("www.") == "dropbox.com":
            is_file = url.path.startswith(("/s/", "/scl/fi/"))
            return url.without_query_params("raw").update_query(dl="1") if is_file else url
    return url


def _drive_download(url: URL) -> URL:
    file_id = url.query.get("id")
    match [part for part in url.parts if part != "/"]:
        case ["file", "d", found, *_] | ["u", _, "file", "d", found, *_]:
            file_id = found
        case [*_, "open" | "uc"] if file_id:
            pass
        case _:
            return url
    kept = {"resourcekey": url.query["resourcekey"]} if "resourcekey" in url.query else {}
    query = {"id": file_id or "", "export": "download", "confirm": "t", **kept}
    return URL.build(scheme=url.scheme, host=_DRIVE_DOWNLOAD, path="/download", query=query)


def service_of(urls: Iterable[URL]) -> str | None:
    """The service of the first of ``urls`` that belongs to one."""
    for url in urls:
        labels = (url.host or "").lower().rstrip(".").split(".")
        for start in range(len(labels)):
            if name := _SERVICES.get(".".join(labels[start:])):
                return name
    return None


def advice(service: str) -> str:
    """One sentence for the operator: what ``service`` delivered, and what to ask the customer for."""
    return (
        f"the link leads to a page of {service}, not to the photo. Ask the customer for the photo file, "
        "or to share it with everyone who has the link"
    )
