"""A sink that remembers what came, in which order."""

from agentos_lambda.aws.handlers.prelude import Prelude


class RecordingSink:
    def __init__(self) -> None:
        self.preludes: list[Prelude] = []
        self.pieces: list[bytes] = []
        self.finishes: list[BaseException | None] = []

    async def start(self, prelude: Prelude) -> None:
        prelude.metadata()
        self.preludes.append(prelude)

    async def write(self, data: bytes) -> None:
        self.pieces.append(data)

    async def finish(self, error: BaseException | None = None) -> None:
        self.finishes.append(error)

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def status(self) -> int:
        [prelude] = self.preludes
        return prelude.status
