"""Why a query cannot be answered, in sentences for people."""

# Of a saved search, which may be older than what it starts from.
SEED_GONE = "The picture that this search starts from is gone, or you may not see it any more."


SILENT = "the search worker does not answer"
BUSY = "the search worker has no room for its model at the moment; try again soon"


class NotAnswered(Exception):
    """The query is fine, but there is no answer to it now. `status`: what a page answers with."""

    status = 503


class NoSpace(NotAnswered):
    def __init__(self) -> None:
        super().__init__("Searching starts once a model is set up: run `manage.py space create --shipped`.")


class NotForYou(NotAnswered):
    status = 403

    def __init__(self) -> None:
        super().__init__("Only curators choose the model that a search uses. Leave “space” out.")


class SpaceGone(NotAnswered):
    """Its tables went while it was being searched. The engine asks again; only a second time is it told."""

    def __init__(self) -> None:
        super().__init__("The model of this search was just retired. Search again.")


class TooSlow(NotAnswered):
    """The database was stopped: one question must not keep it from everybody else's."""

    def __init__(self) -> None:
        super().__init__(
            "This search took too long and was stopped. Search again, with fewer results or with a filter "
            "(a collection, a kind, a time); if it happens often, tell whoever runs this archive."
        )


class PictureExpired(NotAnswered):
    status = 410

    def __init__(self) -> None:
        super().__init__("The reference picture is kept for an hour only. Choose it again.")


class UnknownAsset(NotAnswered):
    status = 404

    def __init__(self) -> None:
        super().__init__("There is no such picture, or you may not see it.")


class NotEncodedYet(NotAnswered):
    status = 409

    def __init__(self) -> None:
        super().__init__("This picture is still being prepared. Similar ones can be found in a moment.")


class EncoderUnavailable(NotAnswered):
    """Words and pictures cannot be read now; browsing and "more like this" still work."""

    def __init__(self, reason: str = "", because: str = SILENT) -> None:
        super().__init__(
            f"Words and pictures cannot be read right now, because {because}. Browsing and “more like this” still work."
        )
        self.reason = reason


class AskedTooOften(NotAnswered):
    """Too many questions that the model has not read before. `wait`: seconds until the next one is answered."""

    status = 429

    def __init__(self, wait: int) -> None:
        super().__init__(
            f"These were many new questions in a short time, and others wait for answers too. Ask this one again in "
            f"{wait} second{'' if wait == 1 else 's'}. What was asked before is answered at once."
        )
        self.wait = wait


class StaleCursor(NotAnswered):
    status = 410

    def __init__(self) -> None:
        super().__init__(
            "The list that this page belongs to is not kept any more: some time has passed, or what you may see "
            "has changed. Search again to start it anew."
        )
