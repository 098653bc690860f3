"""Backups in a release of a GitHub repository: one archive for each run, of which the newest are kept."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, Any, Final

import httpx

from community_metrics.errors import BackupDamaged, BackupUnavailable

if TYPE_CHECKING:
    from pathlib import Path

_PREFIX: Final = "community-metrics-"
_KEPT: Final = 3
_WHOLE: Final = "uploaded"
"""The state of a file that arrived completely; one whose upload was cut off stays in another."""
_TIMEOUT_S: Final = 120.0


class ReleaseStore:
    """The archives of a release, of which the newest is unpacked into a folder."""

    def __init__(self, api: str, repository: str, tag: str, token: str, folder: Path) -> None:
        self.name = f"the release {tag} of {repository}"
        self._tag = tag
        self._folder = folder
        self._base = f"{api}/repos/{repository}"
        headers = {"authorization": f"Bearer {token}", "user-agent": "community-metrics"}
        self._client = httpx.Client(headers=headers, timeout=_TIMEOUT_S, follow_redirects=True)

    @property
    def target(self) -> str:
        """The folder of the unpacked backups."""
        return str(self._folder / "backups")

    def fetch(self) -> bool:
        """Unpack the newest archive into the folder; return False if there is no such release.

        Raises:
            BackupUnavailable: GitHub did not return it.
            BackupDamaged: the archive cannot be unpacked.
        """
        self._folder.mkdir(parents=True)
        release = self._release()
        if release is None:
            return False
        archives = _archives(release)
        if archives:
            self._unpack(archives[-1])
        return True

    def keep(self) -> None:
        """Upload the folder as a new archive, then remove all but the newest.

        Raises:
            BackupUnavailable: GitHub did not take it.
        """
        release = self._release() or self._created()
        newest = max(path.name for path in (self._folder / "backups").iterdir())
        archive = self._folder / f"{_PREFIX}{newest}.tar"
        with tarfile.open(archive, "w") as packed:
            packed.add(self._folder / "backups", "backups")
        address = str(release["upload_url"]).partition("{")[0]
        with archive.open("rb") as content:
            sent = {"content-type": "application/x-tar", "content-length": str(archive.stat().st_size)}
            stored = self._ask("POST", address, params={"name": archive.name}, headers=sent, content=content)
        if stored.json()["size"] != archive.stat().st_size:
            raise BackupUnavailable(f"{self.name} has only a part of {archive.name}. Fix: run the job again.")
        release = self._release() or release
        for old in [*_archives(release)[:-_KEPT], *_archives(release, is_whole=False)]:
            self._ask("DELETE", old["url"])

    def _release(self) -> dict[str, Any] | None:
        response = self._ask("GET", f"{self._base}/releases/tags/{self._tag}", missing_ok=True)
        return None if response.status_code == httpx.codes.NOT_FOUND else dict(response.json())

    def _created(self) -> dict[str, Any]:
        facts = {"tag_name": self._tag, "name": "Backups of community-metrics", "prerelease": True}
        return dict(self._ask("POST", f"{self._base}/releases", json=facts).json())

    def _unpack(self, asset: dict[str, Any]) -> None:
        archive = self._folder / "fetched.tar"
        as_file = {"accept": "application/octet-stream"}
        archive.write_bytes(self._ask("GET", asset["url"], headers=as_file).content)
        try:
            with tarfile.open(archive) as packed:
                packed.extractall(self._folder, filter="data")
        except (tarfile.TarError, OSError) as error:
            raise BackupDamaged(
                f"{asset['name']} of {self.name} cannot be unpacked: {error}. Nothing was changed. "
                "Fix: delete this file of the release; the one before it is then restored."
            ) from error

    def _ask(self, method: str, address: str, *, missing_ok: bool = False, **parts: Any) -> httpx.Response:
        try:
            response = self._client.request(method, address, **parts)
        except httpx.HTTPError as error:
            raise BackupUnavailable(
                f"{self.name}: GitHub did not answer: {error!r}. Fix: try again."
            ) from error
        if response.is_success or (missing_ok and response.status_code == httpx.codes.NOT_FOUND):
            return response
        raise BackupUnavailable(
            f"{self.name}: GitHub returned {response.status_code} for {method} {response.request.url.path}. "
            "Fix: let the job write contents (`permissions: contents: write`)."
        )


def _archives(release: dict[str, Any], *, is_whole: bool = True) -> list[dict[str, Any]]:
    """Return the archives of backups, oldest first: their names begin with the time of the newest backup."""
    own = [asset for asset in release["assets"] if str(asset["name"]).startswith(_PREFIX)]
    found = [asset for asset in own if (asset["state"] == _WHOLE) is is_whole]
    return sorted(found, key=lambda asset: str(asset["name"]))
