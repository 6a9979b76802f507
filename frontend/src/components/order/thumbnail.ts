/**
 * Where the gateway serves the small picture of a stored file: beside it, `thumb_<name>.webp`. The API
 * lists none for images, so that one image stays within its kilobyte; see the storage contract.
 */
export function thumbnailOf(url: string): string {
  const cut = url.lastIndexOf("/") + 1;
  return `${url.slice(0, cut)}thumb_${url.slice(cut)}.webp`;
}
