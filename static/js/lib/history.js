/**
 * The visitor's own pictures, kept in this browser: what was uploaded, and how it was looked at last. Where a browser
 * keeps nothing (private windows may not, and a disk may be full), the page works as without.
 */

const DATABASE = "cbam-lens";
const STORE = "pictures";

/** The most entries, more than the 200 pictures of a sheet; the oldest leave first. */
export const MOST_ENTRIES = 260;

/** The most bytes of all pictures together; older entries then keep their thumbnails alone. */
export const MOST_BYTES = 200_000_000;

/**
 * @typedef {object} Entry
 * @property {string} id of the analysis.
 * @property {string} name of the file.
 * @property {number} at the time of the upload, in milliseconds since 1970.
 * @property {Record<string, string>} options the fields that were sent with the picture.
 * @property {Blob | null} picture the file; null if there was no room for it.
 * @property {string} search the part of the address that was seen last.
 * @property {number} expires when the server drops the analysis, in milliseconds since 1970; 0 if it is not known yet.
 * @property {Blob | null} thumbnail
 */

/**
 * The analysis of an address, and how it is looked at.
 *
 * @param {string} address
 * @returns {Pick<Entry, "id" | "search">} with an empty id if it is not an analysis's page.
 */
export function readView(address) {
  const { pathname, search } = new URL(address);
  return { id: /\/analyses\/([\w-]+)$/.exec(pathname)?.[1] ?? "", search };
}

/**
 * The fields beside the picture.
 *
 * @param {FormData} data
 * @returns {Record<string, string>}
 */
export function readOptions(data) {
  /** @type {Record<string, string>} */
  const options = {};
  for (const [name, value] of data) {
    if (typeof value === "string") {
      options[name] = value;
    }
  }
  return options;
}

/**
 * Keep an uploaded picture.
 *
 * @param {Pick<Entry, "id" | "search"> & Partial<Entry>} view its analysis, and whatever else is known of it.
 * @param {File} file
 * @param {Record<string, string>} options the fields that were sent with it.
 */
export async function keepUpload(view, file, options) {
  if (view.id) {
    const entry = { name: file.name, at: Date.now(), options, picture: file, expires: 0, thumbnail: null, ...view };
    await tryTo(async (database) => {
      await put(database, entry);
      await makeRoom(database);
    });
  }
}

/**
 * Note how a kept picture is looked at now; nothing happens for other pictures.
 *
 * @param {string} address
 * @param {number} expires
 * @param {() => Promise<Blob | null>} drawThumbnail
 */
export async function noteView(address, expires, drawThumbnail) {
  const { id, search } = readView(address);
  await tryTo(async (database) => {
    const entry = await get(database, id);
    if (entry) {
      const thumbnail = entry.thumbnail ?? (await drawThumbnail());
      await put(database, { ...entry, thumbnail, expires, search });
    }
  });
}

/**
 * All entries, the newest first.
 *
 * @returns {Promise<Entry[]>}
 */
export async function listEntries() {
  return (await tryTo(list)) ?? [];
}

/** @param {string} id of the entry to forget. */
export async function forget(id) {
  await tryTo((database) => answer(open(database, "readwrite").delete(id)));
}

/**
 * Choose what has to leave: entries beyond the most, and the pictures of those beyond the most bytes.
 *
 * @param {Entry[]} entries the newest first.
 * @returns {{gone: Entry[], bare: Entry[]}}
 */
export function chooseLeaving(entries) {
  let bytes = 0;
  const bare = entries.slice(0, MOST_ENTRIES).filter(({ picture }) => {
    bytes += picture?.size ?? 0;
    return picture !== null && bytes > MOST_BYTES;
  });
  return { gone: entries.slice(MOST_ENTRIES), bare };
}

/** @param {IDBDatabase} database */
async function makeRoom(database) {
  const { gone, bare } = chooseLeaving(await list(database));
  for (const { id } of gone) {
    await answer(open(database, "readwrite").delete(id));
  }
  for (const entry of bare) {
    await put(database, { ...entry, picture: null });
  }
}

/**
 * @param {IDBDatabase} database
 * @returns {Promise<Entry[]>}
 */
async function list(database) {
  /** @type {Entry[]} */
  const entries = await answer(open(database, "readonly").getAll());
  return entries.sort((first, second) => second.at - first.at);
}

/**
 * @param {IDBDatabase} database
 * @param {string} id
 * @returns {Promise<Entry | undefined>}
 */
function get(database, id) {
  return answer(open(database, "readonly").get(id));
}

/**
 * @param {IDBDatabase} database
 * @param {Entry} entry
 */
async function put(database, entry) {
  try {
    await answer(open(database, "readwrite").put(entry));
  } catch (error) {
    if (entry.picture === null || !isFull(error)) {
      throw error;
    }
    await answer(open(database, "readwrite").put({ ...entry, picture: null }));
  }
}

/**
 * @param {unknown} error
 * @returns {boolean}
 */
function isFull(error) {
  return error instanceof DOMException && error.name === "QuotaExceededError";
}

/**
 * Do something with the database; undefined if this browser has none, or refuses.
 *
 * @template T
 * @param {(database: IDBDatabase) => Promise<T>} work
 * @returns {Promise<T | undefined>}
 */
async function tryTo(work) {
  /** @type {IDBDatabase | undefined} */
  let database;
  try {
    const request = indexedDB.open(DATABASE, 1);
    request.addEventListener("upgradeneeded", () => request.result.createObjectStore(STORE, { keyPath: "id" }));
    database = await answer(request);
    return await work(database);
  } catch (error) {
    console.info("This browser keeps no pictures:", error);
    return undefined;
  } finally {
    database?.close();
  }
}

/**
 * @param {IDBDatabase} database
 * @param {IDBTransactionMode} mode
 * @returns {IDBObjectStore}
 */
function open(database, mode) {
  return database.transaction(STORE, mode).objectStore(STORE);
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function answer(request) {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
}
