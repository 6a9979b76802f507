import { useState } from "react";
import type { Kind, OrderImage, Version } from "./model";
import { chosenVersion, photoOf, versionsOf } from "./versions";
import type { View } from "./views";

/** What the one frame of a card can show. */
export const SHEET_VIEWS = ["photo", "coloring", "svg"] as const satisfies View[];

export type SheetView = (typeof SHEET_VIEWS)[number];

/** What the frame of a card shows. */
export interface Sheet {
  view: SheetView;
  /** The version in the frame; undefined for the photo. */
  version: Version | undefined;
  /** The views that the image has. */
  views: readonly SheetView[];
  show: (view: SheetView) => void;
  /** The version that is looked at, until another is chosen, or else the chosen one. */
  shown: (kind: Kind) => Version | undefined;
  /** Looks at a version, which does not choose it. */
  look: (kind: Kind, versionId: number) => void;
}

interface Looked {
  id: number;
  /** The version that was chosen then. */
  chosenId: number | null;
}

/** Shows the page as soon as there is one, until another view is asked for. */
export function useSheet(image: OrderImage): Sheet {
  const [asked, setAsked] = useState<SheetView>();
  const [looked, setLooked] = useState<Partial<Record<Kind, Looked>>>({});
  const shown = (kind: Kind): Version | undefined => {
    const at = looked[kind];
    const isLookedAt = (version: Version): boolean =>
      at?.chosenId === image.selected_version_ids[kind] && version.id === at.id && version.url !== null;
    return versionsOf(image, kind).find(isLookedAt) ?? chosenVersion(image, kind);
  };
  const views = SHEET_VIEWS.filter((view) =>
    view === "photo" ? photoOf(image) !== null : Boolean(shown(view)?.url),
  );
  const view = asked && views.includes(asked) ? asked : views.includes("coloring") ? "coloring" : "photo";
  return {
    view,
    version: view === "photo" ? undefined : shown(view),
    views,
    show: setAsked,
    shown,
    look: (kind, id) => {
      setAsked(kind);
      setLooked((before) => ({ ...before, [kind]: { id, chosenId: image.selected_version_ids[kind] } }));
    },
  };
}
