"""uvicorn's protocol of a WebSocket, which answers a head that it cannot read."""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

REFUSED_HEAD = (
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    b"a request for a WebSocket has no body, at most 128 headers, and at most 8 KB in each line"
)

INVALID_TEXT = 1007
"""The code of a message whose bytes are no text (RFC 6455, 7.4.1)."""


class LensWebSocket(WebSocketsSansIOProtocol):
    """One WebSocket."""

    def data_received(self, data: bytes) -> None:
        """Read what the client sends; the first of it is the head that HTTP's protocol has parsed."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.close_sent:
            # uvicorn would wait for another head, without a limit, and fail to answer this one when the server ends.
            self.close_sent = True
            self.transport.write(REFUSED_HEAD)
            self.transport.close()

    def send_receive_event_to_app(self) -> None:
        """Hand a message over; uvicorn would log one that is no text with a traceback."""
        if self.curr_msg_data_type == "text" and not _is_text(b"".join(self.frames)):
            self.frames = []
            self.conn.send_close(INVALID_TEXT)
            self.handle_parser_exception()
            return
        super().send_receive_event_to_app()


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
