/** How many pictures of a sheet a ZIP file already has, read from its bytes while they come in. */

/** A file's header in a ZIP file begins with `PK\3\4`, and its name after 30 bytes. */
const HEADER = [0x50, 0x4b, 3, 4];
const NAME_OFFSET = 30;
const NAME_LENGTH_OFFSET = 26;

/** The last file of each picture, see `app/output/archive.py`. */
const LAST_FILE = "/numbers.json";

/** Counts the files of that name, also where two chunks divide a header. */
export class PictureCounter {
  constructor() {
    /** @type {Uint8Array} the end of the bytes so far, which may be the beginning of a header. */
    this.rest = new Uint8Array();
    this.count = 0;
  }

  /**
   * @param {Uint8Array} chunk the next bytes.
   * @returns {number} the number of pictures that are complete.
   */
  add(chunk) {
    const bytes = new Uint8Array(this.rest.length + chunk.length);
    bytes.set(this.rest);
    bytes.set(chunk, this.rest.length);
    let start = 0;
    for (;;) {
      start = bytes.indexOf(HEADER[0] ?? 0, start);
      if (start < 0) {
        this.rest = new Uint8Array();
        return this.count;
      }
      const isWhole = start + NAME_OFFSET <= bytes.length;
      const end = isWhole ? start + NAME_OFFSET + readLength(bytes, start) : Number.POSITIVE_INFINITY;
      if (!startsLikeHeader(bytes, start)) {
        start += 1;
      } else if (end > bytes.length) {
        this.rest = bytes.slice(start);
        return this.count;
      } else {
        const name = new TextDecoder().decode(bytes.subarray(start + NAME_OFFSET, end));
        this.count += name.endsWith(LAST_FILE) ? 1 : 0;
        start = end;
      }
    }
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {number} start
 * @returns {boolean} whether a header may begin here, as far as the bytes go.
 */
function startsLikeHeader(bytes, start) {
  return HEADER.every((value, place) => start + place >= bytes.length || bytes[start + place] === value);
}

/**
 * @param {Uint8Array} bytes
 * @param {number} start of a header.
 * @returns {number} the length of its file's name.
 */
function readLength(bytes, start) {
  return (bytes[start + NAME_LENGTH_OFFSET] ?? 0) + 256 * (bytes[start + NAME_LENGTH_OFFSET + 1] ?? 0);
}
