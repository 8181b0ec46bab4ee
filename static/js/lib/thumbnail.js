/** Small pictures for the list of the visitor's own ones. */

const THUMBNAIL_PIXELS = 320;

/**
 * @param {HTMLImageElement} image
 * @returns {Promise<Blob | null>}
 */
export async function shrinkImage(image) {
  await image.decode();
  return shrink(image, image.naturalWidth, image.naturalHeight);
}

/**
 * @param {File} file
 * @returns {Promise<Blob | null>} null for a picture of a kind that this browser cannot show, HEIC for instance.
 */
export async function shrinkFile(file) {
  try {
    const bitmap = await createImageBitmap(file);
    return await shrink(bitmap, bitmap.width, bitmap.height).finally(() => bitmap.close());
  } catch (error) {
    if (error instanceof DOMException) {
      return null;
    }
    throw error;
  }
}

/**
 * @param {CanvasImageSource} source
 * @param {number} width
 * @param {number} height
 * @returns {Promise<Blob | null>}
 */
function shrink(source, width, height) {
  const share = Math.min(1, THUMBNAIL_PIXELS / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(share * width));
  canvas.height = Math.max(1, Math.round(share * height));
  canvas.getContext("2d")?.drawImage(source, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => {
    canvas.toBlob(resolve, "image/jpeg", 0.85);
  });
}
