/** Changes to an order held in the cache, made before the server has answered; pure. */
import type {
  ColoringVersion,
  Kind,
  Order,
  OrderImage,
  SelectedVersionIds,
  SvgVersion,
  Version,
} from "./model";

export function imagesOf(order: Order): OrderImage[] {
  return order.line_items.flatMap((item) => item.images);
}

/** The images of the items that the shop did not remove: those that the list counts. */
export function remainingImagesOf(order: Order): OrderImage[] {
  return order.line_items.filter((item) => !item.removed).flatMap((item) => item.images);
}

/** The images that are still to be delivered: none of an order that the shop cancelled, none of items it removed. */
export function deliverableImagesOf(order: Order): OrderImage[] {
  return order.cancelled_at ? [] : remainingImagesOf(order);
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
 * What is chosen once `versionId` is, by the API's rule: an SVG brings its page along, and a page
 * keeps no SVG of another page (its own newest completed one is chosen, or none).
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
 * The order with a version that the server has just answered. One that is there already wins unless
 * it had ended (`replaceable`): an event may have brought something newer meanwhile.
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
    // The kind says which of the two lists this is; the type system cannot follow that.
    return kind === "coloring"
      ? { ...image, versions: { ...image.versions, coloring: versions as ColoringVersion[] } }
      : { ...image, versions: { ...image.versions, svg: versions as SvgVersion[] } };
  });
}

function merged<V extends Version>(versions: V[], answer: V, replaceable: (known: V) => boolean): V[] {
  if (!versions.some((known) => known.id === answer.id)) return [...versions, answer];
  return versions.map((known) => (known.id === answer.id && replaceable(known) ? answer : known));
}
