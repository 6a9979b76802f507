import { useState } from "react";
import type { OrderImage } from "@/components/order/model";
import { candidatesOf, defaultPick } from "./queue";

/**
 * The candidate that would be approved. It is the chosen one when the image comes on screen, and stays: a
 * candidate that arrives meanwhile, even if the service chooses it, is not approved without a look.
 */
export function usePick(image: OrderImage): [number | null, (versionId: number) => void] {
  const [held, setHeld] = useState({ imageId: image.id, versionId: defaultPick(image) });
  const isThere = candidatesOf(image).some((page) => page.id === held.versionId);
  const isFrozen = image.approved_at && held.versionId !== image.selected_version_ids.coloring;
  const isStale = held.imageId !== image.id || !isThere || isFrozen;
  const current = isStale ? { imageId: image.id, versionId: defaultPick(image) } : held;
  if (current.imageId !== held.imageId || current.versionId !== held.versionId) setHeld(current);
  return [current.versionId, (versionId) => setHeld({ imageId: image.id, versionId })];
}
