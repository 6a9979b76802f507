/** The views of the full-screen viewer and their files; pure functions. */
import type { OrderImage } from "./model";
import { chosenVersion, photoOf } from "./versions";

/** In the order of the keys 1 to 4, which do not depend on what an image has. */
export const VIEWS = ["photo", "coloring", "svg", "compare"] as const;

export type View = (typeof VIEWS)[number];

/** The image that is shown full screen, and the view of it. */
export interface Viewed {
  imageId: number;
  view: View;
  /** Versions that are looked at in place of the chosen ones. */
  looked?: { coloring?: number | undefined; svg?: number | undefined } | undefined;
}

/** The files of a view, the one that can be opened alone last; null: the image does not have this view. */
export function filesOf(image: OrderImage, view: View): readonly string[] | null {
  const photo = photoOf(image);
  const page = chosenVersion(image, "coloring")?.url ?? null;
  const files = {
    photo: [photo],
    coloring: [page],
    svg: [chosenVersion(image, "svg")?.url ?? null],
    compare: [photo, page],
  }[view].filter((file) => file !== null);
  return files.length === (view === "compare" ? 2 : 1) ? files : null;
}

/** The views that an image has. */
export function viewsOf(image: OrderImage): View[] {
  return VIEWS.filter((view) => filesOf(image, view) !== null);
}

/** `wanted` if the image has it, else its first one. */
export function shownView(image: OrderImage, wanted: View): View {
  const views = viewsOf(image);
  return views.includes(wanted) ? wanted : (views[0] ?? "photo");
}
