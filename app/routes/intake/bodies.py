"""Bodies other than forms: a picture by itself, and JSON with the picture in base64. Both become a form."""

import binascii
import io
import json
from base64 import b64decode

from starlette.datastructures import FormData, Headers, UploadFile

from app.errors import InvalidOption
from app.routes.intake.names import LONGEST_NAME

JSON = "application/json"

IMAGE_TYPES = "image/"

MOST_PARTS = 1000
"""The most commas and brackets of a JSON body, which tell its values before they are made. Base64 has neither."""

SPACES = b" \t\r\n"

EXAMPLE = '{"image": "BASE64", "target": "dalmatian"}'


def read_picture_body(body: bytes, media_type: str) -> FormData:
    """Make the form of a body that is a picture."""
    return FormData([("image", _make_file(body, media_type))])


def read_json_body(body: bytes) -> FormData:
    """Make the form of a JSON object whose `image` is a picture in base64, alone or in a `data:` address.

    Raises:
        InvalidOption: for a body that is no such object.
    """
    values = parse_json(body, example=EXAMPLE)
    if not isinstance(values, dict):
        raise InvalidOption(f"the JSON body is no object; send {EXAMPLE}", option="body")
    items: list[tuple[str, UploadFile | str]] = []
    for name, value in values.items():
        if name == "image":
            items.append((name, _make_file(decode_base64(value), "application/octet-stream")))
        else:
            items += [(name, text) for text in _list_texts(name, value)]
    return FormData(items)


def decode_base64(value: object) -> bytes:
    """Decode a picture in base64, alone or in a `data:` address.

    Raises:
        InvalidOption: for what is no such text.
    """
    if not isinstance(value, str):
        raise InvalidOption("image is not a text; send the picture's file in base64", option="image")
    text = value.partition(",")[2] if value.startswith("data:") else value
    try:
        return b64decode(text.encode("ascii", "replace").translate(None, SPACES), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidOption(
            f"image is not base64: {str(error).lower()}; encode the picture's file", option="image"
        ) from error


def parse_json(body: bytes, *, example: str) -> object:
    """Parse a JSON body, of few values but with long texts.

    Raises:
        InvalidOption: for a body that is no JSON or has too many values; it proposes the example.
    """
    if sum(map(body.count, (b",", b"[", b"{"))) > MOST_PARTS:
        raise InvalidOption(f"the JSON body has more than {MOST_PARTS} values; send {example}", option="body")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidOption(f"the body is no JSON: {_explain(error)}; send {example}", option="body") from error


def _explain(error: ValueError | RecursionError) -> str:
    match error:
        case json.JSONDecodeError():
            return str(error)
        case UnicodeError():
            return "it is no UTF-8"
        case RecursionError():
            return "its lists and objects are too deep"
        case _:
            # Python converts no text of more than 4,300 digits, which takes quadratic time.
            return "one of its numbers has too many digits"


def _list_texts(name: str, value: object) -> list[str]:
    """An option's value as a form has it; a list gives several, and null none."""
    values = value if isinstance(value, list) else [value]
    if any(isinstance(part, list | dict) for part in values):
        shown = name[:LONGEST_NAME]
        kind = "an object" if isinstance(value, dict) else "a list of lists or objects"
        raise InvalidOption(f"{shown} is {kind}; send a text or a number", option=shown)
    return [part if isinstance(part, str) else json.dumps(part) for part in values if part is not None]


def _make_file(content: bytes, media_type: str) -> UploadFile:
    headers = Headers({"content-type": media_type})
    return UploadFile(io.BytesIO(content), size=len(content), filename="", headers=headers)
