/** Queries about the versions of one image; pure functions. */
import type { ColoringVersion, Kind, OrderImage, SvgVersion, Version } from "./model";

export const isActive = (version: Version): boolean =>
  version.status !== "completed" && version.status !== "error";

/** Whether a user cancelled it, which is not a failure. */
export const isCancelled = (version: Version): boolean => version.error?.code === "cancelled";

/** Error code of a photo whose stored file is missing. */
const PHOTO_LOST = "photo_missing";

/** URL of the photo; null while it is not stored, or if its file was lost. */
export function photoOf(image: OrderImage): string | null {
  return isPhotoLost(image) ? null : image.url;
}

export const isPhotoLost = (image: OrderImage): boolean => image.error?.code === PHOTO_LOST;

export function versionsOf(image: OrderImage, kind: Kind): Version[] {
  return image.versions[kind];
}

/** The chosen version if its file exists. */
export function chosenVersion(image: OrderImage, kind: "coloring"): ColoringVersion | undefined;
export function chosenVersion(image: OrderImage, kind: "svg"): SvgVersion | undefined;
export function chosenVersion(image: OrderImage, kind: Kind): Version | undefined;
export function chosenVersion(image: OrderImage, kind: Kind): Version | undefined {
  const id = image.selected_version_ids[kind];
  return versionsOf(image, kind).find((version) => version.id === id);
}

/** The page that an SVG was made from. */
export function pageOf(image: OrderImage, svg: SvgVersion): ColoringVersion | undefined {
  return image.versions.coloring.find((page) => page.id === svg.coloring_version_id);
}

/** The page that a new SVG would be made from, by the API's rule: the chosen one, or else the newest. */
export function pageToVectorise(image: OrderImage): ColoringVersion | undefined {
  const chosen = chosenVersion(image, "coloring");
  if (chosen?.status === "completed") return chosen;
  return image.versions.coloring.findLast((page) => page.status === "completed");
}

/**
 * The versions that are shown beside the chosen picture: those in progress, and those that failed since the
 * last success. An older failure is only a tile in the strip until it is opened, unless it is the chosen
 * version: then its file was lost, and the image cannot be printed.
 */
export function versionsToMention(versions: Version[], chosen: number | null, opened?: number): Version[] {
  const lastSuccess = versions.findLastIndex((version) => version.status === "completed");
  return versions.filter(
    (version, index) =>
      isActive(version) ||
      (version.status === "error" && (index > lastSuccess || version.id === opened || version.id === chosen)),
  );
}

/** Whether a version that is looked at can be chosen: not while another page is approved. */
export function canChoose(image: OrderImage, kind: Kind, version: Version): boolean {
  if (version.id === image.selected_version_ids[kind]) return false;
  const page = kind === "coloring" ? version.id : (version as SvgVersion).coloring_version_id;
  return !image.approved_at || page === image.selected_version_ids.coloring;
}

/** Why no version can be generated yet; undefined if it can. */
export type Obstacle = "photo_missing" | "photo_lost" | "page_missing" | "page_in_progress";

export function obstacleTo(image: OrderImage, kind: Kind): Obstacle | undefined {
  if (kind === "coloring") {
    if (isPhotoLost(image)) return "photo_lost";
    return image.url === null ? "photo_missing" : undefined;
  }
  if (pageToVectorise(image)) return undefined;
  return image.versions.coloring.some(isActive) ? "page_in_progress" : "page_missing";
}

/** Whether the last attempt failed or the chosen file was lost; a cancelled version has not failed. */
export function hasFailed(image: OrderImage, kind: Kind): boolean {
  return [versionsOf(image, kind).at(-1), chosenVersion(image, kind)].some(
    (version) => version?.status === "error" && !isCancelled(version),
  );
}
