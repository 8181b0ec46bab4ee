"""Text on a drawn map."""

from PIL import Image, ImageDraw, ImageFont

DARK, LIGHT = (20, 20, 20), (255, 255, 255)


def write_notice(picture: Image.Image, sentence: str) -> None:
    """Write a sentence across the middle, as large as fits, on a dark band."""
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=max(8, min(48, picture.width // 20)))
    _, upper, _, lower = draw.textbbox((0, 0), sentence, font=font)
    middle, half = picture.height // 2, (lower - upper)
    draw.rectangle((0, middle - half, picture.width, middle + half), fill=DARK)
    draw.text((picture.width // 2, middle), sentence, font=font, fill=LIGHT, anchor="mm")


def write_mark(picture: Image.Image, word: str) -> None:
    """Write a word into the upper left corner, on a dark label."""
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=max(8, min(32, picture.width // 12, picture.height // 3)))
    left, upper, right, lower = draw.textbbox((0, 0), word, font=font)
    margin = max(2, (lower - upper) // 3)
    draw.rectangle((0, 0, right - left + 2 * margin, lower - upper + 2 * margin), fill=DARK)
    draw.text((margin - left, margin - upper), word, font=font, fill=LIGHT)
