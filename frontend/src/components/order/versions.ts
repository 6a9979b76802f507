/** What a card needs to know about the versions of one image; pure. */
import type { ColoringVersion, Kind, OrderImage, SvgVersion, Version } from "./model";

export const isActive = (version: Version): boolean =>
  version.status !== "completed" && version.status !== "error";

/** Cancelled by a person: not a fault, and shown as such. */
export const isCancelled = (version: Version): boolean => version.error?.code === "cancelled";

/** Code of a photo that was stored and is not in the storage any more. */
const PHOTO_LOST = "photo_missing";

/** Where the photo is; null while there is none, and also where its file was lost. */
export function photoOf(image: OrderImage): string | null {
  return isPhotoLost(image) ? null : image.url;
}

export const isPhotoLost = (image: OrderImage): boolean => image.error?.code === PHOTO_LOST;

export function versionsOf(image: OrderImage, kind: Kind): Version[] {
  return image.versions[kind];
}

/** The chosen version, if its file is there to be looked at. */
export function chosenVersion(image: OrderImage, kind: "coloring"): ColoringVersion | undefined;
export function chosenVersion(image: OrderImage, kind: "svg"): SvgVersion | undefined;
export function chosenVersion(image: OrderImage, kind: Kind): Version | undefined;
export function chosenVersion(image: OrderImage, kind: Kind): Version | undefined {
  const id = image.selected_version_ids[kind];
  return versionsOf(image, kind).find((version) => version.id === id);
}

/** The page an SVG was made from. */
export function pageOf(image: OrderImage, svg: SvgVersion): ColoringVersion | undefined {
  return image.versions.coloring.find((page) => page.id === svg.coloring_version_id);
}

/** The page that an SVG would be made from now, by the API's rule: the chosen one, else the newest. */
export function pageToVectorise(image: OrderImage): ColoringVersion | undefined {
  const chosen = chosenVersion(image, "coloring");
  if (chosen?.status === "completed") return chosen;
  return image.versions.coloring.findLast((page) => page.status === "completed");
}

/**
 * The versions that have something to say beside the chosen picture: work in hand, and what failed
 * since the last success. An older failure stays a tile in the strip until it is opened, unless it is
 * the chosen version: then its file was lost, and what is to be printed with it.
 */
export function versionsToMention(versions: Version[], chosen: number | null, opened?: number): Version[] {
  const lastSuccess = versions.findLastIndex((version) => version.status === "completed");
  return versions.filter(
    (version, index) =>
      isActive(version) ||
      (version.status === "error" && (index > lastSuccess || version.id === opened || version.id === chosen)),
  );
}

/** Why nothing can be made yet; undefined when it can. */
export type Obstacle = "photo_missing" | "photo_lost" | "page_missing" | "page_in_progress";

export function obstacleTo(image: OrderImage, kind: Kind): Obstacle | undefined {
  if (kind === "coloring") {
    if (isPhotoLost(image)) return "photo_lost";
    return image.url === null ? "photo_missing" : undefined;
  }
  if (pageToVectorise(image)) return undefined;
  return image.versions.coloring.some(isActive) ? "page_in_progress" : "page_missing";
}

/** Whether the last try failed, or the chosen file was lost; what a person cancelled has not failed. */
export function hasFailed(image: OrderImage, kind: Kind): boolean {
  return [versionsOf(image, kind).at(-1), chosenVersion(image, kind)].some(
    (version) => version?.status === "error" && !isCancelled(version),
  );
}
