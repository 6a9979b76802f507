"""Certificates of the test cluster, made by openssl: one authority, deleted with its folder."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

_SERVER = "IP:127.0.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
_WHO = {
    "apiserver": ("/CN=kube-apiserver", _SERVER),
    "admin": ("/O=system:masters/CN=admin", ""),
    "controller-manager": ("/CN=system:kube-controller-manager", ""),
    "scheduler": ("/CN=system:kube-scheduler", ""),
    "front-proxy": ("/CN=front-proxy-client", ""),
    "keda": ("/CN=keda", "IP:127.0.0.1,DNS:localhost"),
}


@dataclass(frozen=True)
class Pki:
    """A folder with ``<name>.crt`` and ``<name>.key``, ``ca.crt``, and the keys of service accounts."""

    folder: Path

    def crt(self, name: str) -> str:
        """Path of a certificate."""
        return str(self.folder / f"{name}.crt")

    def key(self, name: str) -> str:
        """Path of a private key."""
        return str(self.folder / f"{name}.key")

    def make(self) -> None:
        """Create all certificates and keys."""
        self.folder.mkdir(parents=True)
        key = ["-newkey", "rsa:2048", "-nodes"]
        self._openssl(
            "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=ca"
        )
        for name, (subject, names) in _WHO.items():
            self._issue(name, subject, names)
        self._openssl("genrsa", "-out", "accounts.key", "2048")
        self._openssl("rsa", "-in", "accounts.key", "-pubout", "-out", "accounts.pub")

    def _issue(self, name: str, subject: str, names: str) -> None:
        extensions = [
            "basicConstraints=CA:FALSE",
            "keyUsage=digitalSignature,keyEncipherment",
            "extendedKeyUsage=serverAuth,clientAuth",
            *([f"subjectAltName={names}"] if names else []),
        ]
        (self.folder / f"{name}.ext").write_text("\n".join(extensions) + "\n")
        request = ["-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr"]
        self._openssl("req", *request, "-subj", subject)
        authority = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"]
        self._openssl(
            "x509", "-req", "-in", f"{name}.csr", *authority, "-extfile", f"{name}.ext", "-out", f"{name}.crt"
        )

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, capture_output=True, check=True)
