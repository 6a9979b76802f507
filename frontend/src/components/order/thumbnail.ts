/**
 * URL of the thumbnail of a stored file: `thumb_<name>.webp` in the same folder. Responses do not contain it,
 * which keeps an image below one kilobyte; see the storage contract.
 */
export function thumbnailOf(url: string): string {
  const cut = url.lastIndexOf("/") + 1;
  return `${url.slice(0, cut)}thumb_${url.slice(cut)}.webp`;
}
