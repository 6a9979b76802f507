/** The extensions are for browsers that have no MIME type for these formats and would hide the files. */
export const ACCEPTED_PHOTOS = "image/*,.heic,.heif,.avif,.jfif,.tif,.tiff";

/** MIME types that browsers report for unknown formats, such as HEIC. */
const UNKNOWN: readonly string[] = ["", "application/octet-stream"];

/** Whether the file may be a photo; the server decides by its content. */
export function isPhotoFile(file: File): boolean {
  return file.type.startsWith("image/") || UNKNOWN.includes(file.type);
}
