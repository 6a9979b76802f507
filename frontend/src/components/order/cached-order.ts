/** Optimistic changes of a cached order; pure functions. */
import type {
  ColoringVersion,
  Kind,
  LineItem,
  Order,
  OrderImage,
  SelectedVersionIds,
  SvgVersion,
  Version,
} from "./model";

export function imagesOf(order: Order): OrderImage[] {
  return order.line_items.flatMap((item) => item.images);
}

/** The items that are to be delivered: none of a cancelled order, none that the shop removed. */
export function deliverableItemsOf(order: Order): LineItem[] {
  return order.cancelled_at ? [] : order.line_items.filter((item) => !item.removed);
}

/** Whether anything can be generated, printed or exported: not if the shop took back the order or all its items. */
export const isDeliverable = (order: Order): boolean =>
  !order.cancelled_at && (order.line_items.length === 0 || deliverableItemsOf(order).length > 0);

/** The images that are to be delivered: none of a cancelled order, none of removed items. */
export function deliverableImagesOf(order: Order): OrderImage[] {
  return deliverableItemsOf(order).flatMap((item) => item.images);
}

export function withImage(order: Order, imageId: number, change: (image: OrderImage) => OrderImage): Order {
  return {
    ...order,
    line_items: order.line_items.map((item) =>
      item.images.some((image) => image.id === imageId)
        ? { ...item, images: item.images.map((image) => (image.id === imageId ? change(image) : image)) }
        : item,
    ),
  };
}

/**
 * The selection after `versionId` is chosen, by the API's rule: an SVG also selects its page, and a page
 * deselects the SVG of another page (and selects its own newest completed one, if any).
 */
export function selectionAfter(image: OrderImage, kind: Kind, versionId: number): SelectedVersionIds {
  if (kind === "svg") {
    const svg = image.versions.svg.find((version) => version.id === versionId);
    return { coloring: svg?.coloring_version_id ?? image.selected_version_ids.coloring, svg: versionId };
  }
  const current = image.versions.svg.find((svg) => svg.id === image.selected_version_ids.svg);
  if (current?.coloring_version_id === versionId) return { coloring: versionId, svg: current.id };
  const own = image.versions.svg.findLast(
    (svg) => svg.coloring_version_id === versionId && svg.status === "completed",
  );
  return { coloring: versionId, svg: own?.id ?? null };
}

export function withSelection(order: Order, imageId: number, selected: SelectedVersionIds): Order {
  return withImage(order, imageId, (image) => ({ ...image, selected_version_ids: selected }));
}

/**
 * The order with a version from a response. A version that is already cached wins unless it had ended
 * (`replaceable`): an event may have brought a newer state meanwhile.
 */
export function withVersion(
  order: Order,
  imageId: number,
  kind: Kind,
  answer: Version,
  replaceable: (known: Version) => boolean,
): Order {
  return withImage(order, imageId, (image) => {
    const versions = merged<Version>(image.versions[kind], answer, replaceable);
    // `kind` determines the type of the list, which TypeScript cannot infer.
    return kind === "coloring"
      ? { ...image, versions: { ...image.versions, coloring: versions as ColoringVersion[] } }
      : { ...image, versions: { ...image.versions, svg: versions as SvgVersion[] } };
  });
}

function merged<V extends Version>(versions: V[], answer: V, replaceable: (known: V) => boolean): V[] {
  if (!versions.some((known) => known.id === answer.id)) return [...versions, answer];
  return versions.map((known) => (known.id === answer.id && replaceable(known) ? answer : known));
}
