/** Small pictures of what the visitor attaches: Chatwoot's own copies lie on another origin, which the page may not load. */

const LONG_SIDE_PX = 360;

/** A small picture as a data URL, or null for a file that is not a picture the browser knows. */
export async function thumbnail(file) {
  if (!file.type.startsWith("image/")) return null;
  try {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, LONG_SIDE_PX / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    return canvas.toDataURL("image/jpeg", 0.75);
  } catch {
    return null;
  }
}
