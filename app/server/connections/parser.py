"""The parser of requests, which works in short turns and refuses heads and chunks that only cost time."""

import re

import h11

HEAD_BYTES = 16 * 1024
"""The limit of a request's line and headers."""

EVENTS_PER_TURN = 32
"""The parts of a body that are read in one turn of the loop; a part takes about a tenth of a millisecond."""

FEW_CHUNKS = 1000
SMALLEST_CHUNK_BYTES = 64
"""The mean size that the chunks of a body must have if it has more than a few."""

HEAD_END = re.compile(rb"\r?\n\r?\n")

Event = h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]


class Parser(h11.Connection):
    """h11's parser, with a limited number of events per turn.

    Attributes:
        is_resting: whether the last turn ended before all received data was parsed.
    """

    def __init__(self) -> None:
        super().__init__(h11.SERVER, HEAD_BYTES)
        self.is_resting = False
        self._events_left = EVENTS_PER_TURN
        self._chunks = self._chunk_bytes = 0

    def begin_turn(self) -> None:
        """Allow the events of another turn."""
        self.is_resting = False
        self._events_left = EVENTS_PER_TURN

    def next_event(self) -> Event:
        """The next event of the data; `NEED_DATA` also at the end of a turn.

        Raises:
            h11.RemoteProtocolError: for a request that is wrong or has a limit's worth too much.
        """
        if not self._events_left:
            self.is_resting = True
            return h11.NEED_DATA
        self._events_left -= 1
        if self.their_state is h11.IDLE:
            self._check_head()
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._chunks = self._chunk_bytes = 0
        elif isinstance(event, h11.Data):
            self._check_chunks(event)
        return event

    def _check_head(self) -> None:
        # h11 itself has a limit only for heads that come in parts.
        waiting, _ = self.trailing_data
        if len(waiting) > HEAD_BYTES and HEAD_END.search(waiting, 0, HEAD_BYTES) is None:
            raise h11.RemoteProtocolError("the headers are too long", error_status_hint=431)

    def _check_chunks(self, part: h11.Data) -> None:
        self._chunks += part.chunk_start
        self._chunk_bytes += len(part.data)
        if self._chunks > FEW_CHUNKS and self._chunk_bytes < self._chunks * SMALLEST_CHUNK_BYTES:
            raise h11.RemoteProtocolError("the chunks are too small", error_status_hint=400)
